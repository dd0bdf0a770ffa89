#include "agent/host/node_holders.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/host/container.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/xalloc.h"

/* The nodes to look for, and the processes that were found. */
struct search {
    const struct strlist *nodes;
    pid_t *holders;
    bool own_numbers; /* the pids in /proc are of our own pid namespace */
    bool vfio;        /* all nodes are VFIO's: no other file is compared with them */
};

static bool process_gone(int errnum)
{
    return errnum == ENOENT || errnum == ESRCH || errnum == ENOTDIR;
}

#define DEV "/dev"
#define VFIO "/vfio/"

static bool is_any_that_begins(const char *node)
{
    return node[strlen(node) - 1] == '*';
}

/* Without /dev only the beginning of the link counts: log files have such names too. */
static bool begins_node(const char *target, const char *start)
{
    const char *bare = start + strlen(DEV);
    return strstr(target, start) || strncmp(target, bare, strlen(bare)) == 0;
}

/* `target` is the link of a descriptor: "/dev/vfio/12", with a prefix when the process
 * has another root directory, without /dev where that is a mount of a container's, and
 * with the suffix " (deleted)" when the node was removed meanwhile. So the part behind
 * /dev is compared. */
static bool names_node(const char *target, const char *node)
{
    if (is_any_that_begins(node)) {
        _cleanup_free_ char *start = xstrndup(node, strlen(node) - 1);
        return begins_node(target, start);
    }
    const char *wanted = node + strlen(DEV), *tail = strstr(target, wanted);
    size_t length = strlen(wanted);
    return tail && (tail[length] == 0 || tail[length] == ' ');
}

static void add_holder(const struct search *search, size_t node, pid_t pid)
{
    if (!search->holders[node])
        search->holders[node] = pid;
}

/* Whether it is a group or a device of VFIO. /dev/vfio/vfio is neither: it is the
 * container. */
static bool is_vfio_node(const char *target)
{
    const char *tail = strstr(target, VFIO);
    return tail && strcmp(tail, "/vfio/vfio") != 0;
}

/* Reads the link of a descriptor: 1 when it was read, 0 when the descriptor was closed
 * meanwhile, -1 with errno. Without CAP_SYS_PTRACE a descriptor may be listed while its
 * link is not readable: then it may be any file. */
static int read_link(DIR *fds, const char *fd, char *target, size_t room)
{
    ssize_t length = readlinkat(dirfd(fds), fd, target, room - 1);
    if (length < 0)
        return process_gone(errno) ? 0 : -1;
    target[length] = 0;
    return 1;
}

/* Searches the descriptors of one thread, in the folder `path` of /proc. */
static int search_descriptors(const struct search *search, int proc, const char *path,
                              pid_t pid, struct error *err)
{
    char target[PATH_MAX];
    _cleanup_folder_ DIR *fds = folder_open_list(proc, path);
    int errnum = fds ? 0 : errno;
    bool device = false, node = false;
    const char *fd;
    while (fds && (fd = folder_next(fds, &errnum))) {
        int read = read_link(fds, fd, target, sizeof target);
        if (read < 0)
            return error_set_errno(err, errno, "/proc/%s/%s", path, fd);
        if (read == 0)
            continue;
        device |= strcmp(target, "anon_inode:[vfio-device]") == 0;
        bool vfio = is_vfio_node(target);
        node |= vfio;
        for (size_t i = 0; (vfio || !search->vfio) && i < search->nodes->count; i++)
            if (names_node(target, search->nodes->items[i]))
                add_holder(search, i, pid);
    }
    /* A process with a device open keeps the group in use, also after it has closed the
     * group's own descriptor. */
    for (size_t i = 0; device && !node && i < search->nodes->count; i++)
        if (is_vfio_node(search->nodes->items[i]))
            add_holder(search, i, pid);
    if (errnum && !process_gone(errnum))
        return error_set_errno(err, errnum, "/proc/%s", path);
    return 0;
}

/* Whether two threads share one table of descriptors; false where that cannot be
 * told. */
static bool share_descriptors(const struct search *search, pid_t pid, pid_t thread)
{
    return search->own_numbers && syscall(SYS_kcmp, pid, thread, KCMP_FILES, 0, 0) == 0;
}

static pid_t number(const char *name)
{
    return (pid_t)strtol(name, NULL, 10);
}

