/*
 * card_types: which types are enabled for a card, and below which of its parents: from
 * the files and, in owner mode, from what operators have enabled and disabled at run
 * time. Pure.
 *
 * A card has several types where several sections say so (several_types, allow_mixed),
 * or where an operator has enabled one more. A type that is disabled stays one of the
 * card's types, so that its provider stays.
 */
#ifndef AGENT_DESIRED_CARD_TYPES_H
#define AGENT_DESIRED_CARD_TYPES_H

#include "agent/host/host.h"
#include "config/config.h"
#include "lib/strlist.h"

/* What operators have enabled and disabled at run time: "0000:84:00.0 nvidia-36", the
 * card's name, a blank, and the type as in enabled_mdev_types. Sorted. */
struct type_choices {
    struct strlist enabled, disabled;
};

void type_choices_clear(struct type_choices *choices);

struct card_type {
    const struct mdev_type_config *config; /* borrowed from the configuration or the
                                              pool */
    struct gpu view; /* the card with only those of its parents that may be used; the
                        array `parents` is owned */
    bool disabled;
    /* It was enabled at run time beside this one, and the units of one of the two are
     * given away once (one_time_use): nobody new may get it. NULL: not so. */
    const struct mdev_type_config *beside;
};

struct card_types {
    struct card_type *items;
    size_t count;
    bool mixed; /* there are several, and they may be on the card at a time */
    /* Types that the files give all cards that offer them, and that this one does not
     * list: they may be the card's, which its driver does not show now. */
    struct strlist unlisted;
};

/* Types that no file has. Each is kept at its place in memory. */
struct type_pool {
    struct mdev_type_config **items;
    size_t count;
};

/* A type that stands for several, in messages: "nvidia-35, nvidia-36". It has no
 * class. */
const struct mdev_type_config *type_pool_add_sum(struct type_pool *pool,
                                                 const struct card_types *types);
void type_pool_clear(struct type_pool *pool);

/* The types of a card of the host, in the order of the files, then those that only
 * operators have enabled. None: nothing is configured for it. What cannot be used is
 * added to `problems`. `choices` may be NULL. The caller clears. */
struct card_types card_types_choose(const struct config *config,
                                    const struct host *host, const struct gpu *gpu,
                                    const struct type_choices *choices,
                                    struct type_pool *pool, struct strlist *problems);
/* The types of a card that is not on the host, and that the files name by its address.
 * The views are empty. */
struct card_types card_types_of_absent(const struct config *config, const char *address,
                                       const struct type_choices *choices,
                                       struct type_pool *pool);
void card_types_clear(struct card_types *types);

/* The first type whose device_addresses have the address; NULL: there is none. */
const struct mdev_type_config *card_types_naming(const struct config *config,
                                                 const char *address);
/* The type without addresses, if the card offers it and is of its model; NULL: not. */
const struct mdev_type_config *card_types_default(const struct config *config,
                                                  const struct gpu *gpu);
/* Whether the GPU is of the model that the type's section is for (device_id). */
bool card_types_is_of_model(const struct mdev_type_config *type, const struct gpu *gpu);
/* What to say where it is not. The caller frees. */
char *card_types_other_model(const struct mdev_type_config *type,
                             const struct gpu *gpu);
/* Why the files allow no device of the type on the card: their section of the type is for
 * another model. A type without a section for this card depends on those that name the
 * card. NULL: they allow it. The caller frees. */
char *card_types_forbid(const struct config *config, const struct gpu *gpu,
                        const char *type_id);
/* "10de:26b9" */
void card_types_model(const struct gpu *gpu, char out[sizeof "10de:26b9"]);
/* Whether both are the same type: written alike, or one type of what the card offers.
 * `gpu` may be NULL. */
bool card_types_is_same(const struct gpu *gpu, const char *one, const char *other);
/* The files' section for that type of the card, for whichever cards it is; NULL: there is
 * none, or what the card offers does not show which. `gpu` may be NULL. */
const struct mdev_type_config *card_types_section(const struct config *config,
                                                  const struct gpu *gpu,
                                                  const char *name);
/* Whether the card or the function of that name is on the host. */
bool card_types_on_host(const struct host *host, const char *address);
/* The line of struct type_choices. The caller frees. */
char *type_choice(const char *gpu, const char *type);
/* The type of such a line for this card; NULL: it is for another card. Borrowed. */
const char *type_choice_for(const char *line, const char *gpu);

#endif
