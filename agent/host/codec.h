/*
 * codec: a struct host as bytes and back, between a process and a child that it
 * has forked: both are the same program at the same moment, so these bytes are for
 * nobody else, and nothing to keep.
 */
#ifndef AGENT_HOST_CODEC_H
#define AGENT_HOST_CODEC_H

#include "agent/host/host.h"
#include "lib/error.h"

/* The caller frees. */
char *host_pack(const struct host *host, size_t *length);
/* INVALID when these are not all the bytes that host_pack() gave. */
int host_unpack(const char *bytes, size_t length, struct host **out, struct error *err);

#endif
