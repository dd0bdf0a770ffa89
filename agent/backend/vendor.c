#include "agent/backend/vendor.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/folder.h"
#include "lib/xalloc.h"

#define NVIDIA_CAPABILITIES "proc/driver/nvidia/capabilities"

/* The names in a folder that begin with `prefix`; a folder that is absent has none. -1:
 * it could not be listed. */
static int count_names(int dirfd, const char *path, const char *prefix)
{
    _cleanup_folder_ DIR *folder = folder_open_list(dirfd, path);
    int errnum = folder ? 0 : errno, count = 0;
    const char *name;
    while (folder && (name = folder_next(folder, &errnum)))
        count += strncmp(name, prefix, strlen(prefix)) == 0;
    return errnum && !errno_is_gone(errnum) ? -1 : count;
}

/* capabilities/gpu<minor>/mig/gi<number>, a folder for each GPU instance. */
static int count_gpu_instances(int root)
{
    _cleanup_folder_ DIR *folder = folder_open_list(root, NVIDIA_CAPABILITIES);
    int errnum, count = 0;
    const char *name;
    if (!folder)
        return -1;
    while ((name = folder_next(folder, &errnum))) {
        if (strncmp(name, "gpu", 3) != 0)
            continue;
        _cleanup_free_ char *path = xasprintf("%s/mig", name);
        int instances = count_names(dirfd(folder), path, "gi");
        if (instances < 0)
            return -1;
        count += instances;
    }
    return errnum ? -1 : count;
}

static const struct vendor vendors[] = {
    {.id = 0x10de,
     .name = "NVIDIA",
     .driver = "nvidia",
     .rival = "nouveau",
     .daemons = {{"nvidia-vgpud", .may_end = true}, {"nvidia-vgpu-mgr"}},
     .partition = "MIG",
     .count_partitions = count_gpu_instances},
};

const struct vendor *vendor_find(uint16_t id)
{
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
        if (vendors[i].id == id)
            return &vendors[i];
    return NULL;
}
