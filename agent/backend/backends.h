/*
 * backends: the kinds of devices that the agent knows, one line each. A parent belongs
 * to the first kind that adds it. For a card that offers nothing, the first kind with an
 * obstacle() text for it is used. mdev has one for every card, so it is the last.
 */
#ifndef AGENT_BACKEND_BACKENDS_H
#define AGENT_BACKEND_BACKENDS_H

#include "agent/backend/backend.h"

/* Ends with NULL. */
extern const struct backend *const backends[];

#endif
