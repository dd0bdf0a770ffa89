#include "agent/daemon/domain_watch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/folder.h"

/* The time of a change that comes within the same tick of the kernel's clock is the same:
 * what is so young is read again. */
#define TOO_YOUNG 1 /* seconds */

/* When the folder was changed last; all zero: it is not there. */
static struct timespec changed_at(int root, const char *path)
{
    struct stat st;
    if (!path || fstatat(root, *path ? path : ".", &st, 0) != 0)
        return (struct timespec){0};
    return st.st_mtim;
}

static bool is_same(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_settled(struct timespec at, time_t now)
{
    return at.tv_sec != 0 && now > at.tv_sec + TOO_YOUNG;
}

void domain_watch_look(struct domain_watch *watch, const struct use_places *places)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, places->root);
    struct timespec running = changed_at(root, places->running),
                    defined = changed_at(root, places->defined);
    if (watch->known && is_same(running, watch->running) &&
        is_same(defined, watch->defined))
        return;
    time_t now = time(NULL);
    domains_clear(&watch->seen);
    domains_read(root, places, &watch->seen, &watch->unseen);
    watch->running = running;
    watch->defined = defined;
    watch->known = is_settled(running, now) && is_settled(defined, now);
}

void domain_watch_clear(struct domain_watch *watch)
{
    domains_clear(&watch->seen);
    *watch = (struct domain_watch){0};
}
