/*
 * attacher_view: what vgpu-agent-libvirt has said of libvirt's domains and of the
 * guests of consumers (agent/attach/message.h). Pure: no I/O, no clock.
 *
 * A domain that an earlier connection has shown stays known, and what it names stays
 * held, until all domains of a new connection have been looked at.
 */
#ifndef AGENT_DAEMON_ATTACHER_VIEW_H
#define AGENT_DAEMON_ATTACHER_VIEW_H

#include "agent/attach/message.h"
#include "agent/host/domains.h"
#include "agent/report/guests.h"

/* All zero: nothing was said. */
struct attacher_view {
    bool up;      /* libvirt is connected */
    char *reason; /* why it is not; NULL: nothing was said of that */
    struct domains domains;
    struct strlist stale; /* uuids of domains that this connection has not shown yet */
    struct guest_word *words;
    size_t word_count;
};

/* Takes one message of the kinds CONNECTION, GUEST, GONE, ALL and STATE; others change
 * nothing. */
void attacher_view_take(struct attacher_view *view, const struct message *message);
/* Forgets what was said of the guests of consumers that are not in the table any more. */
void attacher_view_keep(struct attacher_view *view, const struct wanted_table *table);
/* The program has ended: nothing is sure until another one has said it again. */
void attacher_view_lost(struct attacher_view *view, const char *reason);
/* NULL: nothing was said. */
const struct guest_word *attacher_view_word(const struct attacher_view *view,
                                            const char *consumer);
void attacher_view_clear(struct attacher_view *view);

#endif
