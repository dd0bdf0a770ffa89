#include "agent/report/preflight_look.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/backend/backend.h"
#include "agent/host/container.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "lib/xalloc.h"

#define MOST_TEXT 65536
#define MOST_GROUPS 128

/* `root` is -1 where the root directory is not of the same host as sysfs. */
struct look {
    int sysfs, root;
    struct preflight_seen *out;
};

/* The entry `name` of the folder `path`. Where the folder is not there, nothing follows
 * from that. */
static enum sight sight_of(int dirfd, const char *path, const char *name)
{
    _cleanup_close_ int folder = dirfd < 0 ? -1 : folder_open(dirfd, path);
    if (folder < 0)
        return UNSEEN;
    if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return PRESENT;
    return errno == ENOENT ? ABSENT : UNSEEN;
}

/* PRESENT in either place; ABSENT only from both. */
static enum sight either(enum sight a, enum sight b)
{
    if (a == PRESENT || b == PRESENT)
        return PRESENT;
    return a == ABSENT && b == ABSENT ? ABSENT : UNSEEN;
}

/* ---- the kernel ---- */

static int count_entries(int dirfd, const char *path)
{
    _cleanup_folder_ DIR *folder = folder_open_list(dirfd, path);
    int errnum = 0, count = 0;
    while (folder && folder_next(folder, &errnum))
        count++;
    return folder && !errnum ? count : -1;
}

static void look_at_iommu(const struct look *look)
{
    const struct host *host = look->out->host;
    look->out->iommu_units = count_entries(look->sysfs, "class/iommu");
    for (size_t i = 0; i < host->gpu_count; i++) {
        _cleanup_free_ char *path = xasprintf("bus/pci/devices/%s", host->gpus[i].name);
        look->out->grouped_gpus +=
            host->gpus[i].is_pci &&
            sight_of(look->sysfs, path, "iommu_group") == PRESENT;
    }
}

/* `class`: a class that the module makes; NULL: it makes none. A module that is built in
 * is in the folder `module` only where it has parameters. */
static enum sight look_for_module(const struct look *look, const char *module,
                                  const char *class)
{
    enum sight sight = sight_of(look->sysfs, "module", module);
    return class ? either(sight, sight_of(look->sysfs, "class", class)) : sight;
}

/* "none [integrity] confidentiality": the word in brackets; NULL: there is none. */
static char *chosen_word(const char *text)
{
    const char *start = text ? strchr(text, '[') : NULL;
    const char *end = start ? strchr(start, ']') : NULL;
    return end ? xstrndup(start + 1, (size_t)(end - start - 1)) : NULL;
}

#define MODULES_MAX (8 << 20)

static enum sight sight_in_list(int folder, const char *list, const char *file)
{
    _cleanup_free_ char *text = NULL;
    if (file_read_at(folder, list, MODULES_MAX, &text, NULL, NULL) != 0)
        return UNSEEN;
    return strstr(text, file) ? PRESENT : ABSENT;
}

/* Whether the running kernel has the module, loaded or not, or built in. `file` is its
 * name there: "/vfio-pci.ko". */
static enum sight look_for_file(int root, const char *file)
{
    _cleanup_free_ char *release = NULL;
    if (attribute_read_at(root, "proc/sys/kernel/osrelease", &release, NULL) != 0)
        return UNSEEN;
    _cleanup_free_ char *path = xasprintf("lib/modules/%s", release);
    _cleanup_close_ int folder = folder_open(root, path);
    return folder < 0 ? UNSEEN
                      : either(sight_in_list(folder, "modules.dep", file),
                               sight_in_list(folder, "modules.builtin", file));
}

static void look_at_kernel(const struct look *look)
{
    struct preflight_seen *out = look->out;
    _cleanup_free_ char *lockdown = NULL;
    struct stat st;
    look_at_iommu(look);
    out->vfio = look_for_module(look, "vfio", "vfio");
    out->vfio_type1 = look_for_module(look, "vfio_iommu_type1", NULL);
    if (attribute_read_at(look->sysfs, "kernel/security/lockdown", &lockdown, NULL) ==
        0)
        out->lockdown = chosen_word(lockdown);
    out->vfio_pci = sight_of(look->sysfs, "bus/pci/drivers", "vfio-pci");
    if (look->root < 0)
        return;
    out->vfio_pci_module = look_for_file(look->root, "/vfio-pci.ko");
    if (file_read_at(look->root, "proc/cmdline", MOST_TEXT, &out->command_line, NULL,
                     NULL) == 0)
        out->command_line[strcspn(out->command_line, "\n")] = 0;
    out->vfio_node = sight_of(look->root, "dev", "vfio/vfio");
    if (out->vfio_node == PRESENT && fstatat(look->root, "dev/vfio/vfio", &st, 0) == 0)
        out->vfio_node_mode = xasprintf("%04o", (unsigned)st.st_mode & 07777);
    else if (out->vfio_node == PRESENT)
        out->vfio_node = UNSEEN;
}

/* ---- the maker's software ---- */

static struct preflight_vendor *find_vendor(const struct preflight_seen *seen,
                                            const struct vendor *vendor)
{
    for (size_t i = 0; i < seen->vendor_count; i++)
        if (seen->vendors[i].vendor == vendor)
            return &seen->vendors[i];
    return NULL;
}

