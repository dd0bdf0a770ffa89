/*
 * overview: what a cycle has found, kept until the next one, for those who ask in
 * between: GPUs are in agent/report/gpu_status.h, and here is who has what of them.
 * Where a cycle could not look, what the last one has seen stays. Pure but for
 * allocation.
 */
#ifndef AGENT_REPORT_OVERVIEW_H
#define AGENT_REPORT_OVERVIEW_H

#include "agent/cycle.h"

/* An allocation, as struct allocation_status has it. Strings belong to the struct. */
struct overview_allocation {
    char consumer[UUID_TEXT_SIZE];
    char *gpu, *provider_name, *resource_class;
    int64_t units;
    struct strlist devices; /* those that exist, by the host's names for them */
    enum allocation_state state;
    char *reason; /* NULL: there is nothing to say */
};

/* All zero: no cycle has seen anything. */
struct overview {
    bool known; /* the allocations were read, and the root is the state file's */
    char root_uuid[UUID_TEXT_SIZE]; /* "": Placement has no root provider */
    char *root_name;                /* NULL: Placement was not read yet */
    struct overview_allocation *allocations;
    size_t count;
};

/* To be called after a cycle that could look. */
void overview_note_cycle(struct overview *overview, const struct cycle *cycle);
void overview_clear(struct overview *overview);

#endif
