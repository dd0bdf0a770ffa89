#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
    const char *name;
    int exit_status;
} codes[] = {
    [ERROR_NONE] = {"none", EX_OK},
    [ERROR_INVALID] = {"invalid", 1},
    [ERROR_NOT_FOUND] = {"not found", 1},
    [ERROR_EXISTS] = {"exists", 1},
    [ERROR_CONFLICT] = {"conflict", EX_TEMPFAIL},
    [ERROR_BUSY] = {"busy", EX_TEMPFAIL},
    [ERROR_EXHAUSTED] = {"exhausted", 1},
    [ERROR_UNAUTHORIZED] = {"unauthorized", EX_NOPERM},
    [ERROR_FORBIDDEN] = {"forbidden", EX_NOPERM},
    [ERROR_UNREACHABLE] = {"unreachable", EX_UNAVAILABLE},
    [ERROR_TIMEOUT] = {"timeout", EX_UNAVAILABLE},
    [ERROR_PROTOCOL] = {"protocol", EX_PROTOCOL},
    [ERROR_UNSUPPORTED] = {"unsupported", EX_PROTOCOL},
    [ERROR_IO] = {"io", EX_IOERR},
};

static const struct {
    int errnum;
    enum error_code code;
} errnos[] = {
    {ENOENT, ERROR_NOT_FOUND},
    {ENODEV, ERROR_NOT_FOUND},
    {ENXIO, ERROR_NOT_FOUND},
    {EEXIST, ERROR_EXISTS},
    {EINVAL, ERROR_INVALID},
    {EAGAIN, ERROR_BUSY},
    {EBUSY, ERROR_BUSY},
    {ETXTBSY, ERROR_BUSY},
    {EUSERS, ERROR_EXHAUSTED},
    {ENOSPC, ERROR_EXHAUSTED},
    {EDQUOT, ERROR_EXHAUSTED},
    {EACCES, ERROR_FORBIDDEN},
    {EPERM, ERROR_FORBIDDEN},
    {EROFS, ERROR_FORBIDDEN},
    {ETIMEDOUT, ERROR_TIMEOUT},
    {ECONNREFUSED, ERROR_UNREACHABLE},
    {EHOSTUNREACH, ERROR_UNREACHABLE},
    {ENETUNREACH, ERROR_UNREACHABLE},
    {EOPNOTSUPP, ERROR_UNSUPPORTED},
    {ENOSYS, ERROR_UNSUPPORTED},
};

/* Cuts a text that did not fit so that the reader sees it. */
static void mark_truncated(struct error *err, int wanted)
{
    if (wanted >= (int)sizeof err->text)
        memcpy(err->text + sizeof err->text - 4, "...", 4);
}

static void vset(struct error *err, enum error_code code, int errnum,
                 const char *format, va_list args)
{
    err->code = code;
    err->errnum = errnum;
    mark_truncated(err, vsnprintf(err->text, sizeof err->text, format, args));
}

void error_set_(struct error *err, enum error_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vset(err, code, 0, format, args);
        va_end(args);
    }
}

static enum error_code code_of_errno(int errnum)
{
    for (size_t i = 0; i < sizeof errnos / sizeof *errnos; i++)
        if (errnos[i].errnum == errnum)
            return errnos[i].code;
    return ERROR_IO;
}

void error_set_errno_(struct error *err, int errnum, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vset(err, code_of_errno(errnum), errnum, format, args);
        va_end(args);
        size_t used = strlen(err->text), room = sizeof err->text - used;
        int wanted = snprintf(err->text + used, room, ": %s",
                              strerrordesc_np(errnum) ? strerrordesc_np(errnum)
                                                      : "unknown error");
        mark_truncated(err, (int)used + wanted);
    }
}

void error_prefix_(struct error *err, const char *format, ...)
{
    if (err) {
        char old[sizeof err->text];
        memcpy(old, err->text, sizeof old);
        va_list args;
        va_start(args, format);
        int prefix = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (prefix < (int)sizeof err->text)
            prefix += snprintf(err->text + prefix, sizeof err->text - (size_t)prefix,
                               ": %s", old);
        mark_truncated(err, prefix);
    }
}

const char *error_code_name(enum error_code code)
{
    return codes[code].name;
}

int error_exit_status(enum error_code code)
{
    return codes[code].exit_status;
}
