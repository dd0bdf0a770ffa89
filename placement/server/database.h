/*
 * database: the SQLite file. One connection, WAL, synchronous FULL. All SQL is in one
 * table of named statements, prepared at open; values are always bound. The schema has
 * a version; a file that is newer, damaged, or not ours is refused with one line that
 * says so.
 *
 * Errors: INVALID for a file that cannot be used at all; EXHAUSTED when there is no
 * room; FORBIDDEN for a read-only file; IO for the rest. One thread.
 */
#ifndef PLACEMENT_SERVER_DATABASE_H
#define PLACEMENT_SERVER_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "placement/server/sql.h"

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
#define SQL_NULL ((struct sql_value){.type = SQLITE_NULL})

/* Opens, and makes the file if there is none (then `now` is when all standard names
 * were made). */
int database_open(const char *path, int64_t now, struct database **out,
                  struct error *err);
/* For --check and --backup, also while a server has the file open. */
int database_open_readonly(const char *path, struct database **out, struct error *err);
void database_close(struct database *database);
DEFINE_CLEANUP(struct database *, database_close)

/* Runs a statement that gives no rows, in a transaction: the first one begins it. */
#define database_run(database, statement, err, ...)                              \
    database_run_values(                                                         \
        (database), (statement), (err), (const struct sql_value[]){__VA_ARGS__}, \
        sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value))
int database_run_values(struct database *database, enum sql statement,
                        struct error *err, const struct sql_value *values,
                        size_t count);
/* The rowid of the last insert. */
int64_t database_last_id(struct database *database);

/* Calls `row` for each row; stops when it returns -1. */
int database_each(struct database *database, enum sql statement,
                  int (*row)(sqlite3_stmt *row, void *context, struct error *err),
                  void *context, struct error *err);

bool database_in_transaction(const struct database *database);
int database_commit(struct database *database, struct error *err);
void database_rollback(struct database *database);

/* Whether a write succeeds now: writes one row and commits it. */
int database_try(struct database *database, struct error *err);

/* Copies the whole database, as it is at one moment, into a new file. */
int database_backup(struct database *database, const char *path, struct error *err);

#endif
