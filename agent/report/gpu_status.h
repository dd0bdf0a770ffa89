/*
 * gpu_status: how each GPU that has a provider stands, after a cycle that could read
 * Placement: what `status` shows and /metrics counts. A pure function of the cycle.
 */
#ifndef AGENT_REPORT_GPU_STATUS_H
#define AGENT_REPORT_GPU_STATUS_H

#include "agent/cycle.h"

enum gpu_service {
    GPU_ACTIVE,
    GPU_DRAINED, /* an operator wants nobody new on it */
    GPU_RETIRED, /* no longer configured */
};

/* Strings belong to the struct. */
struct gpu_status {
    char *gpu; /* in nova mode the parent's name */
    char *provider_name;
    char *type_id, *type_name; /* NULL where there is none */
    char *resource_class;      /* NULL: a retired one without inventory */
    enum gpu_health health;
    enum gpu_service service;
    int64_t total, used, reserved; /* as Placement has them after the cycle */
};

/* In the order of the desired tree, then the retired ones. The caller frees with
 * gpu_status_free(). None where Placement could not be read. */
void gpu_status_list(const struct cycle *cycle, struct gpu_status **out, size_t *count);
void gpu_status_free(struct gpu_status *list, size_t count);

/* "active", "drained", "retired" */
const char *gpu_service_name(enum gpu_service service);

#endif
