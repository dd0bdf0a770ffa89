#include "agent/host/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "lib/files.h"
#include "lib/xalloc.h"

bool sysfs_gone(int errnum)
{
    return errnum == ENOENT || errnum == ENODEV || errnum == ENXIO;
}

int sysfs_open_folder(int dirfd, const char *path)
{
    return openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

DIR *sysfs_open_list(int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *directory = fdopendir(fd);
    if (!directory)
        cleanup_close(&fd);
    return directory;
}

const char *sysfs_next(DIR *directory, int *errnum)
{
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(directory);
    } while (entry && entry->d_name[0] == '.');
    *errnum = entry || sysfs_gone(errno) ? 0 : errno;
    return entry ? entry->d_name : NULL;
}

char *sysfs_link(int dirfd, const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(dirfd, path, target, sizeof target);
    return length < 0 ? NULL : xstrndup(target, (size_t)length);
}

char *sysfs_link_name(int dirfd, const char *path)
{
    _cleanup_free_ char *target = sysfs_link(dirfd, path);
    if (!target)
        return NULL;
    const char *slash = strrchr(target, '/');
    return xstrdup(slash ? slash + 1 : target);
}

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
