/*
 * store: the graph in memory and the tables on disk, changed together. Reads look at
 * store->graph. Each function below that changes something runs its SQL in the open
 * transaction (the first one opens it), and then changes the graph. It checks nothing:
 * handlers have looked at the graph before, and nobody else writes.
 *
 * Group commit: the loop lets many requests change the store and calls store_commit()
 * once; until then no reply may leave that tells of the changes. When a statement or
 * the commit fails (the disk is full, the file is read-only), the whole batch is undone
 * and the graph loaded anew; from then on each write first tries whether the disk takes
 * it.
 *
 * One thread.
 */
#ifndef PLACEMENT_SERVER_STORE_STORE_H
#define PLACEMENT_SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/placementd_options.h"
#include "lib/error.h"
#include "placement/server/graph/graph.h"
#include "placement/server/store/database.h"

/* The options that handlers need. */
struct store_options {
    /* Project and user of consumers made by clients older than 1.8, which name none. */
    const char *incomplete_project_id, *incomplete_user_id;
    int64_t max_allocation_candidates; /* -1: no limit of its own */
    bool randomize_allocation_candidates;
    bool strict_capacity; /* handlers/allocation_plan.h */
    bool breadth_first;   /* allocation_candidates_generation_strategy */
    enum allocation_order allocation_order;
    double max_request_time; /* seconds of processor time; 0: no limit */
    size_t max_reply_size;   /* bytes; 0: no limit */
};

struct store {
    struct graph graph;
    struct database *database;
    struct store_options options;
    int64_t now;          /* time of the request being answered; set by the caller */
    bool failed;          /* a statement failed: the batch is lost */
    struct error failure; /* why it failed */
    bool suspect;         /* the last batch was lost: try the disk before the next */
    /* for store_tend(): there were commits; and none since its last call */
    bool unfolded, quiet;
    /* the graph could not be loaded again: no request can be answered */
    bool lost;
};

/* Opens or makes the database, checks it and loads the graph. The caller keeps the
 * strings in `options`. */
int store_open(const char *path, const struct store_options *options,
               struct store **out, struct error *err);
void store_close(struct store *store);
DEFINE_CLEANUP(struct store *, store_close)

/* Whether there are changes that are not on disk yet. */
bool store_is_changed(const struct store *store);
/* To be called before a request that may write: fails where the disk is known not to
 * take writes. */
int store_prepare_write(struct store *store, struct error *err);
/* Makes all changes since the last call durable (fsync). On failure they are all
 * undone: the answers given since then are void. */
int store_commit(struct store *store, struct error *err);
/* To be called about once a second: once no write came between two calls, what they
 * left in the write-ahead log is folded into the tables, so that the file alone is the
 * whole database. */
int store_tend(struct store *store, struct error *err);
/* Whether a write is expected to reach the disk. */
bool store_is_writable(const struct store *store);

/* Runs one statement of a change, with values made by SQL_INT() and the like. */
#define store_sql(store, statement, err, ...)                                \
    store_run((store), (statement), (const struct sql_value[]){__VA_ARGS__}, \
              sizeof((const struct sql_value[]){__VA_ARGS__}) /              \
                  sizeof(struct sql_value),                                  \
              (err))
int store_run(struct store *store, enum sql statement, const struct sql_value *values,
              size_t count, struct error *err);

/* ---- providers ---- */
int store_create_provider(struct store *store, const char *uuid, const char *name,
                          struct resource_provider *parent,
                          struct resource_provider **out, struct error *err);
/* With `parent` NULL the provider becomes a root. The generation does not rise. When
 * nothing changes, neither does the time of change. */
int store_update_provider(struct store *store, struct resource_provider *provider,
                          const char *name, struct resource_provider *parent,
                          struct error *err);
int store_delete_provider(struct store *store, struct resource_provider *provider,
                          struct error *err);
int store_raise_generation(struct store *store, struct resource_provider *provider,
                           struct error *err);

/* ---- what they have ---- */
/* Makes or replaces the inventory of a class. */
int store_set_inventory(struct store *store, struct resource_provider *provider,
                        struct resource_class *class, const struct inventory *limits,
                        struct error *err);
int store_remove_inventory(struct store *store, struct provider_inventory *inventory,
                           struct error *err);
int store_set_traits(struct store *store, struct resource_provider *provider,
                     struct trait *const *traits, size_t count, struct error *err);
int store_set_aggregates(struct store *store, struct resource_provider *provider,
                         struct aggregate *const *aggregates, size_t count,
                         struct error *err);

/* ---- names ---- */
int store_create_class(struct store *store, const char *name,
                       struct resource_class **out, struct error *err);
int store_rename_class(struct store *store, struct resource_class *class,
                       const char *name, struct error *err);
int store_delete_class(struct store *store, struct resource_class *class,
                       struct error *err);
int store_create_trait(struct store *store, const char *name, struct trait **out,
                       struct error *err);
int store_delete_trait(struct store *store, struct trait *trait, struct error *err);
/* Gives the existing one, or creates it. */
int store_ensure_aggregate(struct store *store, const char *uuid,
                           struct aggregate **out, struct error *err);
int store_ensure_project(struct store *store, const char *name,
                         struct external_id **out, struct error *err);
int store_ensure_user(struct store *store, const char *name, struct external_id **out,
                      struct error *err);
int store_ensure_consumer_type(struct store *store, const char *name,
                               struct external_id **out, struct error *err);

/* ---- who uses it ---- */
int store_create_consumer(struct store *store, const char *uuid,
                          struct external_id *project, struct external_id *user,
                          struct external_id *type, int64_t generation,
                          struct consumer **out, struct error *err);
/* Sets project, user, type and generation. */
int store_update_consumer(struct store *store, struct consumer *consumer,
                          struct external_id *project, struct external_id *user,
                          struct external_id *type, int64_t generation,
                          struct error *err);
/* Deletes the consumer and its allocations. */
int store_delete_consumer(struct store *store, struct consumer *consumer,
                          struct error *err);
int store_add_allocation(struct store *store, struct consumer *consumer,
                         struct provider_inventory *inventory, int64_t used,
                         struct error *err);
int store_clear_allocations(struct store *store, struct consumer *consumer,
                            struct error *err);

#endif
