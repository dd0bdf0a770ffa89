/*
 * report_file: a small file beside the state file by which the daemon says something to
 * commands. Stateless.
 */
#ifndef AGENT_REPORT_REPORT_FILE_H
#define AGENT_REPORT_REPORT_FILE_H

#include "lib/error.h"

/* Replaces the file, for its owner alone. On a full disk it is written over in its place,
 * where empty lines may follow the text; else it is taken away: no report is better than
 * one that is not true any more. */
int report_file_write(const char *path, const char *text, struct error *err);

#endif
