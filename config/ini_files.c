#include "config/ini_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/files.h"
#include "lib/user.h"
#include "lib/xalloc.h"

static char *explain_denied(const char *path)
{
    struct stat st;
    _cleanup_free_ char *user = user_name(geteuid());
    if (stat(path, &st) != 0)
        return xasprintf("; the user %s may not look into a folder on its way", user);
    _cleanup_free_ char *owner = user_name(st.st_uid);
    return xasprintf("; the user %s may not read it, which belongs to %s (mode %04o)",
                     user, owner, (unsigned)st.st_mode & 07777);
}

/* Further details of why a file (or, with `folder`, a folder) could not be read; ""
 * when there are none. The caller frees. */
static char *explain(const char *path, int errnum, bool folder)
{
    struct stat st;
    if (errnum == EACCES)
        return explain_denied(path);
    if (folder && errnum == ENOTDIR)
        return xstrdup(
            "; expected a folder, of whose files those that end in .conf are "
            "read");
    if (!folder && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return xstrdup("; a folder is read with --config-dir");
    return xstrdup(*path ? "" : "an empty name in place of a path");
}

static void not_read(struct ini *ini, const char *path, const struct error *why,
                     bool folder, struct config_problems *problems)
{
    _cleanup_free_ char *more = explain(path, why->errnum, folder);
    ini->incomplete = true;
    config_error(problems, NULL, "%s%s", *path ? why->text : "", more);
}

void ini_read_file(struct ini *ini, const char *path, struct config_problems *problems)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    struct error err;
    if (file_read_at(AT_FDCWD, path, INI_FILE_MAX, &text, &length, &err) != 0) {
        not_read(ini, path, &err, false, problems);
        return;
    }
    ini_read_text(ini, path, text, length, problems);
    explicit_bzero(text, length);
}

static int is_conf(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot && strcmp(dot, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_directory(struct ini *ini, const char *path,
                           struct config_problems *problems)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_conf, by_name);
    if (count < 0) {
        struct error err;
        (void)error_set_errno(&err, errno, "%s", path);
        not_read(ini, path, &err, true, problems);
        return;
    }
    if (count == 0)
        config_warning(problems, NULL, "%s: no file in it ends in .conf", path);
    for (int i = 0; i < count; i++) {
        _cleanup_free_ char *file = xasprintf("%s/%s", path, entries[i]->d_name);
        ini_read_file(ini, file, problems);
        free(entries[i]);
    }
    free(entries);
}

void ini_read_all(struct ini *ini, const struct strlist *files,
                  const struct strlist *dirs, struct config_problems *problems)
{
    for (size_t i = 0; i < files->count; i++)
        ini_read_file(ini, files->items[i], problems);
    for (size_t i = 0; i < dirs->count; i++)
        read_directory(ini, dirs->items[i], problems);
}
