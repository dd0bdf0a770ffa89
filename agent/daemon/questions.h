/*
 * questions: answers vgpu-agent-libvirt, which asks whether a domain that was defined or
 * started has an allocation here: its table has nothing for it, and Placement was not
 * read since. A guest without a GPU costs one request; where there is an allocation, its
 * devices are made at once (cycle_serve()). What takes more than that, or many guests at
 * a time, is left to a whole cycle at once, which answers all that was asked before it
 * began.
 * No question is lost: what Placement cannot answer now waits for a cycle that can read
 * it. One thread, the daemon's.
 */
#ifndef AGENT_DAEMON_QUESTIONS_H
#define AGENT_DAEMON_QUESTIONS_H

#include "agent/daemon/attacher.h"

/* Gives a new consumer its devices at once, and tells the program of them. False: a whole
 * cycle is to do that. */
struct questions_user {
    bool (*serve)(void *data, const struct consumer_allocations *have);
    void *data;
};

/* All zero: nothing was asked. */
struct questions {
    bool moved; /* the next cycle is to see each new allocation, though nobody asks */
    bool in_cycle; /* the next cycle answers */
    size_t count;  /* of those that the cycle that runs now answers */
};

/* Answers what one request can answer. True: a cycle is to be run at once, also since a
 * guest that the table has something for was defined or started: its allocations may
 * have changed since Placement was read, by a resize. */
bool questions_answer(struct questions *questions, struct attacher *attacher,
                      struct agent *agent, enum agent_mode mode,
                      const struct questions_user *user);

/* To be called before and after each cycle; `seen`: it has read Placement. */
void questions_begin_cycle(struct questions *questions, const struct attacher *attacher,
                           struct agent *agent);
void questions_end_cycle(struct questions *questions, struct attacher *attacher,
                         bool seen);

#endif
