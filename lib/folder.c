#include "lib/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"

bool errno_is_gone(int errnum)
{
    return errnum == ENOENT || errnum == ENODEV || errnum == ENXIO;
}

int folder_open(int dirfd, const char *path)
{
    return openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

DIR *folder_open_list(int dirfd, const char *path)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *directory = fdopendir(fd);
    if (!directory)
        cleanup_close(&fd);
    return directory;
}

const char *folder_next(DIR *directory, int *errnum)
{
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(directory);
    } while (entry && entry->d_name[0] == '.');
    *errnum = entry || errno_is_gone(errno) ? 0 : errno;
    return entry ? entry->d_name : NULL;
}

char *folder_link(int dirfd, const char *path)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(dirfd, path, target, sizeof target);
    return length < 0 ? NULL : xstrndup(target, (size_t)length);
}

char *folder_link_name(int dirfd, const char *path)
{
    _cleanup_free_ char *target = folder_link(dirfd, path);
    if (!target)
        return NULL;
    const char *slash = strrchr(target, '/');
    return xstrdup(slash ? slash + 1 : target);
}
