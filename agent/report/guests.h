/*
 * guests: how the guest of each consumer stands: whether it has what is allocated to it.
 * The consumers and their devices come from a cycle; what the guests have comes from
 * libvirt's domains, as its files or libvirt itself tell of them. Pure: no I/O, no
 * clock.
 *
 * What cannot be seen is unknown, never attached. A guest that runs for more than a
 * minute without what is allocated to it is a problem, whoever was to attach it; and in
 * owner mode so is one that runs with a device of this host's that is not: a resize may
 * have come between, or the whole allocation was deleted under it. What others have made,
 * or the agent by hand, a guest that is no consumer's may have.
 */
#ifndef AGENT_REPORT_GUESTS_H
#define AGENT_REPORT_GUESTS_H

#include "agent/attach/message.h"
#include "agent/cycle.h"
#include "agent/report/problems.h"

#define GUESTS_PATIENCE 60 /* seconds */

/* What vgpu-agent-libvirt says of one consumer's guest. */
struct guest_word {
    char consumer[UUID_TEXT_SIZE];
    enum guest_state state;
    char *reason; /* NULL: none */
};

struct guest_row {
    char consumer[UUID_TEXT_SIZE];
    int64_t units; /* that are allocated to it here, and the functions of cards */
    struct strlist devices; /* the addresses of its devices, also of those to come */
    bool known;             /* false: its guest cannot be seen */
    enum guest_state state; /* where known */
    char *reason;           /* NULL: there is nothing to say */
    int64_t since;          /* when it came to stand so, in seconds since the epoch */
    /* Since when it runs without its devices, as `now` below; -1: it does not, or that
     * is not known. */
    int64_t lacking_since;
    /* The addresses of devices that it runs with, and that are not allocated to it; and
     * since when it has any, as `now`; -1: it has none that can be seen. */
    struct strlist surplus;
    int64_t surplus_since;
};

/* All zero: no consumers. Sorted by consumer. */
struct guests {
    struct guest_row *rows;
    size_t count;
    /* Owner mode: the addresses of all devices of the host, none of which a guest may
     * have unless it is allocated to it. */
    struct strlist present;
    /* Owner mode: those of them that the agent has made for consumers and that stand for
     * no migration, as far as their providers were read; and all consumers of these,
     * sorted. */
    struct strlist made, consumers;
    /* Domains that run with one of them and are no consumer's. Of their members only
     * `consumer`, which is the domain's uuid, `surplus` and `surplus_since` count. */
    struct guest_row *strangers;
    size_t stranger_count;
};

/* Takes the consumers from the plan of a cycle that has read Placement; what is known of
 * their guests stays. */
void guests_note_plan(struct guests *guests, const struct cycle *cycle);

/* The devices that guests are to be healed with count as theirs (agent/daemon/heal.h): a
 * plan knows of them only once the domains name them. */
void guests_note_healed(struct guests *guests, const struct wanted_table *table);

struct guests_sight {
    const struct domains *domains;
    /* Which of libvirt's domains can be seen at all; a view of libvirt's own that is
     * complete shows both. */
    bool sees_running, sees_defined;
    const struct guest_word *words; /* none where the program does not run */
    size_t word_count;
    const char *nobody; /* why nobody of the agent's attaches devices; NULL: somebody
                           does */
    int64_t now;        /* seconds of a clock that only goes forward */
    int64_t time;       /* seconds since the epoch */
};
void guests_note_domains(struct guests *guests, const struct guests_sight *sight);

/* Adds a problem for each guest that runs for GUESTS_PATIENCE without what is allocated
 * to it, or with what is not. Gives when the next one is to be added; -1: there is none
 * to come. */
int64_t guests_problems(const struct guests *guests, int64_t now,
                        struct problem_list *out);
bool guest_is_overdue(const struct guest_row *row, int64_t now);

/* "attached", "waits_for_port", ...; "unknown". */
const char *guest_row_state(const struct guest_row *row);
/* NULL: the consumer has no allocation here. */
const struct guest_row *guests_find(const struct guests *guests, const char *consumer);
/* How many stand so; `state` NULL: cannot be seen. */
size_t guests_count(const struct guests *guests, const enum guest_state *state);
void guests_clear(struct guests *guests);
#define _cleanup_guests_ _cleanup_(guests_clear)

#endif
