#include "placement/server/store/store.h"

#include <stdlib.h>

#include "lib/xalloc.h"
#include "placement/server/store/graph_load.h"

int store_open(const char *path, const struct store_options *options,
               struct store **out, struct error *err)
{
    _cleanup_(store_closep) struct store *store = xcalloc(1, sizeof *store);
    store->options = *options;
    if (database_open(path, &store->database, err) != 0)
        return -1;
    if (graph_load(&store->graph, store->database, err) != 0)
        return error_prefix(err, "%s", path);
    *out = steal(store);
    return 0;
}

void store_close(struct store *store)
{
    if (store->database)
        database_close(store->database);
    graph_clear(&store->graph);
    free(store);
}

bool store_is_changed(const struct store *store)
{
    return store->failed || database_in_transaction(store->database);
}

/* Loads the graph again after a failed commit. When even reading fails, there is no
 * state left to answer from. */
static void reload(struct store *store)
{
    struct error err;
    database_rollback(store->database);
    graph_clear(&store->graph);
    store->failed = false;
    store->suspect = true;
    store->lost = graph_load(&store->graph, store->database, &err) != 0;
}

int store_commit(struct store *store, struct error *err)
{
    if (store->failed) {
        *err = store->failure;
        reload(store);
        return -1;
    }
    store->unfolded = true;
    store->quiet = false;
    if (database_commit(store->database, err) == 0)
        return 0;
    reload(store);
    return -1;
}

int store_tend(struct store *store, struct error *err)
{
    bool due = store->unfolded && store->quiet && !store_is_changed(store);
    store->quiet = true;
    if (!due)
        return 0;
    store->unfolded = false;
    return database_fold(store->database, err);
}

bool store_is_writable(const struct store *store)
{
    return !store->failed && !store->suspect && !store->lost;
}

int store_prepare_write(struct store *store, struct error *err)
{
    if (store->lost)
        reload(store);
    if (store->failed || store->lost)
        return error_set(err, ERROR_IO, "the database cannot be read");
    if (!store->suspect)
        return 0;
    if (database_in_transaction(store->database))
        return 0;
    if (database_try(store->database, err) != 0)
        return -1;
    store->suspect = false;
    return 0;
}

int store_run(struct store *store, enum sql statement, const struct sql_value *values,
              size_t count, struct error *err)
{
    if (!store->failed && database_run_values(store->database, statement, values, count,
                                              &store->failure) == 0)
        return 0;
    store->failed = true;
    if (err)
        *err = store->failure;
    return -1;
}
