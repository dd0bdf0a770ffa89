#include "agent/backend/backends.h"

#include <stddef.h>

#include "agent/backend/mdev.h"

const struct backend *const backends[] = {
    &backend_mdev,
    NULL,
};
