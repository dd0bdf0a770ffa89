/*
 * snapshot: all that a Placement shows, as plain data: what is read from one side of a
 * transfer, and compared with the other. It owns what it points to. One thread.
 */
#ifndef PLACEMENT_TRANSFER_SNAPSHOT_H
#define PLACEMENT_TRANSFER_SNAPSHOT_H

#include "lib/error.h"
#include "lib/map.h"
#include "placement/model.h"

struct snapshot_provider {
    struct provider is;
    size_t depth;                        /* 0 for a root; set by snapshot_order() */
    size_t number;                       /* its place in the snapshot; set by it, too */
    struct class_inventory *inventories; /* ordered by class */
    size_t inventory_count;
    struct strlist traits, aggregates; /* sorted */
    bool kept; /* of an earlier reading; set by snapshot_read() */
    bool gone; /* it was deleted since the list was read; set there, too */
    struct map_entry by_uuid;
};

/* What a consumer has of one class on one provider. */
struct snapshot_allocation {
    char provider[UUID_TEXT_SIZE];
    char *resource_class;
    int64_t amount;
};

struct snapshot_consumer {
    char uuid[UUID_TEXT_SIZE];
    char *project, *user;
    char *type; /* NULL: unknown */
    int64_t generation;
    struct snapshot_allocation *allocations; /* ordered by provider, then class */
    size_t count;
    struct map_entry by_uuid;
};

/* All zero is empty. */
struct snapshot {
    struct strlist classes, traits; /* all names that it knows, sorted */
    struct snapshot_provider **providers;
    size_t provider_count;
    struct snapshot_consumer **consumers; /* in no particular order */
    size_t consumer_count;
    struct map providers_by_uuid, consumers_by_uuid;
    struct strlist gone; /* "NAME (UUID)" of providers that were deleted meanwhile */
};

/* Each takes what it is given, which must be from the heap. INVALID when the uuid is there
 * already. */
int snapshot_add_provider_take(struct snapshot *snapshot,
                               struct snapshot_provider *provider, struct error *err);
int snapshot_add_consumer_take(struct snapshot *snapshot,
                               struct snapshot_consumer *consumer, struct error *err);
/* Takes that one out. The last one then has its number. */
struct snapshot_consumer *snapshot_remove_consumer(struct snapshot *snapshot,
                                                   size_t number);
/* Takes those providers out that are gone, and those below them; `gone` has them then. To
 * be called when they are ordered. */
void snapshot_remove_gone(struct snapshot *snapshot);
/* To be called once all providers are there: orders them so that a parent comes before its
 * children. INVALID where a parent is missing, or is its own ancestor. */
int snapshot_order(struct snapshot *snapshot, struct error *err);
/* Orders the allocations of a consumer. */
void snapshot_consumer_order(struct snapshot_consumer *consumer);

/* NULL: there is none. */
const struct snapshot_provider *snapshot_provider(const struct snapshot *snapshot,
                                                  const char *uuid);
const struct snapshot_consumer *snapshot_consumer(const struct snapshot *snapshot,
                                                  const char *uuid);

/* The same project, user and allocations. */
bool snapshot_consumer_equal(const struct snapshot_consumer *a,
                             const struct snapshot_consumer *b);
/* Whether a write would change what the other side has of it (NULL: nothing). `typed`: it
 * knows types of consumers. */
bool snapshot_consumer_is_pending(const struct snapshot_consumer *consumer,
                                  const struct snapshot_consumer *there, bool typed);
/* How much the consumer has of that class there. */
int64_t snapshot_consumer_amount(const struct snapshot_consumer *consumer,
                                 const char *provider, const char *resource_class);
bool snapshot_text_equal(const char *a, const char *b); /* NULL equals NULL alone */

void snapshot_provider_free(struct snapshot_provider *provider);
void snapshot_consumer_free(struct snapshot_consumer *consumer);
DEFINE_CLEANUP(struct snapshot_provider *, snapshot_provider_free)
DEFINE_CLEANUP(struct snapshot_consumer *, snapshot_consumer_free)
void snapshot_clear(struct snapshot *snapshot);
#define _cleanup_snapshot_ _cleanup_(snapshot_clear)

/* What every Placement keeps of an allocation ratio: OpenStack's on MariaDB has it in
 * single precision, and gives six digits of it. */
double snapshot_kept_ratio(double ratio);
/* The same, with the ratio as every Placement keeps it. */
bool snapshot_inventory_equal(const struct inventory *a, const struct inventory *b);

/* Whether a name of a class or trait is an operator's own; the others come with a
 * release. */
bool snapshot_is_custom(const char *name);

#endif
