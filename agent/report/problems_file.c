#include "agent/report/problems_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/report/report_file.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define MAX_SIZE (1 << 20)

int64_t daemon_overdue_after(unsigned sync_interval)
{
    return 300 + INT64_C(3) * sync_interval;
}

static char *path_of(const char *state_file)
{
    return xasprintf("%s.problems", state_file);
}

/* Each problem takes one line: line feeds in it become spaces. */
static void append_line(char **text, const char *line)
{
    char *old = *text;
    *text = xasprintf("%s%s\n", old, line);
    for (char *p = *text + strlen(old); p[1]; p++)
        if (*p == '\n')
            *p = ' ';
    free(old);
}

static char *text_of(const struct problems_file *report,
                     const struct problem_list *problems)
{
    char *text = xasprintf("%ld %s\n", (long)getpid(), report->digest);
    for (size_t i = 0; i < problems->count; i++)
        append_line(&text, problems->items[i].text);
    return text;
}

char *state_folder_full(const char *state_file)
{
    _cleanup_free_ char *folder = xstrdup(state_file);
    char *slash = strrchr(folder, '/');
    struct statvfs fs;
    if (!slash || slash == folder)
        return NULL;
    *slash = 0;
    if (statvfs(folder, &fs) != 0 || fs.f_blocks == 0 || fs.f_bavail > 0)
        return NULL;
    return xasprintf("no space is left in %s, where the state file is: devices are "
                     "neither made nor removed until there is some",
                     folder);
}

int problems_file_write(struct problems_file *report, const char *state_file,
                        const struct problem_list *problems, struct error *err)
{
    _cleanup_free_ char *text = text_of(report, problems);
    _cleanup_free_ char *path = path_of(state_file);
    if (report->text && strcmp(report->text, text) == 0 &&
        utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    problems_file_clear(report);
    if (report_file_write(path, text, err) != 0)
        return error_prefix(err, "what is not well cannot be noted");
    report->text = steal(text);
    return 0;
}

bool problems_file_is_newer(const char *state_file, int64_t time)
{
    _cleanup_free_ char *path = path_of(state_file);
    struct stat st;
    return stat(path, &st) == 0 &&
           INT64_C(1000000000) * st.st_mtim.tv_sec + st.st_mtim.tv_nsec > time;
}

void problems_file_clear(struct problems_file *report)
{
    free(report->text);
    report->text = NULL;
}

int problems_file_read(const char *state_file, pid_t pid, struct problem_list *out,
                       int64_t *cycle_end, char digest[UUID_TEXT_SIZE],
                       struct error *err)
{
    _cleanup_free_ char *path = path_of(state_file), *text = NULL;
    struct error why;
    struct stat st;
    *cycle_end = 0;
    digest[0] = 0;
    if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, NULL, &why) != 0) {
        if (why.errnum == ENOENT)
            return 0;
        if (err)
            *err = why;
        return -1;
    }
    char *rest = text, *line = strsep(&rest, "\n");
    if (strtol(line, NULL, 10) != (long)pid)
        return 0;
    const char *space = strchr(line, ' ');
    if (space)
        (void)uuid_parse_text(space + 1, digest);
    if (stat(path, &st) == 0)
        *cycle_end = st.st_mtime;
    while ((line = strsep(&rest, "\n")))
        if (*line)
            problems_add(out, NULL, line);
    return 0;
}
