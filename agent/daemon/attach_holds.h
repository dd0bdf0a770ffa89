/*
 * attach_holds: the devices that a call of vgpu-agent-libvirt may still give to a guest,
 * so that they can neither be removed nor given to another consumer. Pure: no I/O; times
 * are arguments, in seconds of a clock that only goes forward.
 *
 * A device that is in a table is held from the moment the table is sent. It is let go
 * when the program has said of a later table, without that device, that it is in use,
 * and that no call on the device is under way (agent/attach/message.h). When the program
 * ends, libvirt may go on with what it was asked to do: what was held stays so until
 * another program has looked at all domains, and a minute longer. libvirt itself gives
 * up waiting for a busy domain after 30 s.
 */
#ifndef AGENT_DAEMON_ATTACH_HOLDS_H
#define AGENT_DAEMON_ATTACH_HOLDS_H

#include "agent/attach/wanted.h"
#include "agent/state/attach_left.h"

#define HOLDS_AFTER_VIEW 60                 /* seconds */
#define HOLDS_WITHOUT_VIEW ATTACH_LEFT_TIME /* where no program is to come any more */

/* All zero: nothing is held. */
struct attach_holds {
    uint64_t sent;       /* the serial of the last table; 0: none was sent */
    uint64_t answered;   /* the serial of the last one that the program uses */
    int64_t waits_since; /* while the two differ: since when */
    struct strlist out;  /* what the program may be giving to guests */
    /* What programs that have ended may have left to libvirt, and when that is over; 0:
     * not before all was looked at. */
    struct strlist doubtful;
    int64_t over_at;
    /* Until when it may be any device, since an earlier daemon has ended without
     * order. */
    int64_t any_until;
};

void attach_holds_sent(struct attach_holds *holds, const struct wanted_table *table,
                       int64_t now);
/* The program uses the table `serial`. `table` is the one that was sent last. */
void attach_holds_answered(struct attach_holds *holds, uint64_t serial,
                           const struct strlist *busy,
                           const struct wanted_table *table);
/* The program has ended, or is about to. `returns`: another one will be started. */
void attach_holds_lost(struct attach_holds *holds, bool returns, int64_t now);
/* An earlier daemon has ended without order while its program ran: see attach_left.h. */
void attach_holds_crashed(struct attach_holds *holds, int64_t until);
/* A program has looked at all domains. */
void attach_holds_seen_all(struct attach_holds *holds, int64_t now);

/* Whether the program has not said for so long that it uses the last table, however many
 * were sent meanwhile. */
bool attach_holds_waits(const struct attach_holds *holds, int64_t seconds, int64_t now);
/* Whether the program that runs may still let go one of these. */
bool attach_holds_are_out(const struct attach_holds *holds,
                          const struct strlist *addresses);
bool attach_holds_any(const struct attach_holds *holds, int64_t now);
bool attach_holds_has(const struct attach_holds *holds, const char *address,
                      int64_t now);
void attach_holds_clear(struct attach_holds *holds);

#endif
