/*
 * cleanup: release of locals at the end of their scope, all in one place.
 *
 *     _cleanup_free_ char *name = xasprintf(...);
 *     _cleanup_close_ int fd = open(...);
 *     _cleanup_(host_freep) struct host *host = NULL;
 *
 * A type's own header says DEFINE_CLEANUP(struct host *, host_free) to get
 * host_freep(). steal() hands a value on and leaves NULL behind.
 */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Defines function##p(type *), which calls function(*p) unless *p is NULL. */
#define DEFINE_CLEANUP(type, function)                              \
    static inline __attribute__((unused)) void function##p(type *p) \
    {                                                               \
        if (*p)                                                     \
            function(*p);                                           \
    }

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

/* Keeps errno, so that a failing path can close and still report. */
static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
}

static inline void cleanup_fclose(FILE *const *file)
{
    if (*file)
        fclose(*file);
}

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

#define steal(pointer)                           \
    ({                                           \
        __typeof__(pointer) stolen_ = (pointer); \
        (pointer) = NULL;                        \
        stolen_;                                 \
    })

#endif
