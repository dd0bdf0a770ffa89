/*
 * log_check: whether SQLite's write-ahead log is damaged before its end. SQLite reads
 * the log up to the first frame that is wrong and drops what follows, without a word:
 * right after a crash, which leaves the last transaction in pieces, wrong where the disk
 * or a program has changed what was written long ago.
 *
 * The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
#ifndef PLACEMENT_SERVER_STORE_LOG_CHECK_H
#define PLACEMENT_SERVER_STORE_LOG_CHECK_H

#include "lib/error.h"

/* INVALID where the log of the database `path` goes on, in order and up to its end, behind
 * what is wrong in it, with transactions that are not in the database: a transaction is
 * begun when the one before it is on disk. Without a log, and where only the end is in
 * pieces, 0. Another process may be writing. */
int log_check(const char *path, struct error *err);

#endif
