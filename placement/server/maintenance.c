#include "placement/server/maintenance.h"

#include "placement/server/store/database.h"
#include "placement/server/store/graph_load.h"

static int check_references(sqlite3_stmt *row, void *context, struct error *err)
{
    (void)context;
    return error_set(err, ERROR_INVALID,
                     "table %s: a row refers to a missing row of %s",
                     (const char *)sqlite3_column_text(row, 0),
                     (const char *)sqlite3_column_text(row, 2));
}

int maintenance_check(const char *path, struct error *err)
{
    _cleanup_(database_closep) struct database *database = NULL;
    if (database_open_readonly(path, &database, err) != 0)
        return -1;
    struct graph graph = {0};
    int rc = database_integrity(database, err);
    if (rc == 0)
        rc = database_each(database, SQL_CHECK_REFERENCES, check_references, NULL, err);
    if (rc == 0)
        rc = graph_load(&graph, database, err);
    graph_clear(&graph);
    return rc == 0 ? 0 : error_prefix(err, "%s", path);
}

int maintenance_back_up(const char *path, const char *copy, struct error *err)
{
    _cleanup_(database_closep) struct database *database = NULL;
    if (database_open_readonly(path, &database, err) != 0)
        return -1;
    return database_backup(database, copy, err);
}