static void add_vendors(const struct look *look)
{
    struct preflight_seen *out = look->out;
    for (size_t i = 0; i < out->host->gpu_count; i++) {
        const struct vendor *vendor = vendor_find(out->host->gpus[i].vendor);
        if (!vendor || find_vendor(out, vendor))
            continue;
        *array_add(out->vendors, out->vendor_count) = (struct preflight_vendor){
            .vendor = vendor,
            .rival =
                vendor->rival ? sight_of(look->sysfs, "module", vendor->rival) : UNSEEN,
            .partitions = look->root < 0 || !vendor->count_partitions
                              ? -1
                              : vendor->count_partitions(look->root)};
    }
}

static void note_process(struct preflight_seen *out, const char *name)
{
    for (size_t i = 0; i < out->vendor_count; i++)
        for (size_t j = 0; j < VENDOR_MOST_DAEMONS; j++) {
            const char *daemon = out->vendors[i].vendor->daemons[j].name;
            if (daemon && strcmp(daemon, name) == 0)
                out->vendors[i].daemons[j] = PRESENT;
        }
}

/* Reads the name of each process. False when one could not be read, other than one that
 * has ended. The first process never ends. */
static bool read_processes(const struct look *look)
{
    _cleanup_folder_ DIR *folder = folder_open_list(look->root, "proc");
    int errnum = 0;
    bool whole = folder && faccessat(look->root, "proc/1/comm", R_OK, 0) == 0;
    const char *pid;
    while (folder && (pid = folder_next(folder, &errnum))) {
        if (!isdigit((unsigned char)*pid))
            continue;
        _cleanup_free_ char *path = xasprintf("%s/comm", pid), *name = NULL;
        struct error err = {0};
        if (attribute_read_at(dirfd(folder), path, &name, &err) == 0)
            note_process(look->out, name);
        else if (!errno_is_gone(err.errnum))
            whole = false;
    }
    return whole && !errnum;
}

static void look_at_processes(const struct look *look)
{
    struct preflight_seen *out = look->out;
    if (look->root < 0 || !read_processes(look) ||
        container_check_processes(look->root, NULL) != 0)
        return;
    for (size_t i = 0; i < out->vendor_count; i++)
        for (size_t j = 0; j < VENDOR_MOST_DAEMONS; j++)
            if (out->vendors[i].daemons[j] == UNSEEN)
                out->vendors[i].daemons[j] = ABSENT;
}

/* ---- rights ---- */

struct service_user {
    uid_t uid;
    gid_t groups[MOST_GROUPS];
    int group_count;
};

/* Files that root writes for the service belong to the folder's owner (lib/files.h), so
 * this is the user that the service runs as. */
static bool find_user(const struct config *config, struct service_user *user,
                      char **name)
{
    _cleanup_free_ char *path = xstrdup(config->agent.state_file);
    struct stat st;
    if (!path || stat(dirname(path), &st) != 0)
        return false;
    const struct passwd *entry = getpwuid(st.st_uid);
    user->uid = st.st_uid;
    user->group_count = MOST_GROUPS;
    user->groups[0] = st.st_gid;
    if (!entry)
        user->group_count = 1;
    else if (getgrouplist(entry->pw_name, entry->pw_gid, user->groups,
                          &user->group_count) < 0)
        user->group_count = MOST_GROUPS;
    *name = entry ? xstrdup(entry->pw_name) : xasprintf("user %u", (unsigned)st.st_uid);
    return true;
}

static bool may_write(const struct service_user *user, const struct stat *st)
{
    if (user->uid == 0)
        return true;
    if (user->uid == st->st_uid)
        return st->st_mode & S_IWUSR;
    for (int i = 0; i < user->group_count; i++)
        if (user->groups[i] == st->st_gid)
            return st->st_mode & S_IWGRP;
    return st->st_mode & S_IWOTH;
}

static void look_at_file(const struct look *look, const struct service_user *user,
                         const struct backend *backend, const char *file)
{
    struct preflight_seen *out = look->out;
    struct stat st;
    if (fstatat(look->sysfs, file, &st, 0) != 0) {
        if (!errno_is_gone(errno) && !out->unseen_file)
            out->unseen_file = xstrdup(file);
        return;
    }
    out->files++;
    if (may_write(user, &st))
        return;
    out->refused++;
    if (out->refused_file)
        return;
    out->refused_file = xstrdup(file);
    out->right = backend->right;
}

static void look_at_rights(const struct look *look)
{
    const struct host *host = look->out->host;
    struct service_user user = {0};
    (void)find_user(look->out->config, &user, &look->out->user);
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++) {
            const struct parent *parent = &host->gpus[i].parents[j];
            const struct backend *backend = backend_find(parent->backend);
            if (!backend || !backend->written)
                continue;
            _cleanup_strlist_ struct strlist files = backend->written(parent);
            for (size_t k = 0; k < files.count; k++)
                look_at_file(look, &user, backend, files.items[k]);
        }
}

/* ---- all of it ---- */

void preflight_look(const struct config *config, const char *sysfs_root,
                    const struct host *host, struct preflight_seen *out)
{
    const char *host_root = config->agent.host_root;
    bool strangers = strcmp(host_root, "/") == 0 && strcmp(sysfs_root, "/sys") != 0;
    _cleanup_close_ int sysfs = folder_open(AT_FDCWD, sysfs_root);
    _cleanup_close_ int root = strangers ? -1 : folder_open(AT_FDCWD, host_root);
    const struct look look = {sysfs, root, out};
    *out = (struct preflight_seen){.config = config, .host = host, .iommu_units = -1};
    if (sysfs < 0)
        return;
    look_at_kernel(&look);
    add_vendors(&look);
    look_at_processes(&look);
    look_at_rights(&look);
    out->mdevctl = either(sight_of(root, "usr/sbin", "mdevctl"),
                          sight_of(root, "usr/bin", "mdevctl"));
}
