/*
 * mdevsim: mounts a simulated GPU host: a sysfs that behaves as the kernel's does.
 * Stays in the foreground; says "mounted" on standard output when it can be used; ends
 * and unmounts on SIGTERM, SIGINT or an unmount.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/error.h"
#include "tests/sim/mount.h"
#include "tests/sim/sim.h"

static const char usage[] =
    "usage: mdevsim --host FILE MOUNTPOINT\n"
    "       mdevsim --can-mount\n"
    "Mounts the simulated sysfs of the GPU host that FILE describes. mdevsim(1) has\n"
    "what FILE can say, and what MOUNTPOINT/.mdevsim/control takes.\n"
    "\n"
    "  --host FILE   the host, in JSON\n"
    "  --check       only read FILE and say what is wrong with it\n"
    "  --can-mount   say why nothing can be mounted here, if so; exit status 1 then\n"
    "  --help        this text\n"
    "  --version     the version\n";

static void say_mounted(void *context)
{
    printf("mounted %s\n", (const char *)context);
    fflush(stdout);
}

static int say_whether_it_can_mount(void)
{
    struct error err = {0};
    if (mount_check(&err) == 0)
        return 0;
    puts(err.text);
    return 1;
}

static int run(const char *host, char *mountpoint, struct error *err)
{
    _cleanup_(description_freep) struct description *description = NULL;
    if (description_read(host, &description, err) != 0)
        return -1;
    if (!mountpoint)
        return 0;
    if (mount_check(err) != 0)
        return -1;
    _cleanup_(sim_freep) struct sim *sim = sim_new_take(steal(description));
    return mount_serve(sim, mountpoint, say_mounted, mountpoint, err);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"host", required_argument, NULL, 'h'}, {"check", no_argument, NULL, 'c'},
        {"can-mount", no_argument, NULL, 'm'},  {"help", no_argument, NULL, 'H'},
        {"version", no_argument, NULL, 'V'},    {0}};
    const char *host = NULL;
    bool check = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            host = optarg;
            break;
        case 'c':
            check = true;
            break;
        case 'm':
            return say_whether_it_can_mount();
        case 'V':
            puts("mdevsim " VERSION);
            return 0;
        case 'H':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (!host || argc - optind != (check ? 0 : 1)) {
        fputs(usage, stderr);
        return 2;
    }
    /* Before any thread is there: only the one that waits for them gets them. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);

    struct error err = {0};
    if (run(host, check ? NULL : argv[optind], &err) != 0) {
        fprintf(stderr, "mdevsim: %s\n", err.text);
        return 1;
    }
    return 0;
}
