/*
 * watcher_world: a random world around a watcher: libvirt with its events, Nova and
 * operators that do things to domains, workers whose jobs overlap with all of it, and a
 * daemon that gives devices out, takes them back, and gives them to others. It fails
 * the test where a rule is broken that holds at every moment:
 *
 *   - a device is attached only to a guest that the daemon has given it to, and has not
 *     had back: taken out of the table, and then no longer busy;
 *   - the watcher names each device that may be attached, in its table or as busy;
 *   - at most one job of a domain is under way;
 *   - a guest that was restored gets nothing live in the time that is Nova's;
 *   - a domain that is defined or started without an entry is asked for at once;
 *   - one that was stopped or undefined before is given nothing before the daemon has
 *     answered a question that came later;
 *   - one that is shut off is asked for at each definition.
 */
#ifndef TESTS_UNIT_AGENT_ATTACH_WATCHER_WORLD_H
#define TESTS_UNIT_AGENT_ATTACH_WATCHER_WORLD_H

#include "agent/attach/watcher.h"
#include "tests/unit/agent/attach/fake_libvirt.h"

#define WORLD_DOMAINS 4
#define WORLD_DEVICES 6 /* letters, from 'a' on; the last two are PCI devices */
#define WORLD_WORKERS 3
#define WORLD_QUEUE 64
#define NOBODY (-1)

/* A domain, beside what fake_libvirt keeps of it. */
struct world_domain {
    int64_t restored_at; /* when the event of this run was given; -1: not restored */
    uint64_t restored;   /* struct world's `moment` then */
    uint64_t doubt;      /* a question that is not answered yet; 0: none */
    uint64_t early;      /* the same, from while it was stopped */
    bool known, started; /* this life of it, by the events that were given */
    bool detached;       /* somebody has taken a device out of this run */
    bool told;           /* the daemon has been told of it: `guest` */
    struct guest guest;
    bool has_state;
    enum guest_state state;
};

struct world_worker {
    bool busy, has_run;
    uint64_t picked; /* struct world's `moment` then */
    struct settle_job job;
    struct settle_result result;
};

/* A call whose reply was lost, and that libvirt still carries out. */
struct world_late {
    bool pending;
    size_t domain;
    int letter;
    int64_t until; /* -1: not before the connection stands again */
};

enum world_link { LINK_DOWN, LINK_REGISTERED, LINK_LISTED, LINK_UP };

struct world {
    uint64_t random;
    int64_t now;
    uint64_t moment; /* grows with each job and event, since many have one time */
    struct watcher *watcher;
    struct fake_libvirt fake; /* its domains in the order of their numbers */
    struct world_domain domains[WORLD_DOMAINS];
    bool calm; /* nobody does anything, and nothing fails */

    enum world_link link;
    struct strlist listed;
    bool told_all;
    struct {
        size_t domain;
        enum occasion occasion;
    } events[WORLD_QUEUE];
    size_t event_count;

    struct world_worker workers[WORLD_WORKERS];
    struct world_worker *running; /* within a call of settle() */
    struct world_late late;

    /* The daemon's: whom a device is given to, by the table and until it is had back. */
    uint64_t serial;
    int given[WORLD_DEVICES], allowed[WORLD_DEVICES];
    bool whole[WORLD_DOMAINS], heals[WORLD_DOMAINS];
};

void world_make(struct world *world, unsigned seed);
void world_clear(struct world *world);
/* Something happens. */
void world_step(struct world *world);
/* Nothing happens any more, until nothing is left to be done. Fails where that takes
 * too long. */
void world_settle(struct world *world);
/* What holds then. */
void world_check_settled(struct world *world);

/* ---- parts */

int world_roll(struct world *world, int sides);
/* What Nova, operators and the daemon do: one of it. */
void world_act(struct world *world);
void world_give_event(struct world *world);
void world_lose_link(struct world *world);
/* One step on the way to a connection: events first, then the list. */
void world_move_link(struct world *world);
void world_add_event(struct world *world, size_t domain, enum occasion occasion);
void world_give_table(struct world *world);
/* The daemon looks whether it has devices back. */
void world_look_at_holding(struct world *world);
/* Takes all news. `ask`: a number of a domain that must be among those asked for;
 * NOBODY: none must. */
void world_take_news(struct world *world, int ask);

#endif
