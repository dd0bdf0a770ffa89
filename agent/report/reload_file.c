#include "agent/report/reload_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/report/report_file.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define MAX_SIZE 65536

static char *path_of(const char *state_file)
{
    return xasprintf("%s.reload", state_file);
}

int64_t reload_clock(void)
{
    return clock_monotonic_ns();
}

int reload_answer_write(const char *state_file, int64_t begun, const char *problem,
                        struct error *err)
{
    _cleanup_free_ char *path = path_of(state_file);
    _cleanup_free_ char *text = xasprintf("%ld %lld\n%s\n", (long)getpid(),
                                          (long long)begun, problem ? problem : "");
    return report_file_write(path, text, err) == 0
               ? 0
               : error_prefix(err, "what came of the reload cannot be noted");
}

void reload_answer_forget(const char *state_file)
{
    _cleanup_free_ char *path = path_of(state_file);
    (void)unlink(path);
}

bool reload_answer_read(const char *state_file, pid_t pid, int64_t since,
                        char **problem)
{
    _cleanup_free_ char *path = path_of(state_file), *text = NULL;
    if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, NULL, NULL) != 0)
        return false;
    char *rest = text, *first = strsep(&rest, "\n"), *end;
    const char *second = strsep(&rest, "\n");
    if (!second || strtol(first, &end, 10) != (long)pid ||
        strtoll(end, NULL, 10) < since)
        return false;
    *problem = *second ? xstrdup(second) : NULL;
    return true;
}