/* Threads share their descriptors, unless one has unshared them. But when the first
 * thread of a process has ended, only the other threads show them. QEMU has dozens of
 * threads with hundreds of descriptors, so a table shared with the first thread is not
 * read again. */
static int search_threads(const struct search *search, int proc, const char *name,
                          pid_t pid, struct error *err)
{
    char path[2 * NAME_MAX];
    snprintf(path, sizeof path, "%s/task", name);
    _cleanup_folder_ DIR *threads = folder_open_list(proc, path);
    int errnum = threads ? 0 : errno;
    const char *thread;
    while (threads && (thread = folder_next(threads, &errnum))) {
        if (strcmp(thread, name) == 0 || share_descriptors(search, pid, number(thread)))
            continue;
        snprintf(path, sizeof path, "%s/task/%s/fd", name, thread);
        if (search_descriptors(search, proc, path, pid, err) != 0)
            return -1;
    }
    if (errnum && !process_gone(errnum))
        return error_set_errno(err, errnum, "/proc/%s/task", name);
    return 0;
}

static int search_process(const struct search *search, int proc, const char *name,
                          struct error *err)
{
    char path[NAME_MAX + 4];
    memcpy(mempcpy(path, name, strlen(name)), "/fd", 4);
    pid_t pid = number(name);
    if (search_descriptors(search, proc, path, pid, err) != 0)
        return -1;
    return search_threads(search, proc, name, pid, err);
}

/* Whether `proc` is a real /proc of our own pid namespace. */
static bool has_own_numbers(int root, int proc)
{
    struct statfs what;
    _cleanup_free_ char *shown = folder_link(root, "proc/1/ns/pid"),
                        *own = folder_link(AT_FDCWD, "/proc/self/ns/pid");
    return fstatfs(proc, &what) == 0 && what.f_type == PROC_SUPER_MAGIC && shown &&
           own && strcmp(shown, own) == 0;
}

static bool are_vfio_nodes(const struct strlist *nodes)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (!is_vfio_node(nodes->items[i]))
            return false;
    return true;
}

int node_find_holders(int root, const struct strlist *nodes, pid_t *holders,
                      struct error *err)
{
    memset(holders, 0, nodes->count * sizeof *holders);
    _cleanup_folder_ DIR *proc = folder_open_list(root, "proc");
    if (!proc)
        return error_set_errno(err, errno, "/proc");
    const struct search search = {nodes, holders, has_own_numbers(root, dirfd(proc)),
                                  are_vfio_nodes(nodes)};
    int errnum = 0;
    const char *name;
    while ((name = folder_next(proc, &errnum)))
        if (isdigit((unsigned char)*name) &&
            search_process(&search, dirfd(proc), name, err) != 0)
            return -1;
    if (errnum)
        return error_set_errno(err, errnum, "/proc");
    return container_check_processes(root, err);
}

/* ---- nodes that are to be closed ---- */

static char *describe(int root, pid_t pid)
{
    char path[sizeof "proc/4294967296/comm"];
    _cleanup_free_ char *name = NULL;
    snprintf(path, sizeof path, "proc/%d/comm", (int)pid);
    return attribute_read_at(root, path, &name, NULL) != 0
               ? xasprintf("process %d", (int)pid)
               : xasprintf("process %d (%s)", (int)pid, sysfs_printable(name));
}

char *node_why_open(int root, const char *node, pid_t holder,
                    const struct error *unseen)
{
    if (!holder)
        return unseen->code == ERROR_NONE
                   ? NULL
                   : xasprintf("it is not known whether a process has %s open: %s",
                               node, unseen->text);
    _cleanup_free_ char *who = describe(root, holder);
    return xasprintf("%s has %s open", who, node);
}

int node_check_closed(int root, const struct strlist *nodes, struct error *err)
{
    struct error unseen = {0};
    _cleanup_free_ pid_t *holders = xcalloc(nodes->count + 1, sizeof *holders);
    if (nodes->count)
        (void)node_find_holders(root, nodes, holders, &unseen);
    size_t open = 0;
    while (open < nodes->count && !holders[open])
        open++;
    if (open == nodes->count)
        open = 0;
    _cleanup_free_ char *why =
        nodes->count ? node_why_open(root, nodes->items[open], holders[open], &unseen)
                     : NULL;
    return why ? error_set(err, ERROR_BUSY, "%s", why) : 0;
}
