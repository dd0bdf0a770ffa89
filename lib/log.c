#include "lib/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *journal_prefix;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "<3>"},
    [LOG_LEVEL_WARNING] = {"warning", "<4>"},
    [LOG_LEVEL_INFO] = {"info", "<6>"},
    [LOG_LEVEL_DEBUG] = {"debug", "<7>"},
};

static _Atomic(enum log_level) least = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    least = level;
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].name, name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

/* systemd sets JOURNAL_STREAM to "device:inode" of the stream; a redirected standard
 * error differs. */
static bool goes_to_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;
    char ours[64];
    snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, ours) == 0;
}

const char *log_journal_prefix(enum log_level level)
{
    return goes_to_journal() ? levels[level].journal_prefix : "";
}

void log_message(enum log_level level, const char *subsystem, const char *format, ...)
{
    if (level > least)
        return;
    int saved = errno;
    char line[4096];
    const char *prefix = log_journal_prefix(level);
    int used =
        *prefix ? snprintf(line, sizeof line, "%s%s: ", prefix, subsystem)
                : snprintf(line, sizeof line, "%s %s: ", levels[level].name, subsystem);
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(line + used, sizeof line - (size_t)used, format, args);
    va_end(args);
    size_t length = strnlen(line, sizeof line - 2);
    if (wanted >= (int)(sizeof line - (size_t)used))
        memset(line + length - 3, '.', 3);
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)line[i]))
            line[i] = '?';
    line[length++] = '\n';
    (void)!write(STDERR_FILENO, line, length);
    errno = saved;
}
