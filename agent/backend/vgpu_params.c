#include "agent/backend/vgpu_params.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/host/sysfs.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/strlist.h"
#include "lib/user.h"
#include "lib/xalloc.h"

int error_not_writable(const char *what, const char *file, struct error *err)
{
    _cleanup_free_ char *user = user_name(geteuid());
    return error_set(
        err, ERROR_FORBIDDEN,
        "no permission to %s: its \"%s\" must be writable for the user %s; "
        "udev's rule 90-vgpu-agent.rules gives it to the group vgpu-agent "
        "(udevadm control --reload && udevadm trigger)",
        what, file, user);
}

/* For udev's rule to give the group the file of a new device. */
#define ATTEMPTS 200
#define PAUSE_NS 50000000L

static int explain(const char *name, int errnum, struct error *err)
{
    _cleanup_free_ char *what = xasprintf("change the parameters of %s", name);
    if (errnum == EACCES)
        return error_not_writable(what, VGPU_PARAMETERS, err);
    if (errnum == EPERM || errnum == EBUSY)
        return error_set(err, ERROR_BUSY,
                         "the driver does not let anybody %s, as if a guest had it",
                         what);
    return error_set_errno(err, errnum, "changing the parameters of %s", name);
}

int vgpu_params_clear(const struct device_place *place, int folder, const char *name,
                      bool *absent, struct error *err)
{
    struct error store = {0};
    if (device_place_check_agent(place, err) != 0)
        return error_prefix(err, "%s", name);
    *absent = faccessat(folder, VGPU_PARAMETERS, F_OK, 0) != 0 && errno == ENOENT;
    if (*absent || attribute_store_at(folder, VGPU_PARAMETERS, " ", &store) == 0)
        return 0;
    return explain(name, store.errnum, err);
}

/* ---- reading ---- */

int vgpu_params_read(int folder, const char *name, char **out, struct error *err)
{
    struct error reading = {0};
    _cleanup_free_ char *text = NULL;
    if (attribute_read_at(folder, VGPU_PARAMETERS, &text, &reading) == 0) {
        *out = sysfs_printable(steal(text));
        return 0;
    }
    if (reading.errnum == ENOENT)
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s has no parameters: its driver has no " VGPU_PARAMETERS,
                         name);
    return error_set_errno(err, reading.errnum, "the parameters of %s", name);
}

/* ---- writing ---- */

/* The parameters of a text, one by one: "a=1, b=2" has two. */
static struct strlist parameters_of(const char *text)
{
    struct strlist found = {0};
    _cleanup_free_ char *copy = xstrdup(text);
    char *rest = copy;
    for (const char *word; (word = strsep(&rest, ", \t\n"));)
        if (*word)
            strlist_add(&found, word);
    return found;
}

/* A file that cannot be read, or shows nothing, shows nothing else. */
static int read_back(int folder, const char *name, const char *parameters,
                     struct error *err)
{
    _cleanup_free_ char *shown = NULL;
    if (vgpu_params_read(folder, name, &shown, NULL) != 0)
        return 0;
    _cleanup_strlist_ struct strlist wanted = parameters_of(parameters);
    _cleanup_strlist_ struct strlist found = parameters_of(shown);
    for (size_t i = 0; found.count && i < wanted.count; i++)
        if (!strlist_contains(&found, wanted.items[i]))
            return error_set(err, ERROR_IO,
                             "the driver took the parameters '%s' for %s, and shows "
                             "'%s'",
                             parameters, name, shown);
    return 0;
}

static bool may_try_again(int errnum, unsigned attempt)
{
    if (errnum != EACCES || attempt >= ATTEMPTS)
        return false;
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = PAUSE_NS},
                          NULL);
    return true;
}

int vgpu_params_write(const struct device_place *place, int folder, const char *name,
                      const char *parameters, bool fresh, struct error *err)
{
    struct error store;
    unsigned attempt = 0;
    do {
        if (device_place_check_agent(place, err) != 0)
            return error_prefix(err, "%s", name);
        store = (struct error){0};
        if (attribute_store_at(folder, VGPU_PARAMETERS, parameters, &store) == 0)
            return read_back(folder, name, parameters, err);
    } while (fresh && may_try_again(store.errnum, ++attempt));
    if (store.errnum == ENOENT)
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s can have no parameters (vgpu_params): its driver has "
                         "no " VGPU_PARAMETERS,
                         name);
    return explain(name, store.errnum, err);
}
