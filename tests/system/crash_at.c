#include "tests/system/crash_at.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum crash_whom { WHOM_SELF, WHOM_PARENT, WHOM_BOTH };

static struct crash_counts *counts; /* NULL: nothing is counted */
static pid_t program;
static unsigned long crash_at;
static enum crash_scope crash_scope;
static enum crash_whom crash_whom;
static bool crash_after;
static int fail_with; /* errno; 0: it crashes */

static bool says(const char *variable, const char *word)
{
    const char *value = getenv(variable);
    return value && strcmp(value, word) == 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("CRASH_COUNTS"), *at = getenv("CRASH_AT");
    const char *error = getenv("CRASH_ERRNO");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared =
        mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (shared == MAP_FAILED)
        return;
    program = getpid();
    crash_at = at ? strtoul(at, NULL, 10) : 0;
    fail_with = error ? (int)strtoul(error, NULL, 10) : 0;
    crash_scope = says("CRASH_SCOPE", "child") ? CRASH_CHILD : CRASH_PROGRAM;
    crash_after = says("CRASH_WHEN", "after");
    if (says("CRASH_WHOM", "parent"))
        crash_whom = WHOM_PARENT;
    else if (says("CRASH_WHOM", "both"))
        crash_whom = WHOM_BOTH;
    counts = shared;
}

/* The number of this call, from 1; 0: it does not matter. */
static unsigned long count(const char *name)
{
    if (!counts)
        return 0;
    enum crash_scope scope = getpid() == program ? CRASH_PROGRAM : CRASH_CHILD;
    uint32_t n = __atomic_add_fetch(&counts->calls[scope], 1, __ATOMIC_RELAXED);
    if (n <= CRASH_NAMES)
        (void)snprintf(counts->names[scope][n - 1], CRASH_NAME_SIZE, "%s", name);
    return scope == crash_scope ? n : 0;
}

static void crash(void)
{
    if (crash_whom != WHOM_SELF)
        (void)kill(program, SIGKILL);
    if (crash_whom != WHOM_PARENT)
        (void)kill(getpid(), SIGKILL);
}

static unsigned long before(const char *name)
{
    unsigned long n = count(name);
    if (n != 0 && n == crash_at && !crash_after && !fail_with)
        crash();
    return n;
}

static void after(unsigned long n)
{
    if (n != 0 && n == crash_at && crash_after && !fail_with)
        crash();
}

/* Sets errno. */
static bool fails(unsigned long n)
{
    if (n == 0 || n != crash_at || !fail_with)
        return false;
    errno = fail_with;
    return true;
}

/* Each stands for the C library's function of that name, and calls it. */
#define STAND_IN(type, name, parameters, arguments)    \
    type name parameters                               \
    {                                                  \
        static typeof(name) *next;                     \
        if (!next)                                     \
            *(void **)&next = dlsym(RTLD_NEXT, #name); \
        unsigned long number = before(#name);          \
        if (fails(number))                             \
            return -1;                                 \
        type result = next arguments;                  \
        after(number);                                 \
        return result;                                 \
    }

STAND_IN(ssize_t, write, (int fd, const void *data, size_t length), (fd, data, length))
STAND_IN(ssize_t, pwrite, (int fd, const void *data, size_t length, off_t offset),
         (fd, data, length, offset))
STAND_IN(ssize_t, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))
STAND_IN(ssize_t, send, (int fd, const void *data, size_t length, int flags),
         (fd, data, length, flags))
STAND_IN(ssize_t, sendto,
         (int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
          socklen_t size),
         (fd, data, length, flags, to, size))
STAND_IN(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
         (fd, message, flags))
STAND_IN(int, rename, (const char *from, const char *to), (from, to))
STAND_IN(int, renameat, (int from_fd, const char *from, int to_fd, const char *to),
         (from_fd, from, to_fd, to))
STAND_IN(int, link, (const char *from, const char *to), (from, to))
STAND_IN(int, unlink, (const char *path), (path))
STAND_IN(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags))
STAND_IN(int, ftruncate, (int fd, off_t length), (fd, length))
STAND_IN(int, fsync, (int fd), (fd))
STAND_IN(int, fdatasync, (int fd), (fd))

/* One that fails is all that can be had of it: what it begins is counted by itself. */
pid_t fork(void)
{
    static typeof(fork) *next;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "fork");
    return fails(before("fork")) ? -1 : next();
}

/* The two that have a mode only where they make a file. */
#define CHANGES (O_CREAT | O_TRUNC)

int open(const char *path, int flags, ...)
{
    static typeof(open) *next;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "open");
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    unsigned long number = flags & CHANGES ? before("open") : 0;
    int fd = fails(number) ? -1 : next(path, flags, mode);
    after(number);
    return fd;
}

int openat(int folder, const char *path, int flags, ...)
{
    static typeof(openat) *next;
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "openat");
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    unsigned long number = flags & CHANGES ? before("openat") : 0;
    int fd = fails(number) ? -1 : next(folder, path, flags, mode);
    after(number);
    return fd;
}
