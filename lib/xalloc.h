/*
 * xalloc: allocation that aborts when memory is out, so that no caller checks. What
 * comes from outside is capped before anything is allocated from its size. Memory is
 * released with free().
 */
#ifndef LIB_XALLOC_H
#define LIB_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xreallocarray(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull));
/* A copy of the text; NULL for NULL. */
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length)
    __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2), malloc, returns_nonnull));
char *xvasprintf(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0), malloc, returns_nonnull));

/* Room for one more in an array that grows by doubling: `array` and `count` are
 * lvalues. Gives a pointer to the new, zeroed element and counts it. */
#define array_add(array, count)                                   \
    ({                                                            \
        (array) = array_grow_((array), (count), sizeof *(array)); \
        &(array)[(count)++];                                      \
    })
void *array_grow_(void *array, size_t count, size_t size)
    __attribute__((returns_nonnull));

#endif
