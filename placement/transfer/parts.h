/*
 * parts: the JSON of what only a transfer reads or writes whole, as the API has it and the
 * document takes it over. Readers check all types, as in placement/codec.h.
 */
#ifndef PLACEMENT_TRANSFER_PARTS_H
#define PLACEMENT_TRANSFER_PARTS_H

#include "lib/json_read.h"
#include "lib/json_write.h"
#include "placement/transfer/snapshot.h"

/* {"aggregates": [uuid, ...]}. Sorted. A uuid stays as it is written. */
int parts_read_aggregates(struct json_object *json, struct strlist *out,
                          struct error *err);
/* {"resource_classes": [{"name": "VGPU"}, ...]}. Sorted. */
int parts_read_classes(struct json_object *json, struct strlist *out,
                       struct error *err);

/* A consumer's uuid stays as it is written. POST /allocations takes any 36 hexadecimal
 * digits and hyphens, in either case, and knows the consumer by that spelling alone (on
 * MariaDB by either case). */
int parts_read_consumer_uuid(const char *text, char out[UUID_TEXT_SIZE],
                             struct error *err);
/* Of GET /resource_providers/{uuid}/allocations, who has them: adds the uuids. */
int parts_read_users(struct json_object *json, struct strlist *out, struct error *err);

/* {"allocations": {provider: {"resources": {"VGPU": 1}}}, "project_id", "user_id",
 * "consumer_generation", "consumer_type"}, as GET /allocations/{consumer} answers since
 * 1.28, with the type since 1.38. Without allocations there are no other members. `out`
 * is all zero but for its uuid, and the caller's to clear in either case. */
int parts_read_consumer(struct json_object *json, struct snapshot_consumer *out,
                        struct error *err);
/* Whether PUT /allocations/{uuid} is about that consumer: it takes the uuid in the path for
 * the same one in lower case. */
bool parts_can_put(const struct snapshot_consumer *consumer);
/* The same members, in an object that the caller began, as PUT takes them. `generation`
 * NULL: null, of a consumer that is new there. `typed`: with the type, where it has one.
 */
void parts_write_consumer(struct json_writer *w,
                          const struct snapshot_consumer *consumer,
                          const int64_t *generation, bool typed);

#endif
