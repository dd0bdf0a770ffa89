/*
 * gpu_types: the types of one GPU: which it supports, which are enabled for it and by
 * whom, and of which it has devices. One list, made by pure functions of a cycle, for
 * `gpus GPU`, `enable` and `disable`.
 */
#ifndef AGENT_REPORT_GPU_TYPES_H
#define AGENT_REPORT_GPU_TYPES_H

#include "agent/cycle.h"

enum type_enabled {
    TYPE_NOT_ENABLED,
    TYPE_BY_FILES,
    TYPE_AT_RUN_TIME, /* by an operator, and not by the files */
    TYPE_DISABLED,    /* by an operator */
};

/* Strings belong to the struct. */
struct gpu_type {
    char *type; /* as it is enabled; else its id */
    char *id;   /* NULL: the GPU does not offer it, now or at all */
    char *name; /* NULL: there is none */
    enum type_enabled enabled;
    bool of_files; /* the files enable it, whatever an operator says */
    bool seen;     /* the GPU's devices can be seen: `devices` is valid */
    /* Of the type, on the GPU, whoever made them; where they are there whoever has them
     * (struct backend's `permanent`), those that somebody has. */
    unsigned devices;
    bool known;               /* Placement was read: the next four are valid */
    enum gpu_service service; /* GPU_UNUSED: it is not enabled */
    char *reason;             /* one line; NULL: none */
    int64_t total, used;      /* also what is left on the GPU's own provider */
};

struct gpu_type_list {
    struct gpu_type *items;
    size_t count;
};

/* In the order of the configuration, then what operators have enabled, then what the
 * GPU offers. `name` is the GPU's; it need not be on the host. */
void gpu_types_make(const struct cycle *cycle, const char *name,
                    struct gpu_type_list *out);
/* "no", "file", "run time", "disabled" */
const char *type_enabled_name(enum type_enabled enabled);
void gpu_types_clear(struct gpu_type_list *list);

#define _cleanup_gpu_types_ _cleanup_(gpu_types_clear)

#endif
