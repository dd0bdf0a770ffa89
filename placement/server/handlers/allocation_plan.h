/*
 * allocation_plan: what consumers are to have from now on, for PUT and POST
 * /allocations and the reshaper: read from the body, checked against what there is,
 * then carried out. Each consumer that it names loses all that it had before.
 *
 * Borrows from the graph and the body of the request. One thread.
 */
#ifndef PLACEMENT_SERVER_HANDLERS_ALLOCATION_PLAN_H
#define PLACEMENT_SERVER_HANDLERS_ALLOCATION_PLAN_H

#include "placement/server/message/reply.h"
#include "placement/server/message/request.h"
#include "placement/server/schema/inventory_body.h"
#include "placement/server/schema/schema.h"
#include "placement/server/store/store.h"

struct planned_consumer {
    char uuid[UUID_TEXT_SIZE];
    struct consumer *known; /* NULL: a new consumer */
    /* type NULL: unchanged; of a new consumer: unknown */
    const char *project, *user, *type;
    size_t first, count; /* its range of the items */
};

struct planned_allocation {
    struct resource_provider *provider;
    const char *class_name;
    struct resource_class *class; /* NULL: no class has that name */
    int64_t used;
};

/* A class of a provider that the plan allocates from, or releases. */
struct demand {
    struct resource_provider *provider;
    struct resource_class *class;
    /* NULL: the provider has no inventory of the class */
    const struct inventory *limits;
    int64_t before; /* used by all, as it is */
    int64_t used;   /* by consumers that are not in the plan */
    int64_t wanted;
    /* The generation of the provider rises: something is asked for, or a consumer gives
     * back all that it has. As in upstream, a consumer that merely has none of it any
     * more does not count. */
    bool raises;
};

struct allocation_plan {
    struct planned_consumer *consumers;
    size_t consumer_count;
    struct planned_allocation *items;
    size_t item_count;
    /* sorted by provider, then class; made by allocation_plan_check() */
    struct demand *demands;
    size_t demand_count;
};

/* Reads what one consumer is to have from a checked body. 409 when the generation is
 * not the consumer's, 400 for a provider that there is not. */
int allocation_plan_add(struct allocation_plan *plan, const struct store *store,
                        const struct request *request, const char *consumer,
                        struct json_object *body, struct reply *reply);

/* The same for an object of bodies by consumer: first all generations, then the rest.
 */
int allocation_plan_add_all(struct allocation_plan *plan, const struct store *store,
                            const struct request *request, struct json_object *bodies,
                            struct reply *reply);

/* Whether all fits at once. On a provider that has more allocated than its capacity (an
 * operator has reserved it, or made it smaller) what makes nothing worse fits, too: after
 * the plan no more of the class is used than before. That is upstream since 2025.2
 * (its bug 2104040), without a microversion; with `strict_capacity` it is refused, as by
 * the releases before. -1 with the text of why in `why` (the caller frees):
 * *unknown_class tells whether it is a class that there is not (else 409 is due). Where
 * `inventories` are given, by the id of their provider, they count in place of what
 * their providers have. */
int allocation_plan_check(struct allocation_plan *plan,
                          const struct inventory_plan *inventories, size_t count,
                          bool strict_capacity, char **why, bool *unknown_class);

/* What is used of an inventory after the checked plan, for one that is about to be
 * removed. */
int64_t allocation_plan_use_after(const struct allocation_plan *plan,
                                  const struct provider_inventory *inventory);

/* Carries the plan out. The inventories that it needs must exist by now. */
int allocation_plan_apply(struct store *store, const struct allocation_plan *plan,
                          struct error *err);

void allocation_plan_clear(struct allocation_plan *plan);

#endif
