/*
 * message: what the daemon and vgpu-agent-libvirt tell each other over their socket:
 * one JSON object a line. Neither waits for an answer. Pure but for allocation.
 *
 * Before the daemon removes a device or gives it to another consumer, it sends a table
 * without that device, and goes on only when a `holding` of that serial (or a later
 * one) came that does not name the address: then no call that could attach it is under
 * way. What libvirt was still doing when the program died is unknown for a while.
 *
 *   to the program   {"wanted": {"serial": 7, "consumers": [{"consumer": UUID, "whole": true, "heals": false,
 *                      "devices": [{"address": A, "xml": X}]}], "ours": [A, ...]}}
 *                    {"sure": {"consumer": UUID, "number": 3, "lasts": MS}}   answers a doubt: the table as it was
 *                      sent last has what the consumer had in Placement at a moment after the question, and will
 *                      for so long after the question, as far as Nova's actions go (agent/attach/doubt.h)
 *   to the daemon    {"connection": {"up": false, "reason": "..."}}
 *                    {"guest": {"uuid", "name", "running", "persistent", "live": [A], "configured": [A], "life": 8}}
 *                    {"gone": UUID}
 *                    {"all": true}             every domain was looked at
 *                    {"ask": UUID}             has this domain's uuid an allocation here?
 *                    {"doubt": {"consumer": UUID, "number": 3, "life": 8}}   is what the table has for it still so?
 *                      "life": the one that is over; 0: the next has begun, or it is not known
 *                    {"state": {"consumer": UUID, "state": "attached", "reason": TEXT or null, "age": MS, "took": MS or -1}}
 *                    {"holding": {"serial": 7, "busy": [A, ...]}}
 */
#ifndef AGENT_ATTACH_MESSAGE_H
#define AGENT_ATTACH_MESSAGE_H

#include "agent/attach/decide.h"

enum message_kind {
    MESSAGE_WANTED,
    MESSAGE_CONNECTION,
    MESSAGE_GUEST,
    MESSAGE_GONE,
    MESSAGE_ALL,
    MESSAGE_ASK,
    MESSAGE_STATE,
    MESSAGE_HOLDING,
    MESSAGE_DOUBT,
    MESSAGE_SURE,
};
#define MESSAGE_KINDS (MESSAGE_SURE + 1)

/* Which members count depends on `kind`; see above. */
struct message {
    enum message_kind kind;
    struct wanted_table table;
    bool up;
    char domain[UUID_TEXT_SIZE]; /* GONE, ASK, STATE, DOUBT, SURE */
    struct guest guest;
    enum guest_state state;
    char *reason; /* NULL: none */
    int64_t age;  /* milliseconds */
    int64_t took; /* milliseconds from its definition until it was configured; -1: it is
                     not about that */
    uint64_t serial;          /* HOLDING */
    uint64_t number;          /* DOUBT, SURE; 0: of no question */
    uint64_t life;            /* GUEST, DOUBT; 0: not known */
    int64_t lasts;            /* SURE: milliseconds */
    struct strlist addresses; /* HOLDING's busy ones */
};

void message_clear(struct message *message);
#define _cleanup_message_ _cleanup_(message_clear)

/* "wanted", "holding": the name of the line's member. */
const char *message_kind_name(enum message_kind kind);

/* One line, with its line feed. Text that is not UTF-8 is made so. The caller frees. */
char *message_encode(const struct message *message);
/* `line` without its line feed; lists come sorted. INVALID, with the reason, also where
 * a table has a consumer or a device twice. On failure *out is all zero. */
int message_decode(const char *line, size_t length, struct message *out,
                   struct error *err);

/* "attached", "waits_for_port" */
const char *guest_state_name(enum guest_state state);
/* False: no state has that name. */
bool guest_state_parse(const char *name, enum guest_state *out);

#endif
