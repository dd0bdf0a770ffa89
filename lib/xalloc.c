#include "lib/xalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
    if (!memory) {
        static const char text[] = "out of memory\n";
        (void)!fwrite(text, 1, sizeof text - 1, stderr);
        abort();
    }
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
    return checked(reallocarray(old, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

char *xstrndup(const char *text, size_t length)
{
    return checked(strndup(text, length));
}

char *xvasprintf(const char *format, va_list arguments)
{
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    return checked(length < 0 ? NULL : text);
}

char *xasprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    return text;
}

void *array_grow_(void *array, size_t count, size_t size)
{
    /* The capacity is 4, or the next power of two: it has to grow only at those counts.
     */
    if (count == 0)
        array = xreallocarray(array, 4, size);
    else if (count >= 4 && (count & (count - 1)) == 0)
        array = xreallocarray(array, 2 * count, size);
    memset((char *)array + count * size, 0, size);
    return array;
}
