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

/* Opens the database for a server, which must be the only one, and creates the file if
 * there is none; ":memory:" has no file. Adds standard names that are missing. INVALID
 * for a file without placementd's tables. */
int database_open(const char *path, struct database **out, struct error *err);
/* Opens read-only, also while a server has the file open. */
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
/* Commits. On failure the transaction is rolled back. IO also when the name of the
 * file, or of its write-ahead log, leads to another file by now (database_file.h): a
 * restart would not find what was written. */
int database_commit(struct database *database, struct error *err);
void database_rollback(struct database *database);

/* Writes one row, to find out whether writes reach the disk again. */
int database_try(struct database *database, struct error *err);

/* Copies the write-ahead log into the tables and truncates it (a checkpoint), unless
 * another program is reading. Until then changes are in the log only. */
int database_fold(struct database *database, struct error *err);
/* The size of the write-ahead log at the last commit, in bytes. */
int64_t database_log_size(const struct database *database);

/* Copies the database, as it is at one moment, into a new file that only its owner can
 * read. EXISTS when the name is taken. */
int database_backup(struct database *database, const char *path, struct error *err);

/* Runs SQLite's integrity check. 0, or -1 with its first line. */
int database_integrity(struct database *database, struct error *err);

#endif
