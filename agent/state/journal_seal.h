/*
 * journal_seal: what stands at the beginning and at the end of the journal's file beside
 * its content: the version, and the checksum of all text before it, by which a torn
 * write, a flipped bit or a manual edit is detected. Stateless.
 */
#ifndef AGENT_STATE_JOURNAL_SEAL_H
#define AGENT_STATE_JOURNAL_SEAL_H

#include <stddef.h>

#include "lib/error.h"

/* A new member that an older agent may ignore does not change the version. Version 2
 * has the kind and the address of each device: an agent that ignored them would take a
 * device of another kind for an mdev. Version 1, in which each device is an mdev, can
 * be read. */
#define JOURNAL_VERSION 2
#define JOURNAL_OLDEST_VERSION 1
/* The checksum is the version-5 uuid, in this namespace, of all the text before it. */
#define JOURNAL_CHECKSUM_SPACE "5b1ad2e0-6a0c-4f0e-9a5e-8a3c34a1d7f1"

/* `body` is the JSON object without its closing brace. Gives the whole text of the file;
 * the caller frees. */
char *journal_seal(const char *body);
/* INVALID when the checksum is not that of the text, which contains no NUL. */
int journal_check_seal(const char *text, size_t length, struct error *err);

#endif
