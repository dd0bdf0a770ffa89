/*
 * simhost: mdevsim's file system mounted for one test, served by a child process. For
 * what a plain tree cannot do: errnos, devices that come and go, stores that block.
 */
#ifndef TESTS_UNIT_AGENT_HOST_SIMHOST_H
#define TESTS_UNIT_AGENT_HOST_SIMHOST_H

#include <sys/types.h>

struct simhost {
    char *root; /* the mount point: a sysfs, and .mdevsim */
    pid_t pid;
};

/* `description` is a host file's text. Skips the test where nothing can be
 * mounted. */
struct simhost *simhost_start(const char *description);
void simhost_stop(struct simhost *host);

/* A command for .mdevsim/control that must be taken. */
void simhost_control(const struct simhost *host, const char *command);
/* .mdevsim/stores: one JSON object a line; the caller frees. */
char *simhost_stores(const struct simhost *host);
/* One write(2) to a file: 0 or its errno. */
int simhost_store(const struct simhost *host, const char *path, const char *text);

#endif
