/*
 * rewrites: finds writes to Placement that somebody else undoes each time: another
 * agent with the same root (a cloned configuration, one compute_id on two hosts),
 * nova-compute that writes the same children, or a script. Each side only sees that
 * something is to be set and sets it, without end. Plain memory, no I/O, no clock.
 */
#ifndef AGENT_ACT_REWRITES_H
#define AGENT_ACT_REWRITES_H

#include "agent/act/plan_execute.h"

/* The last write of one kind to one provider. */
struct rewrite {
    char provider[UUID_TEXT_SIZE];
    enum step_kind kind; /* SET_INVENTORY or SET_TRAITS */
    char *text;          /* what was written, for people */
    unsigned times;      /* how often the same was written in a row */
    int64_t at;          /* time of the last write, in seconds */
};

/* Initialise with zeros: nothing was written yet. */
struct rewrites {
    struct rewrite *items;
    size_t count;
};

void rewrites_clear(struct rewrites *rewrites);

/* Records the successful writes of `execution` of `plan`; `now` in seconds. */
void rewrites_note(struct rewrites *rewrites, const struct plan *plan,
                   const struct execution *execution, int64_t now);

/* Adds a line for each provider to which the same was written at least three times, the
 * last time within ten minutes. */
void rewrites_report(const struct rewrites *rewrites, int64_t now, struct strlist *out);

#endif
