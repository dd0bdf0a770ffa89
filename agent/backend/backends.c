#include "agent/backend/backends.h"

#include <stddef.h>

#include "agent/backend/fixed_vf.h"
#include "agent/backend/mdev.h"
#include "agent/backend/nvidia_vfio.h"
#include "agent/backend/passthrough.h"
#include "agent/backend/xe_vf.h"

const struct backend *const backends[] = {
    &backend_nvidia_vfio, &backend_fixed_vf,    &backend_xe_vf,
    &backend_mdev,        &backend_passthrough, NULL,
};
