/*
 * uuid_like: uuids in the loose forms that upstream takes in paths, queries and bodies
 * (oslo.utils' is_uuid_like() and Python's uuid.UUID). lib/uuid has the strict form.
 * Stateless.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_UUID_LIKE_H
#define PLACEMENT_SERVER_MESSAGE_UUID_LIKE_H

#include <stdbool.h>

#include "lib/uuid.h"

/* Any form that Python's uuid.UUID takes: dashes anywhere or none, either case,
 * "{...}", "urn:uuid:". `out` (may be NULL) gets the usual form. */
bool uuid_like(const char *text, char out[UUID_TEXT_SIZE]);

#endif
