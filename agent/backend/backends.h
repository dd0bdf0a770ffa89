/*
 * backends: the kinds of devices that the agent knows: one line each. Of a card that
 * offers nothing the first speaks that has something to say; mdev always has, and is the
 * last.
 */
#ifndef AGENT_BACKEND_BACKENDS_H
#define AGENT_BACKEND_BACKENDS_H

#include "agent/backend/backend.h"

/* Ends with NULL. */
extern const struct backend *const backends[];

#endif
