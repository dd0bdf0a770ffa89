/*
 * lives: for how long the answer to a question about a stopped domain counts. Nova
 * changes the allocations of a server at certain moments only (agent/attach/doubt.h), and
 * what was seen while the guest ran tells which of them may still come:
 *
 *   - A revert may come only where a migration was there all the time that the guest has
 *     run. Placement does not say which consumers are migrations, so any consumer without
 *     a domain may be one. Where a look has shown none while the guest ran, it was alone.
 *   - Once its allocations are others than those that it was last seen alone with, or than
 *     those of an earlier answer after the same stop, the action that is under way has
 *     changed them, and does so only once. The answer counts for LIVES_CHANGED.
 *   - Of a guest that was alone, whose allocations stand, they may go only with the
 *     server, and come again only by a new decision of the scheduler's. The answer counts
 *     for LIVES_ALONE, in which Nova does not get so far.
 *   - In all other cases it does not count for a later definition.
 *
 * Pure: no I/O, no clock. One thread, the daemon's.
 */
#ifndef AGENT_DAEMON_LIVES_H
#define AGENT_DAEMON_LIVES_H

#include "agent/host/domains.h"
#include "agent/tree/observed.h"
#include "placement/model.h"

#define LIVES_CHANGED 60000 /* milliseconds */
#define LIVES_ALONE 1000

/* What one domain's consumer has, and in which life (agent/attach/doubt.h) that was
 * seen. */
struct life_sight {
    uint64_t life;              /* 0: not seen */
    struct strlist allocations; /* as lives_allocations() gives them */
};

struct life_record {
    char consumer[UUID_TEXT_SIZE];
    uint64_t
        running; /* the life that it runs in; 0: it does not, or that is not known */
    uint64_t looked; /* `running` when the cycle that runs now began, if it still is */
    struct life_sight alone;
    struct life_sight stopped; /* in the first answer after that life */
};

/* All zero: nothing is known. */
struct lives {
    struct life_record *records;
    size_t count;
};

/* The program has told of the domain; `life` as it was told, 0 where it does not run. */
void lives_note(struct lives *lives, const char *domain, uint64_t life);
/* What has happened meanwhile is not known. */
void lives_clear(struct lives *lives);

/* Before and after a cycle that has read the whole tree of Placement's. `providers`: the
 * uuids of those that guests get devices for; `view`: the domains as libvirt has said. */
void lives_begin_cycle(struct lives *lives);
void lives_end_cycle(struct lives *lives, const struct observed *observed,
                     const struct strlist *providers, const struct domains *view);

/* For how many milliseconds the answer counts that the consumer has `allocations` now,
 * where `life` is over; 0: not for a later definition. */
int64_t lives_count(struct lives *lives, const char *consumer, uint64_t life,
                    const struct strlist *allocations);

/* What the consumer has on these providers: as it was asked for, or as the tree shows it,
 * in the same form. The caller clears the list. */
struct strlist lives_allocations(const struct consumer_allocations *have,
                                 const struct strlist *providers);
struct strlist lives_allocations_seen(const struct observed *observed,
                                      const struct strlist *providers,
                                      const char *consumer);

#endif
