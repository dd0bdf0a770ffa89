/*
 * error: how a function that can fail says why.
 *
 * Such functions return 0 or -1 and take a `struct error *err` as their last argument,
 * which may be NULL when the caller does not care. They set it exactly once; each layer
 * that passes it up adds its context with error_prefix(). Nothing here allocates, logs,
 * or keeps state; a struct error is plain memory and needs no release.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

enum error_code {
    ERROR_NONE = 0,
    ERROR_INVALID,   /* input that no retry mends: configuration, request, argument */
    ERROR_NOT_FOUND, /* the thing named does not exist */
    ERROR_EXISTS,    /* it exists already */
    ERROR_CONFLICT,  /* somebody else changed it since we looked: look again, retry */
    ERROR_BUSY,      /* in use now; may be free later */
    ERROR_EXHAUSTED, /* no instance, room or quota left */
    ERROR_UNAUTHORIZED, /* who we are was not accepted (HTTP 401) */
    ERROR_FORBIDDEN,    /* who we are may not do this (HTTP 403, EACCES, EPERM) */
    ERROR_UNREACHABLE,  /* the peer could not be reached, or said that it is down */
    ERROR_TIMEOUT,      /* it took too long; it may still happen */
    ERROR_PROTOCOL,     /* the peer's answer makes no sense */
    ERROR_UNSUPPORTED,  /* the peer or the kernel is too old, or lacks the feature */
    ERROR_IO,           /* the system refused: disk, sysfs, sockets */
};

#define ERROR_CODES (ERROR_IO + 1)

struct error {
    enum error_code code;
    int errnum;      /* the errno behind it, 0 where there was none */
    char text[1024]; /* one line, no trailing newline; truncated with "..." */
};

/*
 * Each is an expression of value -1 (as macros, so that compilers and analysers know it
 * too): `return error_set(err, ERROR_INVALID, "...", ...)`. A NULL `err` is allowed.
 *
 *   error_set         sets code and text
 *   error_set_errno   the same for a failed system call: the code follows from the
 *                     errno, whose description is appended
 *   error_prefix      puts "<format>: " before the text that is there
 */
#define error_set(err, code, ...) (error_set_((err), (code), __VA_ARGS__), -1)
#define error_set_errno(err, errnum, ...) \
    (error_set_errno_((err), (errnum), __VA_ARGS__), -1)
#define error_prefix(err, ...) (error_prefix_((err), __VA_ARGS__), -1)

void error_set_(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void error_set_errno_(struct error *err, int errnum, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void error_prefix_(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "conflict", "not found", ...: for logs, metrics and JSON. */
const char *error_code_name(enum error_code code);

/* The exit status of a command that ended with this code: 0 for NONE, 1 otherwise but
 * for the few that sysexits(3) has a name for. */
int error_exit_status(enum error_code code);

#endif
