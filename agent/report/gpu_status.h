/*
 * gpu_status: what is true of each GPU: one list, made by pure functions of a cycle, that
 * every view is written from: `status`, `gpus`, `drain`, /metrics, in text and in JSON.
 * No view decides for itself what a word means:
 *
 * health    what the host shows of the card (enum gpu_health)
 * service   whether somebody new can come onto it, and reason: why not, and what mends
 *           that (agent/plan/service.h)
 * total     units in Placement's inventory, after max_instances
 * used      units that are allocated there
 * reserved  units of total that nobody new gets
 * devices   devices that exist on the card, whoever made them
 *
 * The numbers are those after what the cycle has written; where Placement could not be
 * read they are not known, which is not 0.
 */
#ifndef AGENT_REPORT_GPU_STATUS_H
#define AGENT_REPORT_GPU_STATUS_H

#include "agent/cycle.h"

/* Strings belong to the struct. */
struct gpu_status {
    char *gpu;  /* what a provider stands for: the card; in nova mode the parent */
    char *card; /* the same, or the card of the parent */
    char *provider_name;       /* NULL: it has none, and is to have none */
    char *type_id, *type_name; /* NULL where there is none */
    char *resource_class;      /* NULL: none, or a retired one without inventory */
    enum gpu_health health;
    bool known; /* Placement was read: service and the numbers are true */
    enum gpu_service service;
    char *reason; /* one line; NULL: there is nothing to say */
    bool wrong;   /* and it stands among the problems, too */
    int64_t total, used, reserved;
    unsigned devices;
};

struct gpu_status_list {
    struct gpu_status *items;
    size_t count;
};

/* Those with a provider, in the order of the desired tree, then the retired ones, then
 * the GPUs of the host that nothing is configured for. */
void gpu_status_make(const struct cycle *cycle, struct gpu_status_list *out);
/* One for each card: the sums of its providers, and of what is said of them the first
 * that is not "active". In place. */
void gpu_status_join_cards(struct gpu_status_list *list);
void gpu_status_clear(struct gpu_status_list *list);

#define _cleanup_gpus_ _cleanup_(gpu_status_clear)

#endif
