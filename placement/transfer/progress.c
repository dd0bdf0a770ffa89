#include "placement/transfer/progress.h"

#include <stdarg.h>
#include <unistd.h>

#include "lib/clock.h"

#define TERMINAL_MS 200
#define LOG_MS 10000

void progress_open(struct progress *progress, FILE *out)
{
    *progress = (struct progress){.out = out, .terminal = isatty(fileno(out))};
}

void progress_begin(struct progress *progress, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(progress->what, sizeof progress->what, format, list);
    va_end(list);
    progress->begun = progress->told = clock_monotonic_ms();
}

void progress_tell(struct progress *progress, size_t done, size_t total)
{
    int64_t now = clock_monotonic_ms();
    bool end = done == total;
    if (!progress->out ||
        (!end && now - progress->told < (progress->terminal ? TERMINAL_MS : LOG_MS)))
        return;
    progress->told = now;
    fprintf(progress->out, "%s%s %zu of %zu", progress->terminal ? "\r" : "",
            progress->what, done, total);
    if (end)
        fprintf(progress->out, " in %.1f s", (double)(now - progress->begun) / 1000);
    fputs(end || !progress->terminal ? "\n" : "", progress->out);
    fflush(progress->out);
}
