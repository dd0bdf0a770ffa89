#include "tests/sim/xe_card.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"

#define PAGE_SIZE ((uint64_t)2 << 20)
#define MIB ((uint64_t)1 << 20)

struct xe_card *xe_card_new(struct card *card, const char *const *names, unsigned count)
{
    struct xe_card *xe = xcalloc(1, sizeof *xe);
    xe->card = card;
    xe->count = count;
    xe->functions = xcalloc(count, sizeof *xe->functions);
    for (unsigned i = 0; i < count; i++)
        xe->functions[i] = (struct xe_function){.card = xe, .name = names[i]};
    return xe;
}

void xe_card_free(struct xe_card *xe)
{
    if (!xe)
        return;
    free(xe->functions);
    free(xe);
}

static uint64_t memory_of(const struct xe_card *xe)
{
    return xe->card->model->vram * MIB;
}

struct xe_function *xe_card_function(struct xe_card *xe, const char *name)
{
    for (unsigned i = 0; i < xe->count; i++)
        if (strcmp(xe->functions[i].name, name) == 0)
            return &xe->functions[i];
    return NULL;
}

/* What the other functions leave. */
static uint64_t room_for(const struct xe_function *function)
{
    const struct xe_card *xe = function->card;
    uint64_t left = memory_of(xe);
    for (unsigned i = 0; i < xe->count; i++)
        if (&xe->functions[i] != function)
            left -= xe->functions[i].quota;
    return left;
}

/* ---- stores ---- */

static int read_number(const char *data, size_t length, uint64_t *out)
{
    char text[32], *rest;
    if (length == 0 || length >= sizeof text || memchr(data, 0, length))
        return -EINVAL;
    memcpy(text, data, length);
    text[length] = 0;
    *out = strtoull(text, &rest, 0);
    return text[0] < '0' || text[0] > '9' || (*rest && strcmp(rest, "\n") != 0)
               ? -EINVAL
               : 0;
}

static int refusal(const struct xe_function *function, uint64_t quota)
{
    if (function->card->card->lost || function->held)
        return -EIO;
    return quota > room_for(function) ? -ENOSPC : 0;
}

static int change_quota(struct xe_function *function, uint64_t quota)
{
    struct sim *sim = function->card->card->sim;
    const char *card = function->card->card->name;
    int rc = refusal(function, quota);
    if (rc == 0 && quota)
        rc = fault_apply(sim, OPERATION_CREATE, card, function->name);
    else if (rc == 0 && function->quota) {
        rc = fault_apply(sim, OPERATION_REFUSE, card, function->name);
        if (rc == 0) {
            fault_apply(sim, OPERATION_UNLINK, card, function->name);
            fault_apply(sim, OPERATION_REMOVE, card, function->name);
        }
    }
    /* Others may have taken it meanwhile. */
    if (rc == 0)
        rc = refusal(function, quota);
    if (rc == 0)
        function->quota = quota;
    return rc;
}

