/*
 * questions: answers vgpu-agent-libvirt, which asks whether a domain that was defined or
 * started has an allocation here, where its table has nothing for it and Placement was
 * not read since; and whether the table is still true for a domain that was stopped or
 * undefined before, since a resize may have changed its allocations. A guest without a
 * GPU costs one request, and so does one whose allocations are as they were; where there
 * is an allocation, its devices are made at once (cycle_serve()). What takes more than
 * that, or many guests that are defined at a time, is left to a whole cycle at once, which
 * answers all that was asked before it began.
 * No question is lost: what Placement cannot answer now waits for a cycle that can read
 * it. One thread, the daemon's.
 */
#ifndef AGENT_DAEMON_QUESTIONS_H
#define AGENT_DAEMON_QUESTIONS_H

#include "agent/daemon/attacher.h"

struct questions_user {
    /* Gives a new consumer its devices at once, and tells the program of them. False: a
     * whole cycle is to do that. */
    bool (*serve)(void *data, const struct consumer_allocations *have);
    /* A cycle is wanted in the next moments. */
    void (*cycle_soon)(void *data);
    void *data;
};

/* All zero: nothing was asked. */
struct questions {
    bool in_cycle; /* the next cycle answers */
    uint64_t last; /* the id of the last that the cycle that runs now answers */
};

/* Answers what one request can answer. True: a cycle is to be run at once. */
bool questions_answer(struct questions *questions, struct attacher *attacher,
                      struct agent *agent, enum agent_mode mode,
                      const struct questions_user *user);

/* To be called before and after each cycle. `told`: the cycle has read Placement, and the
 * program's table is of it; else its questions wait for the next one. `seen`: what it has
 * read; NULL: that counts no longer, since a write to Placement has failed. */
void questions_begin_cycle(struct questions *questions, const struct attacher *attacher,
                           struct agent *agent);
void questions_end_cycle(struct questions *questions, struct attacher *attacher,
                         bool told, const struct observed *seen);

#endif
