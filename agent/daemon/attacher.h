/*
 * attacher: gives guests their devices, through vgpu-agent-libvirt: starts that program
 * where it is to run, starts it again when it ends, tells it after each cycle which
 * devices guests are to have, and keeps what it says of libvirt's domains. A libvirt
 * that hangs keeps that program waiting, never the daemon.
 *
 * One thread, the daemon's. Nothing here waits, but attacher_take_back() for a second
 * at most.
 */
#ifndef AGENT_DAEMON_ATTACHER_H
#define AGENT_DAEMON_ATTACHER_H

#include "agent/cycle.h"
#include "agent/daemon/attacher_view.h"
#include "agent/daemon/watch.h"
#include "agent/report/problems.h"

struct attacher;

struct attacher_user {
    /* Before the program is started: libvirt may be asked to give devices from now on. */
    void (*starts)(void *data);
    void *data;
};

/* `left_until`: as of attach_left_until(). */
struct attacher *attacher_new(const struct attacher_user *user, int64_t left_until);
void attacher_free(struct attacher *attacher);
DEFINE_CLEANUP(struct attacher *, attacher_free)

/* To be called before each cycle: starts or leaves the program, as the configuration
 * and the host want. Logs when that changes. `config` is borrowed until the next
 * call. */
void attacher_follow(struct attacher *attacher, const struct config *config);
/* For the daemon's loop. attacher_run() does the same work while the loop does not
 * wait. */
struct watch attacher_watch(struct attacher *attacher);
void attacher_run(struct attacher *attacher);

/* To be called before each cycle, and after each that has read Placement, after
 * attacher_note_cycle(). */
void attacher_begin_cycle(struct attacher *attacher);
void attacher_end_cycle(struct attacher *attacher, const struct cycle *cycle);
/* To be called after each cycle that has read Placement: makes the table, and sends it
 * if it has changed. */
void attacher_note_cycle(struct attacher *attacher, const struct cycle *cycle,
                         const struct guests *guests);

/* What the program wants to know, the oldest first: what a domain has, for which its
 * table has nothing; or whether the table is still true for one that was stopped or
 * undefined. */
struct attach_question {
    uint64_t id; /* grows with each question since the daemon's start */
    char consumer[UUID_TEXT_SIZE];
    uint64_t number; /* of a doubt, which is answered; 0: none */
    uint64_t life;   /* of a doubt about a domain that is stopped; 0: it is not */
};
/* Whether one of the first `count` questions is about the consumer's domain that was
 * defined or started, so that a guest waits for the answer. */
bool attach_questions_wait(const struct attach_question *all, size_t count,
                           const char *consumer);
const struct attach_question *attacher_questions(const struct attacher *attacher,
                                                 size_t *count);
/* The question of that id has been answered, by one request or by a cycle that began later
 * than it came, and the table says it: the program is told where it waits for that.
 * `allocations`: what the consumer has (agent/daemon/lives.h); NULL: that was not asked. A
 * question of a program that has ended meanwhile is gone: then nothing is done. */
void attacher_answered(struct attacher *attacher, uint64_t id,
                       const struct strlist *allocations);
/* The table that was made last. */
const struct wanted_table *attacher_table(const struct attacher *attacher);
/* The providers that allocations were read of in the last cycle (uuids); NULL: none was
 * read yet. */
const struct strlist *attacher_providers(const struct attacher *attacher);
/* Consumers in the table whose domain has gone since the last call. The caller clears the
 * list. */
struct strlist attacher_take_gone(struct attacher *attacher);
/* Whether the program has said anything since the last call. */
bool attacher_has_news(struct attacher *attacher);

/* For struct executor: takes back these devices from guests that do not have them yet,
 * and adds to `held` those that may still be given to one. */
void attacher_take_back(void *attacher, const struct strlist *addresses,
                        struct strlist *held);

/* Takes all devices back, for an orderly end. False: libvirt may still be giving one to
 * a guest. */
bool attacher_end(struct attacher *attacher);

/* Whether a call may be left to libvirt if the daemon ends now (attach_left.h). */
bool attacher_may_be_left(const struct attacher *attacher);

/* What the program has said. */
const struct attacher_view *attacher_view(const struct attacher *attacher);
/* Whether the program is to run; *reason: why not, NULL where it is. Borrowed. */
bool attacher_is_on(const struct attacher *attacher, const char **reason);
/* What the program has told of since the daemon's start. */
struct attach_times {
    uint64_t refusals; /* times that libvirt refused a device */
    uint64_t
        configured; /* definitions whose devices were configured before the start */
    uint64_t configured_ms; /* how long that took in all */
};
struct attach_times attacher_times(const struct attacher *attacher);
/* Adds what is not well. */
void attacher_problems(const struct attacher *attacher, struct problem_list *out);

#endif
