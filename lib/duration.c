#include "lib/duration.h"

#include <stddef.h>

#include "lib/xalloc.h"

char *duration_text(int64_t seconds)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"days", 86400}, {"hours", 3600}, {"minutes", 60}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (seconds >= 2 * units[i].seconds)
            return xasprintf("%lld %s", (long long)(seconds / units[i].seconds),
                             units[i].name);
    return xasprintf("%lld s", (long long)seconds);
}
