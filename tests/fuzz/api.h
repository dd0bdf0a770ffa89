/*
 * api: the API of placementd on an empty database in memory, as the fuzzers of requests
 * have it.
 */
#ifndef TESTS_FUZZ_API_H
#define TESTS_FUZZ_API_H

#include "placement/server/dispatch.h"

void fuzz_api_start(struct dispatch *api);
/* Undoes what has not been committed, so that each input begins alike. */
void fuzz_api_undo(struct dispatch *api);

#endif
