#include "tests/sim/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/sim/files.h"
#include "tests/sim/sim.h"

/* What libfuse mounts and unmounts with where it may not itself. */
#define FUSERMOUNT "/usr/bin/fusermount3"
#define MTAB "/etc/mtab"

/* Stores that wait take a thread each. */
#define MAX_THREADS 1000
#define IDLE_THREADS 8

struct mount {
    struct sim *sim;
    struct fuse_session *session;
    pthread_t main;
    bool finished;
};

static void wake_up(int signal)
{
    (void)signal;
}

/* Waits for a signal to end; then wakes what waits in the simulator, and the loop in
 * the main thread, which sleeps until a signal interrupts it. */
static void *wait_for_end(void *context)
{
    struct mount *mount = context;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    int got;
    sigwait(&ends, &got);
    sim_stop(mount->sim);
    fuse_session_exit(mount->session);
    while (!__atomic_load_n(&mount->finished, __ATOMIC_ACQUIRE)) {
        pthread_kill(mount->main, SIGUSR1);
        usleep(1000);
    }
    return NULL;
}

static int serve(struct mount *mount, struct error *err)
{
    struct sigaction action = {.sa_handler = wake_up};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t watcher;
    mount->main = pthread_self();
    int error = pthread_create(&watcher, NULL, wait_for_end, mount);
    if (error)
        return error_set_errno(err, error, "cannot start a thread");

    struct fuse_loop_config *config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
    fuse_loop_cfg_set_idle_threads(config, IDLE_THREADS);
    int rc = fuse_session_loop_mt(mount->session, config);
    fuse_loop_cfg_destroy(config);

    /* After an unmount from outside nobody has told the watcher. */
    __atomic_store_n(&mount->finished, true, __ATOMIC_RELEASE);
    pthread_kill(watcher, SIGINT);
    pthread_join(watcher, NULL);
    return rc < 0 ? error_set_errno(err, -rc, "serving the mount failed") : 0;
}

/* One that was killed leaves a mount that nobody serves. */
static void unmount_dead(const char *mountpoint)
{
    struct stat st;
    if (stat(mountpoint, &st) != 0 && errno == ENOTCONN)
        (void)umount2(mountpoint, MNT_DETACH);
}

/* fusermount3 needs to be root for it, and gives back only what it finds listed. */
static int check_fusermount(struct error *err)
{
    struct stat st;
    if (stat(FUSERMOUNT, &st) != 0)
        return error_set_errno(err, errno, FUSERMOUNT " (package fuse3)");
    if (st.st_uid != 0 || !(st.st_mode & S_ISUID))
        return error_set(err, ERROR_FORBIDDEN, FUSERMOUNT ": is not setuid root");
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return error_set(err, ERROR_FORBIDDEN,
                         FUSERMOUNT ": no_new_privs keeps it from being root");
    if (access(MTAB, R_OK) != 0)
        return error_set(err, ERROR_NOT_FOUND,
                         "no " MTAB ", without which fusermount3 does not unmount; as "
                         "root: ln -s ../proc/self/mounts " MTAB);
    return 0;
}

int mount_check(struct error *err)
{
    _cleanup_close_ int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fuse < 0)
        return error_set_errno(err, errno, "/dev/fuse");
    if (geteuid() != 0)
        return check_fusermount(err);
    if (prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0)
        return error_set(err, ERROR_FORBIDDEN,
                         "root may not mount here: CAP_SYS_ADMIN");
    return 0;
}

int mount_serve(struct sim *sim, const char *mountpoint, void (*ready)(void *context),
                void *context, struct error *err)
{
    struct files files = {.sim = sim, .ready = ready, .context = context};
    struct mount mount = {.sim = sim};
    char name[] = "mdevsim", option[] = "-o",
         options[] = "default_permissions,fsname=mdevsim",
         more_options[] = "allow_other";
    char *argv[] = {name, option, options, option, more_options};
    /* Only root may let others in, unless the system says otherwise. */
    unmount_dead(mountpoint);
    struct fuse_args arguments = FUSE_ARGS_INIT(geteuid() == 0 ? 5 : 3, argv);
    mount.session =
        fuse_session_new(&arguments, &file_operations, sizeof file_operations, &files);
    if (!mount.session)
        return error_set(err, ERROR_IO, "libfuse refuses to start");
    int rc = -1;
    if (fuse_session_mount(mount.session, mountpoint) != 0) {
        (void)error_set(err, ERROR_IO, "cannot mount on %s", mountpoint);
    } else {
        rc = serve(&mount, err);
        fuse_session_unmount(mount.session);
    }
    fuse_session_destroy(mount.session);
    fuse_opt_free_args(&arguments);
    files_clear(&files);
    return rc;
}
