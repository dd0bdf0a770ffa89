#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/printable.h"

#define PATIENCE 100 /* milliseconds */

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
static atomic_bool has_file;

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

const char *log_level_name(enum log_level level)
{
    return levels[level].name;
}

int log_to_file(const char *path, struct error *err)
{
    _cleanup_close_ int fd =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        return error_set_errno(err, errno, "%s", path);
    has_file = true;
    return 0;
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

/* ---- a reader that does not read ---- */

/* Atomic variables rather than a lock: a process that is forked while another thread
 * holds the lock would wait for ever. */
static atomic_bool stalled; /* the last line could not be written */
static atomic_ulong lost;

/* Whether a line can be written without waiting. A pipe with nobody at its end, or one
 * who hangs, must not hold the program up: it is waited for once, and no more until it
 * reads again. */
static bool has_reader(void)
{
    struct pollfd item = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&item, 1, stalled ? 0 : PATIENCE) != 0;
}

/* Writes the prefix of a line and gives its length. */
static int write_start(char *line, size_t size, enum log_level level,
                       const char *subsystem)
{
    const char *prefix = log_journal_prefix(level);
    if (*prefix)
        return snprintf(line, size, "%s%s: ", prefix, subsystem);
    char when[32] = "";
    if (has_file) {
        time_t now = time(NULL);
        struct tm parts;
        gmtime_r(&now, &parts);
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ ", &parts);
    }
    return snprintf(line, size, "%s%s %s: ", when, levels[level].name, subsystem);
}

static void write_lost(void)
{
    char line[128];
    int used = write_start(line, sizeof line, LOG_LEVEL_WARNING, "log");
    used += snprintf(line + used, sizeof line - (size_t)used,
                     "%lu lines were not written, as nobody read them\n",
                     atomic_exchange(&lost, 0));
    (void)!write(STDERR_FILENO, line, (size_t)used);
}

static void write_line(const char *line, size_t length)
{
    stalled = !has_reader();
    if (!stalled && lost > 0) {
        write_lost();
        stalled = !has_reader();
    }
    if (stalled)
        lost++;
    else
        (void)!write(STDERR_FILENO, line, length);
}

void log_message(enum log_level level, const char *subsystem, const char *format, ...)
{
    if (level > least)
        return;
    int saved = errno;
    char line[4096];
    int used = write_start(line, sizeof line, level, subsystem);
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(line + used, sizeof line - (size_t)used, format, args);
    va_end(args);
    size_t length = strnlen(line, sizeof line - 2);
    if (wanted >= (int)(sizeof line - (size_t)used))
        memset(line + length - 3, '.', 3);
    length = printable_make(line, length);
    line[length++] = '\n';
    write_line(line, length);
    errno = saved;
}
