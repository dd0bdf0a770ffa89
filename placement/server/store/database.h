/*
 * database: the SQLite file. One connection, WAL, synchronous FULL. All SQL is in one
 * table of named statements (sql.h), prepared at open; values are always bound. The
 * schema has a version; a file that is newer, damaged, or not ours is refused with one
 * line that says so.
 *
 * Errors: INVALID for a file that cannot be used at all; EXHAUSTED when there is no
 * room; FORBIDDEN for a read-only file; BUSY when another process has it; IO for the
 * rest. One thread.
 */
#ifndef PLACEMENT_SERVER_STORE_DATABASE_H
#define PLACEMENT_SERVER_STORE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "placement/server/store/sql.h"

struct database;

/* A value to bind, made by the macros below. */
struct sql_value {
    int type; /* SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_NULL */
    int64_t integer;
    double real;
    const char *text;
};
#define SQL_INT(i) ((struct sql_value){.type = SQLITE_INTEGER, .integer = (i)})
#define SQL_REAL(r) ((struct sql_value){.type = SQLITE_FLOAT, .real = (r)})
#define SQL_TEXT(t) ((struct sql_value){.type = SQLITE_TEXT, .text = (t)})
/* NULL, where `id` is 0 */
#define SQL_ID(id) \
    ((struct sql_value){.type = (id) ? SQLITE_INTEGER : SQLITE_NULL, .integer = (id)})

/* Opens for the server alone, and makes the file if there is none; ":memory:" is none.
 * Standard names that it lacks are added. INVALID for a file that is there but has no
 * tables of ours. */
int database_open(const char *path, struct database **out, struct error *err);
/* Only to look, also while a server has the file open. */
int database_open_readonly(const char *path, struct database **out, struct error *err);
void database_close(struct database *database);
DEFINE_CLEANUP(struct database *, database_close)

/* Runs a statement that gives no rows, in a transaction: the first one begins it. */
#define database_run(database, statement, err, ...)                                 \
    database_run_values(                                                            \
        (database), (statement), (const struct sql_value[]){__VA_ARGS__},           \
        sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value), \
        (err))
int database_run_values(struct database *database, enum sql statement,
                        const struct sql_value *values, size_t count,
                        struct error *err);
/* The rowid of the last insert. */
int64_t database_last_id(const struct database *database);

/* Calls `take` for each row of a statement without values; stops when it gives -1. */
int database_each(struct database *database, enum sql statement,
                  int (*take)(sqlite3_stmt *row, void *context, struct error *err),
                  void *context, struct error *err);

bool database_in_transaction(const struct database *database);
/* When it fails the transaction is undone. IO also when the file, or its write-ahead
 * log, is not the one any more that its name leads to (database_file.h): a restart
 * would not find what was written. */
int database_commit(struct database *database, struct error *err);
void database_rollback(struct database *database);

/* Whether a write reaches the disk now: writes one row. */
int database_try(struct database *database, struct error *err);

/* Folds the write-ahead log into the tables and cuts it to nothing, as far as nobody
 * else is reading. Until then what was written stands in the log alone. */
int database_fold(struct database *database, struct error *err);
/* Bytes of the write-ahead log at the last commit. */
int64_t database_log_size(const struct database *database);

/* Copies all, as it is at one moment, into a new file, which only its owner can read.
 * EXISTS when there is anything of that name. */
int database_backup(struct database *database, const char *path, struct error *err);

/* Damage that SQLite itself finds: 0, or -1 with the first line of it. */
int database_integrity(struct database *database, struct error *err);

#endif
