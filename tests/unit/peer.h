/*
 * peer: an HTTP server that says what a test tells it to, in order, one answer a
 * request, on a port of 127.0.0.1 that the kernel chose; and that remembers what it was
 * asked. One thread of its own; a test may queue and look at any time. Once the queue
 * is empty it answers 599, so that a request too many shows.
 */
#ifndef TESTS_UNIT_PEER_H
#define TESTS_UNIT_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/cleanup.h"

struct peer;

struct peer *peer_new(void);
void peer_free(struct peer *peer);
DEFINE_CLEANUP(struct peer *, peer_free)

/* "http://127.0.0.1:PORT" */
const char *peer_url(const struct peer *peer);

/* ---- the next answer ---- */

/* A whole reply. `headers` are "Name: value\r\n" lines, or NULL. */
void peer_reply(struct peer *peer, unsigned status, const char *headers,
                const char *body);
/* 200 with a JSON body. */
void peer_ok(struct peer *peer, const char *body);
/* These bytes as they are, then the connection is closed. */
void peer_raw(struct peer *peer, const char *bytes);
/* 200 and a body of that many bytes, announced with Content-Length or not. */
void peer_flood(struct peer *peer, size_t length, bool announced);
/* Nothing, for ever. */
void peer_silence(struct peer *peer);

/* Drops what is queued. */
void peer_clear(struct peer *peer);

/* ---- what it was asked ---- */

size_t peer_request_count(struct peer *peer);
/* Head and body of a request; "" when there was none such. Valid until peer_free(). */
const char *peer_request(struct peer *peer, size_t index);
/* Its first line without the HTTP version: "GET /traits". The caller frees. */
char *peer_request_line(struct peer *peer, size_t index);
size_t peer_connection_count(struct peer *peer);

#endif
