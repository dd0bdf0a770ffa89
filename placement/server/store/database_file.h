/*
 * database_file: the database as a file: made whole, locked for one server, and
 * watched: SQLite goes on writing into a file that was deleted or replaced, and what it
 * writes there is gone with the process. The same is true of the write-ahead log beside
 * it.
 *
 * One thread.
 */
#ifndef PLACEMENT_SERVER_STORE_DATABASE_FILE_H
#define PLACEMENT_SERVER_STORE_DATABASE_FILE_H

#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/error.h"

struct database_file;

/* Creates `path` with this content unless it exists. After a crash there is no file or
 * the whole. 0 also when it exists already. */
int database_file_make(const char *path, const void *image, size_t length,
                       struct error *err);

/* Locks the file as long as the struct lives, with flock(2), which SQLite does not use:
 * a second server would not see in its memory what this one writes, and other programs
 * may still read. BUSY when another server has it. */
int database_file_open(const char *path, struct database_file **out, struct error *err);
void database_file_free(struct database_file *file);
DEFINE_CLEANUP(struct database_file *, database_file_free)

/* Notes which file the write-ahead log is, once SQLite has it open. */
int database_file_know_log(struct database_file *file, struct error *err);

/* Checks that both names still lead to the files that were opened. IO, with what
 * happened and what to do, when they do not. */
int database_file_check(struct database_file *file, struct error *err);

/* The size of the write-ahead log at the last check, in bytes. */
int64_t database_file_log_size(const struct database_file *file);

#endif
