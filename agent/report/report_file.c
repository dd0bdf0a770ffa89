#include "agent/report/report_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/xalloc.h"

static int replace(const char *path, const char *text, struct error *err)
{
    const char *name;
    _cleanup_close_ int folder = file_open_folder(path, &name, err);
    if (folder < 0)
        return -1;
    return file_replace_lightly_at(folder, name, text, strlen(text), 0600, err);
}

/* Where there is no space for a new file, the old file still has its own. The text is
 * padded with line feeds, which the reader ignores. So a shorter text replaces a longer
 * one in a single write. */
static bool write_over(const char *path, const char *text)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return false;
    size_t length = strlen(text), size = (size_t)st.st_size;
    _cleanup_free_ char *padded =
        xasprintf("%s%*s", text, size > length ? (int)(size - length) : 0, "");
    for (char *p = padded + length; *p; p++)
        *p = '\n';
    return pwrite(fd, padded, strlen(padded), 0) == (ssize_t)strlen(padded);
}

int report_file_write(const char *path, const char *text, struct error *err)
{
    if (replace(path, text, err) == 0 || write_over(path, text))
        return 0;
    (void)unlink(path);
    return -1;
}
