#include "agent/host/container.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/host/sysfs.h"
#include "lib/xalloc.h"

#define PROCESSES "proc/1/ns/pid"
#define HOST_ROOT "proc/1/root"
/* PROC_PID_INIT_INO of include/linux/proc_ns.h: 0xEFFFFFFC. */
#define INITIAL_PID_NAMESPACE "pid:[4026531836]"

/* The host's first process always exists. Where it is hidden (hidepid), other processes
 * are hidden as well. */
static int cannot_see(int errnum, const char *path, struct error *err)
{
    if (errnum == ENOENT)
        return error_set(err, ERROR_FORBIDDEN, "/proc does not show all processes");
    return error_set_errno(err, errnum, "/%s", path);
}

int container_check_processes(int root, struct error *err)
{
    _cleanup_free_ char *namespace = folder_link(root, PROCESSES);
    if (!namespace)
        return cannot_see(errno, PROCESSES, err);
    if (strcmp(namespace, INITIAL_PID_NAMESPACE) == 0)
        return 0;
    return error_set(err, ERROR_FORBIDDEN,
                     "/proc shows only the processes of a container (%s): it needs the "
                     "host's (docker and kolla: pid_mode host; Kubernetes: hostPID)",
                     namespace);
}

static bool same_directory(const struct statx *a, const struct statx *b)
{
    return a->stx_dev_major == b->stx_dev_major &&
           a->stx_dev_minor == b->stx_dev_minor && a->stx_ino == b->stx_ino;
}

/* Kernels before 5.8 give no mount ids. There, a volume on the same file system as the
 * container's root is taken for a part of the container. */
static bool same_mount(const struct statx *a, const struct statx *b)
{
    if (a->stx_mask & b->stx_mask & STATX_MNT_ID)
        return a->stx_mnt_id == b->stx_mnt_id;
    return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

static int look(int root, const char *path, struct statx *out)
{
    return statx(root, path, *path ? 0 : AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, out);
}

/* Looks at `path`, or at the nearest folder above it that exists, up to `root`. */
static int look_above(int root, const char *path, struct statx *out)
{
    _cleanup_free_ char *above = xstrdup(path);
    while (look(root, above, out) != 0) {
        if (!*above || !errno_is_gone(errno))
            return -1;
        char *slash = strrchr(above, '/');
        *(slash ? slash : above) = 0;
    }
    return 0;
}

int container_check_folder(int root, const char *path, struct error *err)
{
    struct statx own, hosts, folder;
    if (look(root, HOST_ROOT, &hosts) != 0)
        return cannot_see(errno, HOST_ROOT, err);
    if (look(root, "", &own) != 0)
        return error_set_errno(err, errno, "/");
    if (same_directory(&own, &hosts))
        return 0;
    if (look_above(root, path, &folder) != 0)
        return error_set_errno(err, errno, "/%s", path);
    if (!same_mount(&own, &folder))
        return 0;
    return error_set(
        err, ERROR_FORBIDDEN,
        "/%s is only a container's own: it needs the host's folder, or the "
        "volume that libvirt's container has there",
        path);
}
