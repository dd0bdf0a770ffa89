#include "agent/host/sysfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/files.h"
#include "lib/xalloc.h"

char *sysfs_printable(char *text)
{
    for (char *p = text; p && *p; p++)
        if ((*p < ' ' && *p != '\n') || *p > '~')
            *p = '?';
    return text;
}

int sysfs_number(int dirfd, const char *path, long *out, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    if (attribute_read_at(dirfd, path, &text, err) != 0)
        return -1;
    char *end;
    errno = 0;
    long number = strtol(text, &end, 0);
    if (end == text || *end || errno) {
        size_t length = strcspn(sysfs_printable(text), "\n");
        return error_set(err, ERROR_INVALID, "%s: \"%.*s\" is not a number", path,
                         length < 32 ? (int)length : 32, text);
    }
    *out = number;
    return 0;
}
