#include "agent/host/vfio_holders.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "agent/host/sysfs.h"

/* What is looked for, and what was found. */
struct search {
    const struct strlist *nodes;
    pid_t *holders;
};

static bool process_gone(int errnum)
{
    return errnum == ENOENT || errnum == ESRCH || errnum == ENOTDIR;
}

/* `target` is what a descriptor's link says: "/dev/vfio/12", with something before it
 * when the process has another root, with " (deleted)" behind it when the node has gone
 * meanwhile. So only "/vfio/..." is compared. */
static bool names_node(const char *target, const char *node)
{
    const char *tail = strstr(target, "/vfio/"), *wanted = strstr(node, "/vfio/");
    size_t length = strlen(wanted);
    return tail && strncmp(tail, wanted, length) == 0 &&
           (tail[length] == 0 || tail[length] == ' ');
}

static void add_holder(struct search *search, size_t node, pid_t pid)
{
    if (!search->holders[node])
        search->holders[node] = pid;
}

/* A group or a device, whichever: not the container /dev/vfio/vfio. */
static bool is_node(const char *target)
{
    const char *tail = strstr(target, "/vfio/");
    return tail && strcmp(tail, "/vfio/vfio") != 0;
}

/* The link of a descriptor: without CAP_SYS_PTRACE it may be listed and yet not be
 * readable, and then it may be any. 1: read; 0: closed meanwhile; -1: errno. */
static int read_link(DIR *fds, const char *fd, char *target, size_t room)
{
    ssize_t length = readlinkat(dirfd(fds), fd, target, room - 1);
    if (length < 0)
        return process_gone(errno) ? 0 : -1;
    target[length] = 0;
    return 1;
}

static int search_process(struct search *search, int proc, const char *name,
                          struct error *err)
{
    char path[NAME_MAX + 4], target[PATH_MAX];
    memcpy(mempcpy(path, name, strlen(name)), "/fd", 4);
    _cleanup_directory_ DIR *fds = sysfs_open_list(proc, path);
    int errnum = fds ? 0 : errno;
    bool device = false, node = false;
    const char *fd;
    while (fds && (fd = sysfs_next(fds, &errnum))) {
        int read = read_link(fds, fd, target, sizeof target);
        if (read < 0)
            return error_set_errno(err, errno, "/proc/%s/%s", path, fd);
        if (read == 0)
            continue;
        device |= strcmp(target, "anon_inode:[vfio-device]") == 0;
        node |= is_node(target);
        for (size_t i = 0; i < search->nodes->count; i++)
            if (names_node(target, search->nodes->items[i]))
                add_holder(search, i, (pid_t)strtol(name, NULL, 10));
    }
    /* A device keeps its group busy after the group's own descriptor was closed. */
    for (size_t i = 0; device && !node && i < search->nodes->count; i++)
        add_holder(search, i, (pid_t)strtol(name, NULL, 10));
    if (errnum && !process_gone(errnum))
        return error_set_errno(err, errnum, "/proc/%s", path);
    return 0;
}

int vfio_find_holders(int root, const struct strlist *nodes, pid_t *holders,
                      struct error *err)
{
    memset(holders, 0, nodes->count * sizeof *holders);
    _cleanup_directory_ DIR *proc = sysfs_open_list(root, "proc");
    if (!proc)
        return error_set_errno(err, errno, "/proc");
    struct search search = {nodes, holders};
    bool first_seen = false;
    int errnum = 0;
    const char *name;
    while ((name = sysfs_next(proc, &errnum))) {
        if (!isdigit((unsigned char)*name))
            continue;
        first_seen |= strcmp(name, "1") == 0;
        if (search_process(&search, dirfd(proc), name, err) != 0)
            return -1;
    }
    if (errnum)
        return error_set_errno(err, errnum, "/proc");
    /* The first process always runs: where it is hidden, so are others (hidepid). */
    if (!first_seen)
        return error_set(err, ERROR_FORBIDDEN, "/proc does not show all processes");
    return 0;
}
