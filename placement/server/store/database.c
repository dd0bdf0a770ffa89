#include "placement/server/store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/files.h"
#include "lib/user.h"
#include "lib/xalloc.h"
#include "placement/server/store/database_file.h"
#include "placement/server/store/log_check.h"
#include "placement/server/store/standard_names.h"

#define MEMORY ":memory:"

struct database {
    sqlite3 *connection;
    sqlite3_stmt *statements[SQL_STATEMENT_COUNT];
    bool in_transaction;
    struct database_file *file; /* NULL: in memory, or only read */
};

/* ---- errors ---- */

static enum error_code code_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ERROR_EXHAUSTED;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERROR_FORBIDDEN;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERROR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
        return ERROR_INVALID;
    default:
        return ERROR_IO;
    }
}

static int failed(const struct database *database, int rc, struct error *err)
{
    return error_set(err, code_of(rc), "database: %s",
                     sqlite3_errmsg(database->connection));
}

/* ---- opening ---- */

static int execute(struct database *database, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(database->connection, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : failed(database, rc, err);
}

/* Reads the first column of the first row of a PRAGMA: a number, or a text, which is
 * copied. */
static int ask(struct database *database, const char *sql, int64_t *number, char **text,
               struct error *err)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(database->connection, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW && number)
        *number = sqlite3_column_int64(statement, 0);
    if (rc == SQLITE_ROW && text)
        *text = xstrdup((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? 0 : failed(database, rc, err);
}

int database_integrity(struct database *database, struct error *err)
{
    _cleanup_free_ char *verdict = NULL;
    if (ask(database, "PRAGMA quick_check(1)", NULL, &verdict, err) != 0)
        return -1;
    if (!verdict || strcmp(verdict, "ok") != 0)
        return error_set(err, ERROR_INVALID, "the file is damaged: %s",
                         verdict ? verdict : "no verdict");
    return 0;
}

/* Checks that the file is placementd's, and not of a newer release. *version is 0 for
 * an empty file. */
static int check_version(struct database *database, int64_t *version, struct error *err)
{
    int64_t application, tables;
    if (ask(database, "PRAGMA application_id", &application, NULL, err) != 0 ||
        ask(database, "PRAGMA user_version", version, NULL, err) != 0 ||
        ask(database, "SELECT count(*) FROM sqlite_master", &tables, NULL, err) != 0)
        return -1;
    if (application == 0 && *version == 0 && tables == 0)
        return 0;
    if (application != SQL_APPLICATION_ID)
        return error_set(err, ERROR_INVALID,
                         "it is another program's database (application_id %lld)",
                         (long long)application);
    if (*version > SQL_SCHEMA_VERSION)
        return error_set(err, ERROR_INVALID,
                         "its schema has version %lld, this program knows up to %d: it "
                         "was written by a newer placementd",
                         (long long)*version, SQL_SCHEMA_VERSION);
    return 0;
}

static int create_schema(struct database *database, struct error *err)
{
    _cleanup_free_ char *sql =
        xasprintf("BEGIN IMMEDIATE; %s PRAGMA application_id = %d;"
                  " PRAGMA user_version = %d; COMMIT;",
                  sql_schema, SQL_APPLICATION_ID, SQL_SCHEMA_VERSION);
    return execute(database, sql, err);
}

/* Adds the standard names that this release knows and the file does not have. */
static int add_standard_names(struct database *database, struct error *err)
{
    for (int64_t i = 0; standard_classes[i]; i++)
        if (database_run(database, SQL_ADD_STANDARD_CLASS, err, SQL_INT(i),
                         SQL_TEXT(standard_classes[i])) != 0)
            return -1;
    for (size_t i = 0; standard_traits[i]; i++)
        if (database_run(database, SQL_ADD_STANDARD_TRAIT, err,
                         SQL_TEXT(standard_traits[i])) != 0)
            return -1;
    return database_commit(database, err);
}

static int prepare_all(struct database *database, struct error *err)
{
    for (int i = 0; i < SQL_STATEMENT_COUNT; i++) {
        int rc = sqlite3_prepare_v3(database->connection, sql_texts[i], -1,
                                    SQLITE_PREPARE_PERSISTENT, &database->statements[i],
                                    NULL);
        if (rc != SQLITE_OK)
            return failed(database, rc, err);
    }
    return 0;
}

static int connect_file(const char *path, int flags, struct database **out,
                        struct error *err)
{
    struct database *database = xcalloc(1, sizeof *database);
    int rc = sqlite3_open_v2(path, &database->connection, flags, NULL);
    if (rc != SQLITE_OK) {
        /* SQLite gives a connection even on failure, for the message. */
        const char *why = database->connection ? sqlite3_errmsg(database->connection)
                                               : sqlite3_errstr(rc);
        int failure = error_set(err, code_of(rc), "%s", why);
        database_close(database);
        return failure;
    }
    sqlite3_extended_result_codes(database->connection, 1);
    *out = database;
    return 0;
}

/* Makes a new database in memory and writes it as a whole, so that a file without
 * tables is never a new database that was interrupted. */
static int make_file(const char *path, struct error *err)
{
    if (access(path, F_OK) == 0)
        return 0;
    _cleanup_(database_closep) struct database *fresh = NULL;
    if (connect_file(MEMORY, SQLITE_OPEN_READWRITE, &fresh, err) != 0 ||
        create_schema(fresh, err) != 0)
        return -1;
    sqlite3_int64 length;
    unsigned char *image = sqlite3_serialize(fresh->connection, "main", &length, 0);
    if (!image)
        return error_set(err, ERROR_IO, "the tables cannot be made in memory");
    int rc = database_file_make(path, image, (size_t)length, err);
    sqlite3_free(image);
    return rc;
}

static int setup(struct database *database, struct error *err)
{
    _cleanup_free_ char *mode = NULL;
    if (ask(database, "PRAGMA journal_mode = WAL", NULL, &mode, err) != 0)
        return -1;
    if (execute(database,
                "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
                "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
                /* In pages: a checkpoint every 16 MiB, since each takes two more
                 * flushes, and pages that change often are written only once. */
                "PRAGMA wal_autocheckpoint = 4096;"
                /* When another reader has held up a checkpoint and the log has grown,
                 * it is truncated by the next one. */
                "PRAGMA journal_size_limit = 16777216;",
                err) != 0)
        return -1;
    if (database_integrity(database, err) != 0 || prepare_all(database, err) != 0)
        return -1;
    return add_standard_names(database, err);
}

static int open_memory(struct database **out, struct error *err)
{
    if (connect_file(MEMORY, SQLITE_OPEN_READWRITE, out, err) != 0)
        return -1;
    return create_schema(*out, err) != 0 ? -1 : setup(*out, err);
}

/* A file without placementd's tables is not treated as new: it may be the rest of a
 * database whose write-ahead log was deleted, or that was truncated. */
static int check_tables(struct database *database, struct error *err)
{
    int64_t version;
    if (check_version(database, &version, err) != 0)
        return -1;
    return version > 0
               ? 0
               : error_set(err, ERROR_INVALID,
                           "no tables of placementd in it; put a backup there, "
                           "or remove the file to begin with an empty database");
}

/* SQLite says no more than that it is unable to open it. */
static int check_place(const char *path, struct error *err)
{
    struct stat st;
    _cleanup_free_ char *user = user_name(geteuid());
    if (file_check_folder(path, err) != 0)
        return -1;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return error_set(err, ERROR_INVALID, "not a regular file");
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0 && errno == EACCES)
        return error_set(err, ERROR_FORBIDDEN, "the user %s may not read and write it",
                         user);
    return 0;
}

static int open_file(const char *path, struct database **out, struct error *err)
{
    if (check_place(path, err) != 0)
        return -1;
    if (make_file(path, err) != 0 ||
        connect_file(path, SQLITE_OPEN_READWRITE, out, err) != 0)
        return -1;
    struct database *database = *out;
    if (database_file_open(path, &database->file, err) != 0 ||
        log_check(path, err) != 0 || check_tables(database, err) != 0 ||
        setup(database, err) != 0 || database_file_know_log(database->file, err) != 0)
        return -1;
    return database_fold(database, err);
}

int database_open(const char *path, struct database **out, struct error *err)
{
    _cleanup_(database_closep) struct database *database = NULL;
    int rc = strcmp(path, MEMORY) == 0 ? open_memory(&database, err)
                                       : open_file(path, &database, err);
    if (rc != 0)
        return error_prefix(err, "%s", path);
    *out = steal(database);
    return 0;
}

int database_open_readonly(const char *path, struct database **out, struct error *err)
{
    _cleanup_(database_closep) struct database *database = NULL;
    if (access(path, R_OK) != 0)
        return error_set_errno(err, errno, "%s", path);
    if (connect_file(path, SQLITE_OPEN_READONLY, &database, err) != 0 ||
        log_check(path, err) != 0 || check_tables(database, err) != 0 ||
        prepare_all(database, err) != 0)
        return error_prefix(err, "%s", path);
    *out = steal(database);
    return 0;
}

void database_close(struct database *database)
{
    for (int i = 0; i < SQL_STATEMENT_COUNT; i++)
        sqlite3_finalize(database->statements[i]);
    sqlite3_close(database->connection);
    /* After SQLite: closing any descriptor of a file drops all POSIX locks of the
     * process on it. */
    database_file_free(database->file);
    free(database);
}

/* ---- statements ---- */

static int step(struct database *database, enum sql statement, struct error *err)
{
    sqlite3_stmt *prepared = database->statements[statement];
    int rc = sqlite3_step(prepared);
    if (rc == SQLITE_DONE) {
        sqlite3_reset(prepared);
        return 0;
    }
    failed(database, rc, err);
    sqlite3_reset(prepared);
    return -1;
}

static void bind(sqlite3_stmt *prepared, int at, const struct sql_value *value)
{
    switch (value->type) {
    case SQLITE_INTEGER:
        sqlite3_bind_int64(prepared, at, value->integer);
        break;
    case SQLITE_FLOAT:
        sqlite3_bind_double(prepared, at, value->real);
        break;
    case SQLITE_TEXT:
        sqlite3_bind_text(prepared, at, value->text, -1, SQLITE_STATIC);
        break;
    default:
        sqlite3_bind_null(prepared, at);
    }
}

int database_run_values(struct database *database, enum sql statement,
                        const struct sql_value *values, size_t count, struct error *err)
{
    if (!database->in_transaction) {
        if (step(database, SQL_BEGIN, err) != 0)
            return -1;
        database->in_transaction = true;
    }
    for (size_t i = 0; i < count; i++)
        bind(database->statements[statement], (int)i + 1, &values[i]);
    return step(database, statement, err);
}

int64_t database_last_id(const struct database *database)
{
    return sqlite3_last_insert_rowid(database->connection);
}

int database_each(struct database *database, enum sql statement,
                  int (*take)(sqlite3_stmt *row, void *context, struct error *err),
                  void *context, struct error *err)
{
    sqlite3_stmt *prepared = database->statements[statement];
    int rc, taken = 0;
    while (taken == 0 && (rc = sqlite3_step(prepared)) == SQLITE_ROW)
        taken = take(prepared, context, err);
    if (taken == 0 && rc != SQLITE_DONE)
        taken = failed(database, rc, err);
    sqlite3_reset(prepared);
    return taken;
}

bool database_in_transaction(const struct database *database)
{
    return database->in_transaction;
}

void database_rollback(struct database *database)
{
    /* After some errors SQLite has rolled back already. */
    if (database->in_transaction && !sqlite3_get_autocommit(database->connection))
        step(database, SQL_ROLLBACK, NULL);
    database->in_transaction = false;
}

static int check_file(struct database *database, struct error *err)
{
    return database->file ? database_file_check(database->file, err) : 0;
}

/* The file is checked after the commit: only what is in the file that a restart finds
 * counts as written. */
int database_commit(struct database *database, struct error *err)
{
    if (!database->in_transaction)
        return 0;
    if (check_file(database, err) != 0 || step(database, SQL_COMMIT, err) != 0) {
        database_rollback(database);
        return -1;
    }
    database->in_transaction = false;
    return check_file(database, err);
}

int database_fold(struct database *database, struct error *err)
{
    int rc = sqlite3_wal_checkpoint_v2(database->connection, NULL,
                                       SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    /* BUSY: another program is reading, and a later call will succeed. */
    return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY ? 0
                                                         : failed(database, rc, err);
}

int64_t database_log_size(const struct database *database)
{
    return database->file ? database_file_log_size(database->file) : 0;
}

int database_try(struct database *database, struct error *err)
{
    if (database_run_values(database, SQL_TOUCH, NULL, 0, err) == 0)
        return database_commit(database, err);
    database_rollback(database);
    return -1;
}

/* ---- backup ---- */

/* Creates an empty file that only its owner can read. Nothing that exists is
 * overwritten, not through a symbolic link either. */
static int make_empty(const char *path, struct error *err)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        return 0;
    return errno == EEXIST ? error_set(err, ERROR_EXISTS, "%s: exists already", path)
                           : error_set_errno(err, errno, "%s", path);
}

static int copy_to(struct database *database, const char *path, struct error *err)
{
    _cleanup_(database_closep) struct database *copy = NULL;
    if (connect_file(path, SQLITE_OPEN_READWRITE, &copy, err) != 0)
        return -1;
    sqlite3_backup *backup =
        sqlite3_backup_init(copy->connection, "main", database->connection, "main");
    if (backup) {
        sqlite3_backup_step(backup, -1);
        sqlite3_backup_finish(backup);
    }
    int rc = sqlite3_errcode(copy->connection);
    return rc == SQLITE_OK ? 0 : failed(copy, rc, err);
}

int database_backup(struct database *database, const char *path, struct error *err)
{
    if (make_empty(path, err) != 0)
        return -1;
    if (copy_to(database, path, err) == 0)
        return 0;
    unlink(path);
    return error_prefix(err, "%s", path);
}
