#include "tests/unit/agent/host/simhost.h"

#include "tests/unit/test.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/xalloc.h"
#include "tests/sim/mount.h"
#include "tests/sim/sim.h"
#include "tests/unit/tree.h"

static void say_ready(void *context)
{
    if (write(*(const int *)context, "r", 1) != 1)
        _exit(1);
}

static void serve(const char *description, const char *root, int ready)
    __attribute__((noreturn));
static void serve(const char *description, const char *root, int ready)
{
    sigset_t ends;
    struct error err = {0};
    struct description *parsed = NULL;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    /* A failing test must not leave the mount behind. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (description_parse(description, strlen(description), &parsed, &err) != 0)
        errx(1, "%s", err.text);
    struct sim *sim = sim_new_take(parsed);
    int rc = mount_serve(sim, root, say_ready, &ready, &err);
    if (rc != 0)
        warnx("%s", err.text);
    sim_free(sim);
    _exit(rc == 0 ? 0 : 1);
}

struct simhost *simhost_start(const char *description)
{
    int ready[2];
    struct error err = {0};
    if (mount_check(&err) != 0)
        skip_because("%s", err.text);
    struct simhost *host = xcalloc(1, sizeof *host);
    host->root = tree_new();
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    host->pid = fork();
    if (host->pid == 0)
        serve(description, host->root, ready[1]);
    char byte;
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return host;
}

void simhost_stop(struct simhost *host)
{
    int status;
    assert_int_equal(kill(host->pid, SIGTERM), 0);
    assert_int_equal(waitpid(host->pid, &status, 0), host->pid);
    assert_int_equal(status, 0);
    tree_free(host->root);
    free(host);
}

int simhost_store(const struct simhost *host, const char *path, const char *text)
{
    _cleanup_free_ char *full = xasprintf("%s/%s", host->root, path);
    struct error err = {0};
    return attribute_store_at(AT_FDCWD, full, text, &err) == 0 ? 0 : err.errnum;
}

void simhost_control(const struct simhost *host, const char *command)
{
    if (simhost_store(host, ".mdevsim/control", command) != 0)
        fail_msg("%s: not taken", command);
}

char *simhost_stores(const struct simhost *host)
{
    return tree_read(host->root, ".mdevsim/stores");
}
