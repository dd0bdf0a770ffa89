/*
 * uuid: identifiers as text, on libuuid. Always 36 lower-case characters with dashes.
 * Stateless.
 */
#ifndef LIB_UUID_H
#define LIB_UUID_H

#include <stdbool.h>

#define UUID_TEXT_SIZE 37

/* Parses a uuid with dashes, in either case; `out` gets it in lower case. False when
 * `text` is none, and `out` stays untouched. */
bool uuid_parse_text(const char *text, char out[UUID_TEXT_SIZE]);

/* The version-5 (SHA-1) uuid of `name` in the namespace `space`, as RFC 4122 and
 * Python's uuid5 have it. `space` must be a valid uuid; `out` may be the same memory.
 */
void uuid5_text(const char *space, const char *name, char out[UUID_TEXT_SIZE]);

/* Copies a uuid, or "" where there is none. Longer text is a bug, and aborts; no memory
 * is ever written beyond `to`. */
void uuid_text_copy(char to[UUID_TEXT_SIZE], const char *from);

/* A random (version 4) uuid. */
void uuid4_text(char out[UUID_TEXT_SIZE]);

#endif
