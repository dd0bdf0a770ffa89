/*
 * allocation_body: what bodies with allocations look like, by microversion. Stateless.
 */
#ifndef PLACEMENT_SERVER_SCHEMA_ALLOCATION_BODY_H
#define PLACEMENT_SERVER_SCHEMA_ALLOCATION_BODY_H

#include "placement/server/schema/schema.h"

/* The body of PUT /allocations/{consumer}, and of POST /allocations, by microversion.
 */
const struct schema *allocation_put_schema(int microversion);
const struct schema *allocation_post_schema(int microversion);
/* The same, but may be empty: in the reshaper. */
const struct schema *allocation_reshape_schema(int microversion);

#endif
