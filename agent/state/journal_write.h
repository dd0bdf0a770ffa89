/*
 * journal_write: the journal as the text of its file: one JSON object on one line, with
 * a checksum (agent/state/journal_seal.h). What most journals have none of is absent.
 * Stateless.
 */
#ifndef AGENT_STATE_JOURNAL_WRITE_H
#define AGENT_STATE_JOURNAL_WRITE_H

#include "agent/state/journal.h"

/* Gives a NUL-terminated text; the caller frees. `length` may be NULL. */
char *journal_write(const struct journal *journal, size_t *length);

#endif
