/*
 * journal_codec: converts the journal to the text of its file and back: one JSON object
 * on one line. Its last member is a checksum of all text before it, so that a torn
 * write, a flipped bit or a manual edit is detected. Stateless.
 */
#ifndef AGENT_STATE_JOURNAL_CODEC_H
#define AGENT_STATE_JOURNAL_CODEC_H

#include "agent/state/journal.h"

/* A new member that an older agent may ignore does not change the version. Version 2
 * has the kind and the address of each device: an agent that ignored them would take a
 * device of another kind for an mdev. Version 1, in which each device is an mdev, can
 * be read. */
#define JOURNAL_VERSION 2
#define JOURNAL_OLDEST_VERSION 1
/* The checksum is the version-5 uuid, in this namespace, of all the text before it. */
#define JOURNAL_CHECKSUM_SPACE "5b1ad2e0-6a0c-4f0e-9a5e-8a3c34a1d7f1"

/* Gives a NUL-terminated text; the caller frees. `length` may be NULL. */
char *journal_write(const struct journal *journal, size_t *length);
/* INVALID, with what is wrong, for a text that is no journal; UNSUPPORTED when a newer
 * version wrote it. */
int journal_read(const char *text, size_t length, struct journal **out,
                 struct error *err);

#endif
