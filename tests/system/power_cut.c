/*
 * power_cut: a library to be preloaded (LD_PRELOAD) into a program whose machine is to
 * lose power. It notes what is on disk: for each file what it held when fsync() or
 * fdatasync() last succeeded, for each directory the entries that it had then. All else
 * may be gone after a power cut, or there, or there in part:
 * tests/system/support/power.py makes such a state when the program has been killed.
 *
 * POWER_CUT_STORE names a directory on the same file system, which gets, by inode:
 *
 *     data-INODE   what the file held
 *     names-INODE  the directory's entries, a line "INODE NAME" each
 *
 * What cannot be noted ends the program: a test must not go on half blind. Threads:
 * any.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 64

static int store = -1; /* the directory; -1: nothing is noted */

static void give_up(const char *what)
{
    perror(what);
    abort();
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("POWER_CUT_STORE");
    if (!path)
        return;
    store = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store < 0)
        give_up(path);
}

/* Another look at what `fd` has open, for reading. */
static int open_again(int fd, int flags)
{
    char path[NAME_SIZE];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (again < 0)
        give_up(path);
    return again;
}

static void copy_data(int fd, int to)
{
    int from = open_again(fd, 0);
    char data[65536];
    ssize_t n;
    while ((n = read(from, data, sizeof data)) > 0)
        if (write(to, data, (size_t)n) != n)
            give_up("a copy");
    if (n < 0)
        give_up("a copy");
    close(from);
}

static void copy_names(int fd, int to)
{
    DIR *folder = fdopendir(open_again(fd, O_DIRECTORY));
    if (!folder)
        give_up("a directory");
    const struct dirent *entry;
    struct stat file; /* on some file systems an entry's own number is another */
    while (errno = 0, entry = readdir(folder))
        if (fstatat(dirfd(folder), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
            dprintf(to, "%lu %s\n", file.st_ino, entry->d_name) < 0)
            give_up("a copy");
    if (errno)
        give_up("a directory");
    closedir(folder);
}

/* What is there now is on disk if the call succeeds; what comes meanwhile may not be.
 */
static int note(int (*synchronise)(int), int fd)
{
    struct stat file;
    if (store < 0 || fstat(fd, &file) != 0 ||
        (!S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode)))
        return synchronise(fd);
    char fresh[NAME_SIZE], name[NAME_SIZE];
    const char *kind = S_ISDIR(file.st_mode) ? "names" : "data";
    (void)snprintf(name, sizeof name, "%s-%lu", kind, file.st_ino);
    (void)snprintf(fresh, sizeof fresh, "new-%lu-%d", file.st_ino, gettid());
    int to = openat(store, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0)
        give_up(fresh);
    (S_ISDIR(file.st_mode) ? copy_names : copy_data)(fd, to);
    close(to);
    int rc = synchronise(fd), saved = errno;
    if (rc == 0 && renameat(store, fresh, store, name) != 0)
        give_up(name);
    errno = saved;
    return rc;
}

#define STAND_IN(name)                                 \
    int name(int fd)                                   \
    {                                                  \
        static typeof(name) *next;                     \
        if (!next)                                     \
            *(void **)&next = dlsym(RTLD_NEXT, #name); \
        return note(next, fd);                         \
    }

STAND_IN(fsync)
STAND_IN(fdatasync)
