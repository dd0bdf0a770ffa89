/*
 * backends: the kinds of devices that the agent knows, one line each. A parent belongs
 * to the first kind that adds it. For a card that offers nothing, the first kind with an
 * obstacle() text for it is used. mdev has one for every card that has no parent, so
 * that no kind with such texts comes after it. passthrough is the last: a card that is
 * configured to go whole belongs to another kind as long as it has devices of that.
 */
#ifndef AGENT_BACKEND_BACKENDS_H
#define AGENT_BACKEND_BACKENDS_H

#include "agent/backend/backend.h"

/* Ends with NULL. */
extern const struct backend *const backends[];

#endif
