/*
 * codec: converts a struct host to bytes and back, for a process and the child that it
 * has forked. Both run the same program, so the format is not stable: it is not for
 * files or for other programs.
 */
#ifndef AGENT_HOST_CODEC_H
#define AGENT_HOST_CODEC_H

#include "agent/host/host.h"
#include "lib/error.h"

/* The caller frees. */
char *host_pack(const struct host *host, size_t *length);
/* INVALID when the bytes are not exactly what host_pack() gave. */
int host_unpack(const char *bytes, size_t length, struct host **out, struct error *err);

#endif
