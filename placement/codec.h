/*
 * codec: Placement's JSON to and from the model, one function a type and direction,
 * shared by client, server and command line. Readers check types and ranges and name
 * the member that is wrong (ERROR_INVALID); they tolerate members that they do not
 * know, since newer servers add some. Out-parameters are written only on success.
 */
#ifndef PLACEMENT_CODEC_H
#define PLACEMENT_CODEC_H

#include "lib/json_read.h"
#include "lib/json_write.h"
#include "placement/model.h"

/* {"uuid", "name", "generation", "root_provider_uuid", "parent_provider_uuid"} as from
 * microversion 1.14 on. */
int codec_read_provider(struct json_object *json, struct provider *out,
                        struct error *err);

/* {"total": 16, "reserved": 0, "min_unit": 1, "max_unit": 16, "step_size": 1,
 * "allocation_ratio": 1.0}: all six as a server answers. */
int codec_read_inventory(struct json_object *json, struct inventory *out,
                         struct error *err);
void codec_write_inventory(struct json_writer *w, const struct inventory *inventory);

#endif