static int quota_store(void *context, const char *data, size_t length)
{
    struct xe_function *function = context;
    struct sim *sim = function->card->card->sim;
    uint64_t quota;
    int rc = read_number(data, length, &quota);
    if (rc < 0)
        return rc;
    while (function->changing && !sim->stopping)
        sim_wait(sim);
    if (!function->folder)
        return -ENODEV;
    function->changing = true;
    rc = change_quota(function, (quota + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE);
    function->changing = false;
    sim_changed(sim);
    return rc;
}

static int store_time(struct xe_function *function, unsigned long *time,
                      const char *data, size_t length)
{
    uint64_t number;
    int rc = read_number(data, length, &number);
    if (rc == 0 && function->card->card->lost)
        rc = -EIO;
    if (rc == 0)
        *time = (unsigned long)number;
    return rc;
}

static int quantum_store(void *context, const char *data, size_t length)
{
    struct xe_function *function = context;
    return store_time(function, &function->quantum, data, length);
}

static int timeout_store(void *context, const char *data, size_t length)
{
    struct xe_function *function = context;
    return store_time(function, &function->timeout, data, length);
}

static int priority_store(void *context, const char *data, size_t length)
{
    struct xe_card *xe = context;
    bool normal = length >= 6 && strncmp(data, "normal", 6) == 0;
    if (!normal && (length < 3 || strncmp(data, "low", 3) != 0))
        return -EINVAL;
    xe->normal = normal;
    return 0;
}

/* ---- shows ---- */

static int quota_show(void *context, FILE *out)
{
    fprintf(out, "%" PRIu64 "\n", ((const struct xe_function *)context)->quota);
    return 0;
}

static int quantum_show(void *context, FILE *out)
{
    fprintf(out, "%lu\n", ((const struct xe_function *)context)->quantum);
    return 0;
}

static int timeout_show(void *context, FILE *out)
{
    fprintf(out, "%lu\n", ((const struct xe_function *)context)->timeout);
    return 0;
}

static int priority_show(void *context, FILE *out)
{
    const struct xe_function *function = context;
    fputs(function->card->normal ? "low [normal]\n" : "[low] normal\n", out);
    return 0;
}

/* cgroup v2's, for all cards of the host. */
static int capacity_show(void *context, FILE *out)
{
    const struct sim *sim = context;
    for (size_t i = 0; i < sim->card_count; i++)
        if (sim->cards[i]->model->interface == INTERFACE_XE)
            fprintf(out, "drm/%s/vram0 %" PRIu64 "\n", sim->cards[i]->name,
                    sim->cards[i]->model->vram * MIB);
    return 0;
}

/* ---- the driver binds and lets go ---- */

static void add_function(struct xe_card *xe, unsigned index)
{
    static const struct attribute quota = {
        .mode = 0644, .show = quota_show, .store = quota_store};
    static const struct attribute quantum = {
        .mode = 0644, .show = quantum_show, .store = quantum_store};
    static const struct attribute timeout = {
        .mode = 0644, .show = timeout_show, .store = timeout_store};
    static const struct attribute priority = {.mode = 0444, .show = priority_show};
    struct xe_function *function = &xe->functions[index];
    _cleanup_free_ char *name = xasprintf("vf%u", index + 1);
    function->folder = node_directory(xe->folder, name);
    struct node *profile = node_directory(function->folder, "profile");
    node_attribute(profile, "vram_quota", &quota, function);
    node_attribute(profile, "exec_quantum_ms", &quantum, function);
    node_attribute(profile, "preempt_timeout_us", &timeout, function);
    node_attribute(profile, "sched_priority", &priority, function);
}

void xe_card_register(struct xe_card *xe, struct node *node)
{
    static const struct attribute priority = {.mode = 0200, .store = priority_store};
    static const struct attribute capacity = {.mode = 0444, .show = capacity_show};
    struct sim *sim = xe->card->sim;
    struct node *cgroup = node_directory(sim->root, "fs/cgroup");
    if (!node_child(cgroup, "dmem.capacity"))
        node_attribute(cgroup, "dmem.capacity", &capacity, sim);
    xe->folder = node_directory(node, "sriov_admin");
    node_attribute(node_directory(xe->folder, ".bulk_profile"), "sched_priority",
                   &priority, xe);
    for (unsigned i = 0; i < xe->count; i++)
        add_function(xe, i);
}

void xe_card_unregister(struct xe_card *xe)
{
    if (!xe->folder)
        return;
    xe_card_provision(xe, 0);
    node_remove(xe->folder);
    xe->folder = NULL;
    for (unsigned i = 0; i < xe->count; i++)
        xe->functions[i].folder = NULL;
}

void xe_card_provision(struct xe_card *xe, unsigned count)
{
    bool any = false;
    for (unsigned i = 0; i < xe->count && count; i++)
        any |= xe->functions[i].quota != 0;
    uint64_t share = count ? memory_of(xe) / count / PAGE_SIZE * PAGE_SIZE : 0;
    for (unsigned i = 0; i < xe->count && !any; i++)
        xe->functions[i].quota = i < count ? share : 0;
}

void xe_card_enabled(struct xe_card *xe, unsigned index, struct node *node)
{
    if (xe->functions[index].folder)
        node_link(xe->functions[index].folder, "device", node);
}

void xe_card_disable(struct xe_card *xe, unsigned index)
{
    struct xe_function *function = &xe->functions[index];
    struct sim *sim = xe->card->sim;
    while ((function->held || function->changing) && !sim->stopping)
        sim_wait(sim);
    if (!sim->stopping && function->folder)
        node_remove(node_child(function->folder, "device"));
}
