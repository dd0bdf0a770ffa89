/*
 * slow_sync: a library to be preloaded (LD_PRELOAD) into a program whose disk is to be
 * slow: each fsync() and fdatasync() takes SLOW_SYNC_MS milliseconds more. Threads:
 * any.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct timespec delay;
static int (*real_fsync)(int), (*real_fdatasync)(int);

__attribute__((constructor)) static void start(void)
{
    const char *text = getenv("SLOW_SYNC_MS");
    long milliseconds = text ? strtol(text, NULL, 10) : 0;
    delay = (struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000};
    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    if (!real_fsync || !real_fdatasync)
        abort();
}

static void wait_for_disk(void)
{
    struct timespec left = delay;
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

int fsync(int fd)
{
    wait_for_disk();
    return real_fsync(fd);
}

int fdatasync(int fd)
{
    wait_for_disk();
    return real_fdatasync(fd);
}
