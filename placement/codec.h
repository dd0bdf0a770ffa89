/*
 * codec: Placement's JSON to and from the model, one function a type and direction,
 * shared by client, server and command line. Readers check types and ranges and name
 * the member that is wrong (ERROR_INVALID); they tolerate members that they do not
 * know, since newer servers add some. Out-parameters are written only on success; what
 * they give is the caller's.
 */
#ifndef PLACEMENT_CODEC_H
#define PLACEMENT_CODEC_H

#include "lib/json_read.h"
#include "lib/json_write.h"
#include "placement/model.h"

/* A name of a resource class or trait: 1 to 255 of A-Z, 0-9 and '_'. */
bool codec_name_valid(const char *name);

/* {"uuid", "name", "generation", "root_provider_uuid", "parent_provider_uuid"} as from
 * microversion 1.14 on. */
int codec_read_provider(struct json_object *json, struct provider *out,
                        struct error *err);
/* {"resource_providers": [provider, ...]}. In the order of the reply. */
int codec_read_providers(struct json_object *json, struct provider **out, size_t *count,
                         struct error *err);

/* {"total": 16, "reserved": 0, "min_unit": 1, "max_unit": 16, "step_size": 1,
 * "allocation_ratio": 1.0}: all six as a server answers. */
int codec_read_inventory(struct json_object *json, struct inventory *out,
                         struct error *err);
void codec_write_inventory(struct json_writer *w, const struct inventory *inventory);
/* The six members, in an object that the caller began. */
void codec_write_inventory_members(struct json_writer *w,
                                   const struct inventory *inventory);

/* {"inventories": {"VGPU": inventory, ...}, "resource_provider_generation": 3}, as GET
 * answers and PUT sends. Ordered by class. */
int codec_read_inventories(struct json_object *json, struct class_inventory **out,
                           size_t *count, int64_t *generation, struct error *err);
void codec_write_inventories(struct json_writer *w, const struct class_inventory *items,
                             size_t count, int64_t generation);

/* {"traits": [...], "resource_provider_generation": 3}. `generation` NULL: there is
 * none, as in GET /traits. Sorted. */
int codec_read_traits(struct json_object *json, struct strlist *out,
                      int64_t *generation, struct error *err);
void codec_write_traits(struct json_writer *w, const struct strlist *traits,
                        const int64_t *generation);

/* {"allocations": {consumer: {"resources": {"VGPU": 1}}},
 * "resource_provider_generation": 3}. Ordered by consumer, then class. */
int codec_read_provider_allocations(struct json_object *json,
                                    struct provider_allocation **out, size_t *count,
                                    int64_t *generation, struct error *err);

/* {"allocations": {provider: {"resources": {"VGPU": 1}}}} of one consumer, whose uuid
 * the answer does not have: out->consumer stays "". */
int codec_read_consumer_allocations(struct json_object *json,
                                    struct consumer_allocations *out,
                                    struct error *err);

/* {"usages": {"VGPU": 1}}. Ordered by class. */
int codec_read_usages(struct json_object *json, struct class_usage **out, size_t *count,
                      struct error *err);

#endif
