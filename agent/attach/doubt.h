/*
 * doubt: whether what the table has for a domain's consumer may be used, once the domain
 * was stopped or undefined. Plain data. Times are milliseconds of the monotonic clock.
 *
 * A resize and its revert change the allocations of a server without any event of
 * libvirt's, so the daemon is asked, and asks Placement. An answer to a question from
 * after the definition always counts. But Nova starts a guest 4 to 80 ms after it has
 * defined it, and Placement may take longer than that. So the daemon is also asked when
 * the domain is stopped and when it is undefined (an early question), then again and
 * again for a while as long as it is undefined; and with the answer it says for how long
 * it counts (agent/daemon/lives.h). Nova's actions, from the stop to the definition:
 *
 *   hard reboot, start,    stop, undefine, define. The allocations stay. An early answer
 *   rebuild                counts for a moment, if no migration was there while the
 *                          guest ran
 *   resize                 allocations, stop, define. A migration comes while the guest
 *                          runs, so the allocations of the early answer are the new ones
 *   resize of a guest      allocations, define. It was stopped long before: no early
 *   that is shut off       answer counts any more. Neither a stop nor an undefinition
 *                          comes before a second one, so each definition of a guest
 *                          that has not started since begins a new doubt
 *   confirm                the migration's allocations go; the guest runs on
 *   revert                 stop, undefine, allocations, define. The migration was there
 *                          while the guest ran, so an early answer counts only where it
 *                          shows other allocations than one before it
 *   shelve, unshelve       stop, undefine, no allocations; allocations, define. Without
 *                          allocations the table has no entry, and the next definition
 *                          is that of a new domain. That Nova shelves and unshelves takes
 *                          it longer than an early answer counts
 *
 * A definition that an early answer counts for is acted on at once, and the daemon is
 * asked all the same: should the answer differ, the table changes, and what is wrong is
 * taken out of the configuration, also where the consumer is to have nothing any more
 * (agent/daemon/attach_table.h). What the guest has started with by then stays.
 *
 * libvirt tells of a change of the configuration by a definition, too, so of the agent's
 * own attach. That is one more question, and ends with it: a guest that has what it is to
 * have is not changed again.
 *
 * A life of a domain begins with its first definition or start after a stop, and with
 * each connection; its number tells the daemon whether what it has seen of a guest that
 * runs is about the same life as a question. No two lives have the same number.
 */
#ifndef AGENT_ATTACH_DOUBT_H
#define AGENT_ATTACH_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#define DOUBT_EARLY_MOST 2    /* early questions under way, of all domains */
#define DOUBT_PAUSE 500       /* from one to the next, about one domain, at the least */
#define DOUBT_PAUSE_SHORT 100 /* the same in the first DOUBT_SHORT */
#define DOUBT_SHORT 5000
#define DOUBT_LONG 120000 /* after that nobody waits for it */

struct doubt {
    uint64_t life;   /* the last one; 0: not known, nothing can be said about it */
    bool stopped;    /* the last life is over */
    bool started;    /* it was seen to start or to run, in this life */
    bool doubts;     /* what the table has may be old */
    bool verifies;   /* it is to be asked, though an early answer counts */
    uint64_t number; /* of the question from after the definition; 0: not asked yet */

    uint64_t early; /* the number of the early question under way; 0: none is */
    int64_t early_at;
    int64_t next_early; /* when the next may be asked; -1: none is to be asked */
    bool asked_early;   /* since the stop */
    int64_t stopped_at;
    int64_t counts_until; /* a definition until then is acted on at once; -1: none */
    int64_t defined_at;   /* the last time, in the life that is doubted; -1: not yet */
};

/* Sure, of a life whose number is not known. */
#define DOUBT_NONE \
    ((struct doubt){.next_early = -1, .counts_until = -1, .defined_at = -1})

/* ---- events */

/* It was stopped or undefined. */
void doubt_stop(struct doubt *doubt, int64_t now);
/* It was defined, or (`starts`) started. `life`: the number of a life that begins now. */
void doubt_define(struct doubt *doubt, bool starts, uint64_t life, int64_t now);
/* It was found at a connection. */
void doubt_connect(struct doubt *doubt, uint64_t life);
/* A look has shown that it runs. `life`: the last one when the look began. */
void doubt_see_running(struct doubt *doubt, uint64_t life);
/* The connection is lost: no answer counts, and the life has no number any more. */
void doubt_disconnect(struct doubt *doubt);
/* The table may be old, for any reason. */
void doubt_begin(struct doubt *doubt);

/* ---- questions */

/* When an early question is to be asked; -1: not now. `present`: the domain is defined, as
 * far as is known. The caller judges whether it is of use. */
int64_t doubt_early_at(const struct doubt *doubt, bool present);
void doubt_ask_early(struct doubt *doubt, uint64_t number, int64_t now);
/* `lasts`: for how many milliseconds from the question the answer counts. False: the
 * number is of no question that waits. */
bool doubt_answered(struct doubt *doubt, uint64_t number, int64_t lasts, int64_t now);

#endif
