/*
 * backends: the kinds of devices that the agent knows: one line each. Which comes first
 * does not matter to the scan.
 */
#ifndef AGENT_BACKEND_BACKENDS_H
#define AGENT_BACKEND_BACKENDS_H

#include "agent/backend/backend.h"

/* Ends with NULL. */
extern const struct backend *const backends[];

#endif
