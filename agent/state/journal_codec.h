/*
 * journal_codec: the journal as the text of its file: one JSON object on one line. Its
 * last member is a checksum over all before it, so that a torn write, a flipped bit or
 * an edit by hand is seen. Stateless.
 */
#ifndef AGENT_STATE_JOURNAL_CODEC_H
#define AGENT_STATE_JOURNAL_CODEC_H

#include "agent/state/journal.h"

/* A member that an older version may pass over does not change it. Version 2 has the kind
 * and the address of each device: a program that passed over them would take a device of
 * another kind for an mdev. Version 1, where each is an mdev, is read. */
#define JOURNAL_VERSION 2
#define JOURNAL_OLDEST_VERSION 1
/* The checksum is the version-5 uuid, in this namespace, of all the text before it. */
#define JOURNAL_CHECKSUM_SPACE "5b1ad2e0-6a0c-4f0e-9a5e-8a3c34a1d7f1"

/* NUL-terminated; the caller frees. `length` may be NULL. */
char *journal_write(const struct journal *journal, size_t *length);
/* INVALID names what is wrong; UNSUPPORTED: a newer version wrote it. */
int journal_read(const char *text, size_t length, struct journal **out,
                 struct error *err);

#endif
