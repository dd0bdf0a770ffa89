#include "agent/state/boot_clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/files.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static void read_boot(char boot[UUID_TEXT_SIZE])
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    *boot = 0;
    if (file_read_at(AT_FDCWD, BOOT_ID, 4096, &text, &length, NULL) != 0)
        return;
    text[strcspn(text, "\n")] = 0;
    (void)uuid_parse_text(text, boot);
}

struct boot_time boot_time_now(void)
{
    struct boot_time now = {.time = time(NULL), .uptime = clock_boot_seconds()};
    read_boot(now.boot);
    return now;
}

/* Sets a time to the present one, where it is set. */
static bool begin_again(int64_t *since, const struct boot_time *now)
{
    if (*since)
        *since = now->time > 0 ? now->time : 1;
    return *since != 0;
}

bool boot_clock_follow(struct journal *journal, const struct boot_time *now)
{
    bool changed = false;
    if (*now->boot && strcmp(now->boot, journal->boot) == 0)
        return false;
    uuid_text_copy(journal->boot, now->boot);
    journal->booted_at = now->time - now->uptime;
    for (size_t i = 0; i < journal->device_count; i++)
        changed |= begin_again(&journal->devices[i].released_at, now);
    changed |= begin_again(&journal->doubted_since, now);
    changed |= begin_again(&journal->replaced_at, now);
    return changed;
}

int64_t boot_clock_time(const struct journal *journal, int64_t uptime)
{
    return journal->booted_at + uptime;
}
