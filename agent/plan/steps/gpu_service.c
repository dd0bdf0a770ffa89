#include "agent/plan/steps/gpu_service.h"

const char *gpu_service_name(enum gpu_service service)
{
    static const char *const names[GPU_SERVICES] = {
        [GPU_ACTIVE] = "active",     [GPU_DRAINED] = "drained",
        [GPU_SICK] = "sick",         [GPU_MISCONFIGURED] = "misconfigured",
        [GPU_CHANGING] = "changing", [GPU_TAKEN] = "taken",
        [GPU_RESERVED] = "reserved", [GPU_UNCLEAN] = "unclean",
        [GPU_WAITING] = "waiting",   [GPU_FOREIGN] = "foreign",
        [GPU_RETIRED] = "retired",   [GPU_EXCLUDED] = "excluded",
        [GPU_DISABLED] = "disabled", [GPU_UNUSED] = "unused",
    };
    return names[service];
}
