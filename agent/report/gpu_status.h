/*
 * gpu_status: the state of each GPU: one list, made by pure functions of a cycle. Every
 * view is written from it: `status`, `gpus`, `drain` and /metrics, in text and in JSON,
 * so that each word means the same everywhere:
 *
 * health    what the host shows of the card (enum gpu_health)
 * service   whether new consumers can get devices of it, and reason: why not, and what
 *           would help (agent/plan/steps/gpu_service.h)
 * total     units in Placement's inventory, after max_instances
 * used      units that are allocated
 * reserved  units of total that no new consumer gets
 * devices   devices that exist on the card, whoever made them
 *
 * The numbers include what the cycle has written. Where Placement could not be read
 * they are not known, which is not 0.
 */
#ifndef AGENT_REPORT_GPU_STATUS_H
#define AGENT_REPORT_GPU_STATUS_H

#include "agent/cycle.h"
#include "agent/report/problems.h"

/* Strings belong to the struct. */
struct gpu_status {
    char *gpu;  /* what the provider stands for: the card; in nova mode the parent */
    char *card; /* the card: `gpu` itself, or that of the parent */
    char *provider_name;       /* NULL: it has no provider and needs none */
    char *type_id, *type_name; /* NULL where there is none */
    bool of_type;              /* the card has several types, and this is one of them */
    char *resource_class;      /* NULL: none, or a retired provider without inventory */
    enum gpu_health health;
    bool known; /* Placement was read: service and the numbers are valid */
    enum gpu_service service;
    char *reason; /* one line; NULL: none */
    bool wrong;   /* the reason is also one of the problems */
    int64_t total, used, reserved;
    int64_t others_reserved; /* as in struct provider_service */
    unsigned devices;
};

struct gpu_status_list {
    struct gpu_status *items;
    size_t count;
};

/* GPUs with a provider, in the order of the desired tree; then those of retired
 * providers; then the GPUs of the host that are not configured. */
void gpu_status_make(const struct cycle *cycle, struct gpu_status_list *out);
/* Adds the problems of GPUs that the host shows although Placement could not be read:
 * those of others are the plan's (cycle_problems()), in the same words. */
void gpu_status_add_problems(const struct gpu_status_list *list,
                             struct problem_list *out);
/* Joins the entries of each card, but for those of its several types, in place: the sums
 * of the numbers, the first service that is not "active", and the first reason. */
void gpu_status_join_cards(struct gpu_status_list *list);
void gpu_status_clear(struct gpu_status_list *list);

#define _cleanup_gpus_ _cleanup_(gpu_status_clear)

#endif
