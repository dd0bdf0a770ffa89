#include "agent/state/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/xalloc.h"

static const char *const names[] = {
    [REQUEST_DRAINED] = "drained",   [REQUEST_PRUNE] = "prune",
    [REQUEST_CLEAN] = "clean",       [REQUEST_ADOPT_ROOT] = "adopt-root",
    [REQUEST_SERVER] = "server",     [REQUEST_ORDER] = "order",
    [REQUEST_ANSWER] = "answer",     [REQUEST_ENABLED] = "enabled",
    [REQUEST_DISABLED] = "disabled", [REQUEST_UNRESERVE] = "unreserve",
};

struct strlist requests_take(struct requests *requests, enum request request)
{
    struct strlist list = requests->about[request];
    requests->about[request] = (struct strlist){0};
    return list;
}

void requests_clear(struct requests *requests)
{
    for (size_t i = 0; i < REQUEST_KINDS; i++)
        strlist_clear(&requests->about[i]);
}

/* The part of the name after the prefix; NULL: it has another one. */
static const char *after(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(name, prefix, length) == 0 ? name + length : NULL;
}

/* "<state file>.drained.0000:84:00.0" */
static void add_file(struct requests *out, const char *base, const char *name)
{
    const char *rest = after(name, base);
    if (!rest || *rest++ != '.')
        return;
    for (size_t i = 0; i < REQUEST_KINDS; i++) {
        const char *about = after(rest, names[i]);
        if (about && about[0] == '.' && about[1])
            strlist_add(&out->about[i], about + 1);
    }
}

int requests_read_all(const char *state_file, struct requests *out, struct error *err)
{
    *out = (struct requests){0};
    const char *base;
    struct error why;
    _cleanup_close_ int fd = file_open_folder(state_file, &base, &why);
    if (fd < 0 && why.errnum == ENOENT) /* nothing was ever written there */
        return 0;
    if (fd < 0) {
        if (err)
            *err = why;
        return -1;
    }
    _cleanup_folder_ DIR *folder = folder_open_list(fd, ".");
    int errnum = folder ? 0 : errno;
    const char *name;
    while (folder && (name = folder_next(folder, &errnum)))
        add_file(out, base, name);
    if (errnum) {
        requests_clear(out);
        return error_set_errno(err, errnum, "the requests beside %s", state_file);
    }
    for (size_t i = 0; i < REQUEST_KINDS; i++)
        strlist_sort(&out->about[i]);
    return 0;
}

int requests_read(const char *state_file, enum request request, struct strlist *out,
                  struct error *err)
{
    _cleanup_requests_ struct requests all;
    if (requests_read_all(state_file, &all, err) != 0)
        return -1;
    strlist_clear(out);
    *out = requests_take(&all, request);
    return 0;
}

/* Opens the folder and gives the file's name in it, which the caller frees. */
static int open_place(const char *state_file, enum request request, const char *about,
                      char **name, struct error *err)
{
    if (!*about || strchr(about, '/'))
        return error_set(err, ERROR_INVALID, "'%s' is no name of a device", about);
    const char *base;
    int fd = file_open_folder(state_file, &base, err);
    if (fd >= 0)
        *name = xasprintf("%s.%s.%s", base, names[request], about);
    return fd;
}

/* Ends the creation or removal of a file, whose result is `rc`. The errno `harmless`
 * says that the file existed, or did not exist, before. */
static int finish(int folder, const char *name, int rc, int harmless, bool *changed,
                  struct error *err)
{
    if (rc < 0 && errno != harmless)
        return error_set_errno(err, errno, "%s", name);
    if (rc >= 0 && fsync(folder) != 0)
        return error_set_errno(err, errno, "the folder of %s", name);
    if (changed)
        *changed = rc >= 0;
    return 0;
}

int requests_give(const char *state_file, enum request request, const char *about,
                  bool *changed, struct error *err)
{
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int folder = open_place(state_file, request, about, &name, err);
    if (folder < 0)
        return -1;
    _cleanup_close_ int fd = openat(
        folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return finish(folder, name, fd, EEXIST, changed, err);
}

int requests_withdraw(const char *state_file, enum request request, const char *about,
                      bool *changed, struct error *err)
{
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int folder = open_place(state_file, request, about, &name, err);
    if (folder < 0)
        return -1;
    return finish(folder, name, unlinkat(folder, name, 0), ENOENT, changed, err);
}

int requests_withdraw_all(const char *state_file, enum request request,
                          struct error *err)
{
    _cleanup_strlist_ struct strlist standing = {0};
    if (requests_read(state_file, request, &standing, err) != 0)
        return -1;
    for (size_t i = 0; i < standing.count; i++)
        if (requests_withdraw(state_file, request, standing.items[i], NULL, err) != 0)
            return -1;
    return 0;
}
