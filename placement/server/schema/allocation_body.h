/* allocation_body: the schemas of bodies with allocations, by microversion. Stateless.
 */
#ifndef PLACEMENT_SERVER_SCHEMA_ALLOCATION_BODY_H
#define PLACEMENT_SERVER_SCHEMA_ALLOCATION_BODY_H

#include "placement/server/schema/schema.h"

/* The body of PUT /allocations/{consumer}, and of POST /allocations, by microversion.
 */
const struct schema *allocation_put_schema(int microversion);
const struct schema *allocation_post_schema(int microversion);
/* The schema of "allocations" in POST /reshaper, which may be empty. */
const struct schema *allocation_reshape_schema(int microversion);

#endif
