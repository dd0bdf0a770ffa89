/*
 * journal_read: the journal out of the text of its file (agent/state/journal_write.h), of
 * this version and of those before it that can be read. Stateless.
 */
#ifndef AGENT_STATE_JOURNAL_READ_H
#define AGENT_STATE_JOURNAL_READ_H

#include "agent/state/journal.h"

/* INVALID, with what is wrong, for a text that is no journal; UNSUPPORTED when a newer
 * version wrote it. */
int journal_read(const char *text, size_t length, struct journal **out,
                 struct error *err);

#endif
