/*
 * microversion: which version of the API a request wants, from its
 * OpenStack-API-Version header: "placement 1.39", "placement latest", several services
 * separated by commas (the last one for placement counts). Versions are 1.0 to 1.39;
 * here the number after the dot.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_MICROVERSION_H
#define PLACEMENT_SERVER_MESSAGE_MICROVERSION_H

#include "placement/microversion.h"
#include "placement/server/message/reply.h"

/* `header` may be NULL: 1.0. 0, or -1 with the problem in `reply`: 406 for a version
 * that there is not, 400 for what is no version. */
int microversion_parse(const char *header, int *out, struct reply *reply);

#endif
