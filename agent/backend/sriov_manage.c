#include "agent/backend/sriov_manage.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "agent/backend/program_run.h"
#include "agent/host/sysfs.h"
#include "lib/clock.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define LOCKED "Cannot obtain unbindLock"
#define PAUSE 1000  /* milliseconds, between two runs */
#define NAMED_MAX 8 /* holders that a message names */

bool sriov_manage_is_for(const struct gpu *gpu)
{
    return gpu->health == GPU_OK && gpu->vf_total && !gpu->vf_enabled &&
           !gpu->parent_count && gpu->driver && strcmp(gpu->driver, "nvidia") == 0;
}

/* ---- who has the driver open ---- */

static bool has_driver_open(int proc, const char *pid)
{
    char path[64];
    snprintf(path, sizeof path, "%.20s/fd", pid);
    _cleanup_folder_ DIR *fds = folder_open_list(proc, path);
    int errnum;
    const char *fd;
    while (fds && (fd = folder_next(fds, &errnum))) {
        _cleanup_free_ char *target = folder_link(dirfd(fds), fd);
        if (target && strncmp(target, "/dev/nvidia", 11) == 0)
            return true;
    }
    return false;
}

static char *describe_process(int proc, const char *pid)
{
    char path[64];
    _cleanup_free_ char *name = NULL;
    snprintf(path, sizeof path, "%.20s/comm", pid);
    if (attribute_read_at(proc, path, &name, NULL) != 0)
        return xstrdup(pid);
    return xasprintf("%s (%s)", pid, sysfs_printable(name));
}

/* As far as it can be seen. */
static char *list_holders(const struct device_place *place)
{
    _cleanup_strlist_ struct strlist holders = {0};
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->use.root);
    _cleanup_folder_ DIR *proc = root < 0 ? NULL : folder_open_list(root, "proc");
    int errnum;
    const char *pid;
    while (proc && holders.count < NAMED_MAX && (pid = folder_next(proc, &errnum)))
        if (isdigit((unsigned char)*pid) && has_driver_open(dirfd(proc), pid))
            strlist_add_take(&holders, describe_process(dirfd(proc), pid));
    return holders.count ? strlist_join(&holders, ", ") : NULL;
}

static int explain_lock(const char *program, const struct device_place *place,
                        const char *card, struct error *err)
{
    _cleanup_free_ char *holders = list_holders(place);
    return error_set(err, ERROR_TIMEOUT,
                     "%s -e %s: \"" LOCKED "\": a process has the driver's management "
                     "interface open; /dev/nvidia* is open in %s",
                     program, card, holders ? holders : "no process that can be seen");
}

/* ---- the card ---- */

static int count_functions(const struct device_place *place, const char *card,
                           long *out, struct error *err)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->sysfs_root);
    _cleanup_close_ int cards = root < 0 ? -1 : folder_open(root, "bus/pci/devices");
    _cleanup_close_ int folder = cards < 0 ? -1 : folder_open(cards, card);
    if (folder < 0)
        return error_set_errno(err, errno, "%s", card);
    return sysfs_number(folder, "sriov_numvfs", out, err) == 0
               ? 0
               : error_prefix(err, "%s: whether its virtual functions are enabled",
                              card);
}

static int explain_none(const char *program, const char *card, struct program_run *run,
                        struct error *err)
{
    const char *said = program_last_line(run);
    if (!run->ended)
        return error_set(err, ERROR_TIMEOUT,
                         "%s -e %s did not end in time, and no virtual function is "
                         "enabled",
                         program, card);
    return error_set(err, ERROR_IO,
                     "%s -e %s has ended, and no virtual function is enabled%s%.200s",
                     program, card, *said ? ": " : "", said);
}

static void pause_before_next(int64_t deadline)
{
    int64_t left = deadline - clock_monotonic_ms();
    (void)poll(NULL, 0, left < 0 ? 0 : left < PAUSE ? (int)left : PAUSE);
}

int sriov_manage_enable(const char *program, const struct device_place *place,
                        const char *card, int64_t deadline, struct error *err)
{
    for (;;) {
        _cleanup_free_ struct program_run *run = xcalloc(1, sizeof *run);
        char *const argv[] = {(char *)program, (char *)"-e", (char *)card, NULL};
        if (program_run(run, argv, deadline, err) != 0)
            return -1;
        long enabled;
        if (count_functions(place, card, &enabled, err) != 0)
            return -1;
        if (enabled > 0)
            return 0;
        bool locked = strstr(run->text, LOCKED) != NULL;
        if (!locked)
            return explain_none(program, card, run, err);
        if (clock_monotonic_ms() + PAUSE >= deadline)
            return explain_lock(program, place, card, err);
        pause_before_next(deadline);
    }
}
