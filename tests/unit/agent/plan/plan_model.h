/*
 * plan_model: a small world in memory for tests of plan_make(): a host with the
 * kernel's rules (one type at a time on a card, VFs that show an instance until the
 * card is full), a Placement with its rules (generations, names, totals), the state
 * file, and who uses the devices. Plain data without pointers except for the journal,
 * so that a world can be copied and run twice.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_H
#define TESTS_UNIT_AGENT_PLAN_PLAN_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/plan/planner.h"

#define MODEL_TEXT 80

struct model_type {
    char id[24], name[32];
    int capacity; /* instances that the card takes */
    struct type_attributes attributes;
};

struct model_gpu {
    char name[16]; /* "84" for 0000:84:00.0 */
    struct model_type types[4];
    int type_count;
    int vfs;     /* 0: the card is the parent itself */
    bool mixed;  /* the card takes devices of several types at a time, each type as many
                   as if it were alone */
    bool shared; /* the card takes devices of several types at a time, which share what
                    it has: one takes 1/capacity of it */
    bool absent, unreadable_count, drained;
    bool nameless; /* the names of the types cannot be read either */
    enum gpu_health health;
};

struct model_device {
    char uuid[UUID_TEXT_SIZE];
    int gpu, vf, type; /* vf -1: none */
    bool in_transition, stray;
    bool uncounted; /* the device is being made, and available_instances does not
                       include it yet */
    bool leaving;   /* the agent's worker knows that it is being removed */
    bool made_by_agent;
    bool group_open, defined;
    char parameters[UUID_TEXT_SIZE]; /* the consumer that parameters were set for, or
                                        "" */
    bool uncleared;                  /* clearing it failed in this cycle */
};

/* A libvirt domain and the device that it names, which need not exist; "": it names
 * none. */
struct model_domain {
    char uuid[UUID_TEXT_SIZE], device[UUID_TEXT_SIZE];
    bool running;
};

struct model_inventory {
    char resource_class[MODEL_TEXT];
    struct inventory inventory;
};

struct model_allocation {
    char consumer[UUID_TEXT_SIZE], resource_class[MODEL_TEXT];
    int64_t amount;
};

struct model_provider {
    char uuid[UUID_TEXT_SIZE], name[MODEL_TEXT];
    char parent[UUID_TEXT_SIZE]; /* "": it is below the root */
    int64_t generation;
    bool undetailed;
    char traits[48][MODEL_TEXT];
    int trait_count;
    struct model_inventory inventories[4];
    int inventory_count;
    struct model_allocation allocations[40];
    int allocation_count;
};

struct model_config_type {
    char type[32], addresses[8][16], mdev_class[MODEL_TEXT], traits[4][MODEL_TEXT];
    int address_count, trait_count;
    unsigned max_instances, max_unit;
    bool several, mixed, once; /* several_types, allow_mixed, one_time_use */
};

/* What an operator has ordered of one device. */
struct model_order {
    enum order_kind kind;
    char device[UUID_TEXT_SIZE];
    char type[MODEL_TEXT], gpu[MODEL_TEXT]; /* CREATE; gpu "": none is named */
    char parameters[MODEL_TEXT];
    bool force;
};

/* What an operator has enabled or disabled at run time. */
struct model_choice {
    char line[48]; /* as in struct type_choices */
    bool disabled;
};

struct model {
    /* the host */
    struct model_gpu gpus[4];
    int gpu_count;
    struct model_device devices[96];
    int device_count;
    struct model_domain domains[64];
    int domain_count;
    bool use_unknown;
    char servers[16][UUID_TEXT_SIZE]; /* consumers whose devices were asked for */
    int server_count;
    struct model_order orders[4];
    int order_count;
    /* Placement */
    bool unreachable, root_missing, old_server;
    char root_uuid[UUID_TEXT_SIZE], root_name[MODEL_TEXT];
    struct model_provider providers[24]; /* all but the root */
    int provider_count;
    char known_traits[128][MODEL_TEXT];
    int known_trait_count;
    /* the agent */
    struct model_config_type types[4];
    int type_count;
    struct model_choice choices[8];
    int choice_count;
    enum agent_mode mode;
    enum drain_reserve drain_reserve;
    bool create_root, prune;
    unsigned grace;
    int64_t now;
    struct journal *journal;
    bool use_was_needed; /* the last plan needed to know who uses the devices */
};

void model_init(struct model *model);
void model_clear(struct model *model);
/* Makes `to` an independent copy, which is to be cleared as well. */
void model_copy(struct model *to, const struct model *from);

int model_gpu(const struct model *model, const char *name);
struct model_device *model_device(struct model *model, const char *uuid);
struct model_provider *model_provider(struct model *model, const char *uuid);
/* The provider of that name ("host_pci_0000_84_00_0"), or NULL. */
struct model_provider *model_provider_named(struct model *model, const char *name);
bool model_has_trait(const struct model_provider *provider, const char *trait);
void model_add_trait(struct model_provider *provider, const char *trait);
void model_drop_trait(struct model_provider *provider, const char *trait);
struct model_inventory *model_inventory(struct model_provider *provider,
                                        const char *resource_class);
/* The number of further devices of the type that the kernel would make below the
 * parent. */
int model_available(const struct model *model, int gpu, int vf, int type);
/* The index of the type that is configured for the card; -1: none, or several. */
int model_configured(const struct model *model, int gpu);
/* The number of types that the card has, also disabled ones; *mixed: they may be on it
 * beside each other. */
int model_count_types(const struct model *model, int gpu, bool *mixed);
/* The index of the type that a provider below the card's is for; -1: it is none such. */
int model_type_of_provider(const struct model *model, int gpu,
                           const struct model_provider *provider);
/* Whether the card has devices of other types than this one, as far as that can be seen
 * while they are in transition. */
bool model_has_others(const struct model *model, int gpu, int type);
/* Adds a device. False: the kernel refuses it. */
bool model_add_device(struct model *model, const char *uuid, int gpu, int vf, int type);
void model_remove_device(struct model *model, const char *uuid);
bool model_is_used(const struct model *model, const struct model_device *device);
/* The domain that names the device; NULL: there is none. */
struct model_domain *model_domain_of(struct model *model, const char *device);
void model_add_domain(struct model *model, const char *uuid, const char *device,
                      bool running);
/* Adds a domain to those that name the device already. */
void model_add_another_domain(struct model *model, const char *uuid, const char *device,
                              bool running);
void model_drop_domain(struct model *model, const char *device);
/* True when a domain other than the consumer's has the device; of several domains, the
 * one that runs has it. */
bool model_is_anothers(const struct model *model, const char *device,
                       const char *consumer);
/* True when the consumer is certainly a server: its devices were asked for, or a domain
 * has its uuid. */
bool model_is_server(const struct model *model, const char *consumer);

/* Copies a text into an array; a text that does not fit fails the test. */
#define MODEL_SET(field, text) model_set_text((field), sizeof(field), (text))
#define MODEL_LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))
void model_set_text(char *to, size_t room, const char *text);
/* A copy of the journal; the caller frees. */
struct journal *model_copy_journal(const struct model *model);

#endif
