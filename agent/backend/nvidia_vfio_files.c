#include "agent/backend/nvidia_vfio_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/vgpu_params.h"
#include "agent/host/sysfs.h"
#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* ---- the list ---- */

void vgpu_types_clear(struct vgpu_types *types)
{
    for (size_t i = 0; i < types->count; i++)
        free(types->items[i].name);
    free(types->items);
    *types = (struct vgpu_types){0};
}

/* The number at the start of `text`, at most VGPU_NUMBER_SIZE - 1 digits; NULL: there is
 * none. Gives what follows it. */
static const char *take_number(const char *text, char out[VGPU_NUMBER_SIZE])
{
    text += strspn(text, " \t");
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length >= VGPU_NUMBER_SIZE)
        return NULL;
    memcpy(out, text, length);
    out[length] = 0;
    return text + length;
}

static void parse_line(char *line, struct vgpu_types *out)
{
    char number[VGPU_NUMBER_SIZE];
    const char *rest = take_number(line, number);
    if (!rest)
        return;
    rest += strspn(rest, " \t");
    if (*rest != ':')
        return;
    rest += 1 + strspn(rest + 1, " \t");
    size_t length = strlen(rest);
    while (length && isspace((unsigned char)rest[length - 1]))
        length--;
    if (!length)
        return;
    struct vgpu_type *type = array_add(out->items, out->count);
    text_copy_array(type->number, number);
    type->name = sysfs_printable(xstrndup(rest, length));
}

void vgpu_types_parse(const char *text, struct vgpu_types *out)
{
    _cleanup_free_ char *copy = xstrdup(text);
    /* The kernel gives one page at most, with its terminating NUL. */
    char *end = strlen(copy) >= ATTRIBUTE_MAX - 1 ? strrchr(copy, '\n') : NULL;
    if (end)
        *end = 0;
    char *line, *rest = copy;
    while ((line = strsep(&rest, "\n")))
        parse_line(line, out);
}

/* ---- reading ---- */

bool vgpu_function_takes_types(int function)
{
    return faccessat(function, VGPU_CURRENT, F_OK, 0) == 0;
}

int vgpu_read_creatable(int function, struct vgpu_types *out, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    if (file_read_at(function, VGPU_CREATABLE, ATTRIBUTE_MAX, &text, NULL, err) != 0)
        return -1;
    vgpu_types_parse(text, out);
    return 0;
}

int vgpu_read_current(int function, char out[VGPU_NUMBER_SIZE], struct error *err)
{
    _cleanup_free_ char *text = NULL;
    char number[VGPU_NUMBER_SIZE];
    if (attribute_read_at(function, VGPU_CURRENT, &text, err) != 0)
        return -1;
    const char *rest = take_number(text, number);
    if (!rest || rest[strspn(rest, " \t\n")])
        return error_set(err, ERROR_INVALID, VGPU_CURRENT ": expected a number");
    memcpy(out, number, sizeof number);
    return 0;
}

/* ---- writing ---- */

static int explain_write(const char *name, const char *number, int errnum,
                         struct error *err)
{
    switch (errnum) {
    case EBUSY:
        return error_set(err, ERROR_BUSY,
                         "the driver does not change the type of %s: a guest has it, "
                         "or had it a moment ago",
                         name);
    case ENOSPC:
        return error_set(err, ERROR_EXHAUSTED,
                         "the card of %s has no room for the type %s", name, number);
    case EINVAL:
        return error_set(err, ERROR_EXISTS,
                         "%s cannot get the type %s: it or the rest of its card has "
                         "another",
                         name, number);
    case ENODEV:
    case ENOENT:
        return error_set(err, ERROR_NOT_FOUND,
                         "%s is gone, or its driver does not know the type %s", name,
                         number);
    default:
        break;
    }
    (void)error_set_errno(err, errnum, "writing %s to " VGPU_CURRENT " of %s", number,
                          name);
    /* ETIMEDOUT is the driver's report of a failure. ERROR_TIMEOUT would mean that the
     * operation may still succeed. */
    if (err && errnum == ETIMEDOUT)
        err->code = ERROR_IO;
    return -1;
}

/* EACCES comes from the file's permissions, and EPERM may. But the driver gives EPERM as
 * well to who ends a type just after the guest: it is about to end it itself. */
int vgpu_write_current(int function, const char *name, const char *number,
                       struct error *err)
{
    struct error store = {0};
    if (attribute_store_at(function, VGPU_CURRENT, number, &store) == 0)
        return 0;
    bool ends = strcmp(number, VGPU_NO_TYPE) == 0;
    if (store.errnum == EACCES || (store.errnum == EPERM && !ends)) {
        _cleanup_free_ char *what = xasprintf("set the type of %s", name);
        return error_not_writable(what, VGPU_CURRENT, err);
    }
    return explain_write(name, number, store.errnum == EPERM ? EBUSY : store.errnum,
                         err);
}

/* ---- the card ---- */

#define MDEV_TYPES "mdev_supported_types"

static int not_in_mode(const char *function, struct error *err)
{
    return error_set(
        err, ERROR_FORBIDDEN,
        "the card is not in SR-IOV mode: mdevs are offered by its %s, which a "
        "write would disturb",
        function);
}

int vgpu_check_sriov_mode(int card, struct error *err)
{
    long enabled;
    if (sysfs_number(card, "sriov_numvfs", &enabled, err) != 0)
        return -1;
    if (enabled <= 0)
        return error_set(err, ERROR_FORBIDDEN,
                         "the card is not in SR-IOV mode: none of its virtual "
                         "functions is enabled");
    if (faccessat(card, MDEV_TYPES, F_OK, 0) == 0)
        return not_in_mode("physical function", err);
    for (long i = 0; i < enabled; i++) {
        char path[64];
        snprintf(path, sizeof path, "virtfn%ld/" MDEV_TYPES, i);
        if (faccessat(card, path, F_OK, 0) == 0)
            return not_in_mode("virtual functions", err);
    }
    return 0;
}
