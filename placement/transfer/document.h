/*
 * document: a snapshot as a file: one JSON object with the API's own names,
 *
 *   {"format": "placement-export", "version": 1, "resource_classes": [{"name"}],
 *    "traits": [...],
 *    "resource_providers": [{"uuid", "name", "generation", "root_provider_uuid",
 *      "parent_provider_uuid", "resource_provider_generation", "inventories": {},
 *      "traits": [], "aggregates": []}],
 *    "consumers": [{"uuid", "allocations": {}, "project_id", "user_id",
 *      "consumer_generation", "consumer_type"}]}
 *
 * A type that is not there is unknown. Of its versions:
 * doc/compatibility.rst.
 */
#ifndef PLACEMENT_TRANSFER_DOCUMENT_H
#define PLACEMENT_TRANSFER_DOCUMENT_H

#include "lib/json_read.h"
#include "placement/transfer/snapshot.h"

/* Whether document_write() could make that file, as far as its folder tells, or replace
 * it: an empty one or an earlier document, and nothing else. EXISTS for other files. */
int document_check_place(const char *path, struct error *err);
/* Replaces the file, which only its owner can read. */
int document_write(const char *path, const struct snapshot *snapshot,
                   struct error *err);
/* Each reads into `out`, which is empty before, and the caller's to clear in either case.
 */
int document_parse(struct json_object *json, struct snapshot *out, struct error *err);
int document_read(const char *path, struct snapshot *out, struct error *err);

#endif
