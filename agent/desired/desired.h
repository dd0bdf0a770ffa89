/*
 * desired: the tree of providers that the agent wants to see in Placement. A pure
 * function of the configuration and the host. plan_make() adds what depends on
 * Placement: foreign traits, allocations, an operator's value of `reserved`.
 *
 * In owner mode each card has one provider, which its parents (PF, VFs) are folded
 * into. Where device_addresses names only some VFs of a card, only these VFs are used.
 * A card with several types has, below its provider, one for each of them
 * ("<root>_pci_0000_84_00_0_nvidia-35").
 * In nova mode each parent has one provider, as Nova makes them. In mode nova-pci each
 * card has one, as Nova makes them from [pci] device_spec ("<root>_0000:41:00.0"). All
 * borrowed pointers are valid as long as the given host and configuration are.
 */
#ifndef AGENT_DESIRED_DESIRED_H
#define AGENT_DESIRED_DESIRED_H

#include "agent/desired/card_types.h"
#include "agent/host/host.h"
#include "agent/tree/observed.h"
#include "config/config.h"
#include "lib/strlist.h"

struct desired_provider {
    char uuid[UUID_TEXT_SIZE]; /* uuid5(root uuid, name) */
    char *name;                /* "<root name>_pci_0000_84_00_0" */
    char *card_name; /* the name of the card's provider that it is below, since the card
                        has several types; NULL: it is below the root */
    /* It is the card's provider, and its types have providers below it. Then type_id,
     * type_name and resource_class are NULL, and type_config only has a text. */
    bool is_card;
    /* Nobody new gets the type: an operator has disabled it for the card, or `beside` is
     * set. */
    bool disabled;
    const struct mdev_type_config *beside; /* as in struct card_type */
    bool mixed; /* the card takes its types beside each other */
    const struct gpu
        *gpu; /* borrowed from the host; NULL when the GPU is configured but gone */
    char *gpu_name;
    struct gpu view; /* *gpu with only those of its parents that may be used; all but
                        the array `parents` is borrowed */
    const struct mdev_type_config *type_config; /* borrowed from the configuration */
    char *type_id;   /* the configured type as this GPU offers it; NULL: it does not
                        offer it */
    char *type_name; /* the type's name; NULL: the driver gives none */
    char *resource_class; /* "VGPU" */
    int64_t capacity;     /* devices of the type that exist, and those that can still be
                             made; plan_make() applies the cap max_instances */
    char *sick; /* why the GPU cannot be trusted: reserved is then the whole total;
                   NULL: the GPU is well */
    struct strlist traits; /* the agent's traits, sorted; standard traits are
                              candidates: plan_make() drops those that the server does
                              not know */
};

struct desired_tree {
    enum agent_mode mode;
    char root_uuid[UUID_TEXT_SIZE];
    char *root_name;
    struct desired_provider *providers; /* in the host's order of GPUs; then those whose
                                           GPU is not on the host. A card's comes
                                           before those of its types */
    size_t provider_count;
    struct strlist unlisted; /* the names of providers of cards' types that the files
                                give all cards that offer them, and that these cards do
                                not list now (struct card_types) */
    struct type_pool own_types;
    struct strlist problems; /* one line each, for instance a type that no GPU offers,
                                or no type enabled; problems of one provider's GPU are
                                not among them */
};

/* The name of the provider of one of a card's types: the card's own and the type as it
 * is enabled, since a card that does not answer shows no other names of it:
 * "pci_0000_84_00_0_nvidia-35". The caller frees. */
char *desired_type_part(const char *card_part, const char *type);

/* Makes the desired tree; never fails. The caller frees it with desired_tree_free(). */
struct desired_tree *desired_tree_make(const struct config *config,
                                       const struct host *host, const char *root_uuid,
                                       const char *root_name);
/* The same with what operators have enabled and disabled at run time. `choices` may be
 * NULL. */
struct desired_tree *desired_tree_make_chosen(const struct config *config,
                                              const struct host *host,
                                              const struct type_choices *choices,
                                              const char *root_uuid,
                                              const char *root_name);
void desired_tree_free(struct desired_tree *tree);
DEFINE_CLEANUP(struct desired_tree *, desired_tree_free)

/* Says that the configuration enables no type although the host has GPUs that offer
 * types. NULL: that is not the case. The caller frees. */
char *desired_nothing_enabled(const struct config *config, const struct host *host);

/* What is wrong with the GPU of a provider that is `sick`, and what the operator can
 * do. The caller frees. */
char *desired_sick_reason(const struct desired_provider *desired);

/* The names of all traits of all providers, each once, sorted: the traits that the
 * server is to be asked about (placement_fetch_traits). */
struct strlist desired_traits(const struct desired_tree *tree);

/* The provider that Placement has for a desired one. It is found by its name, since
 * Nova gives the same names with other uuids; else by the uuid that the agent computes,
 * in case the provider was renamed. NULL: there is none. */
const struct observed_provider *desired_observe(const struct observed *observed,
                                                const struct desired_provider *desired);

#endif
