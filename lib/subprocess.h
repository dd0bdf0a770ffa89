/*
 * subprocess: a process that does for the agent what may block in the kernel, out of
 * reach of any signal, for as long as a driver likes.
 *
 * Children, not threads: a thread that is stuck in the kernel would keep the whole
 * process, with its memory and its lock files, alive after it was told to go or was
 * killed, and the next agent would find the door locked. A child has no descriptor but
 * its socket, takes no memory but the pages it changes, and is left behind when the
 * agent goes; init reaps it. It blocks all signals, so that stopping the service does
 * not break off a create half way.
 *
 * What may hang in a library instead of the kernel, or needs threads, is a program of
 * its own (subprocess_exec): nothing of it is in the agent. doc/processes.rst has the
 * reasons and the figures.
 *
 * Threads: whoever starts one has one thread of its own. A library's may be there as
 * well (some versions of libcurl leave their resolver's behind when a name server does
 * not answer), so work() calls nothing that takes a lock which glibc's fork() does not
 * see to: malloc and stdio are safe, dlopen(), getaddrinfo() and what uses them (iconv,
 * NSS) are not.
 * SIGCHLD must not be ignored.
 */
#ifndef LIB_SUBPROCESS_H
#define LIB_SUBPROCESS_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

/* The descriptor that a child has its socket at. */
#define CHILD_SOCKET 3

struct subprocess {
    pid_t pid;
    int socket; /* readable when the subprocess has written something or has ended */
};

/* Starts a process that calls work(data, socket) and ends. Its `socket` is the other
 * end of child->socket, which the caller closes. `name` is what ps(1) shows, at most 15
 * characters. */
int subprocess_start(struct subprocess *child, const char *name,
                     void (*work)(const void *data, int socket), const void *data,
                     struct error *err);

/* The same for a program: argv[0] is its path, and CHILD_SOCKET its end of the socket.
 * It has no other descriptor but the standard ones: the first two are /dev/null,
 * standard error is ours. It begins with all signals at their defaults and none
 * blocked, and is to end when its socket does. NOT_FOUND, FORBIDDEN, ... when it cannot
 * be run. */
int subprocess_exec(struct subprocess *child, char *const argv[], struct error *err);

/* Runs a program with the descriptors that `actions` makes, all signals at their
 * defaults and none blocked. `own_group`: it gets a process group of its own, so that
 * what it starts can be ended with it. 0, or an errno. */
int subprocess_spawn(pid_t *pid, char *const argv[],
                     const posix_spawn_file_actions_t *actions, bool own_group);

/* Waits for the end of a process that is about to end. Gives the signal that killed it,
 * or 0. */
int subprocess_wait(const struct subprocess *child);

#endif
