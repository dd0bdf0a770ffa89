/*
 * report_file: a small file beside the state file, in which the daemon leaves a message
 * for commands of the same boot. Nobody waits for the disk: a guest may be about to start.
 * Stateless.
 */
#ifndef AGENT_REPORT_REPORT_FILE_H
#define AGENT_REPORT_REPORT_FILE_H

#include "lib/error.h"

/* Replaces the file, which only its owner may read. On a full disk it is overwritten in
 * place, where empty lines may follow the text. When that fails too, the file is
 * removed: no report is better than an outdated one. */
int report_file_write(const char *path, const char *text, struct error *err);

#endif
