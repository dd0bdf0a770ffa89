/*
 * requests: what operators have requested from the agent: one empty file for each
 * request beside the state file, such as "<state file>.drained.0000:84:00.0". Commands
 * give and withdraw requests, also while the daemon runs; the daemon reads them in each
 * cycle. So neither has to wait for the other, requests outlive restarts, and a GPU
 * stays drained whatever happens to the state file. Stateless.
 */
#ifndef AGENT_STATE_REQUESTS_H
#define AGENT_STATE_REQUESTS_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strlist.h"

enum request {
    REQUEST_DRAINED, /* a GPU gets no new consumers; stands until it is withdrawn */
    /* To delete a provider, by its uuid, or the names that nobody uses any more
     * (PRUNE_NAMES, agent/agent.h). The daemon's next cycle carries it out and
     * withdraws it. */
    REQUEST_PRUNE,
    /* A GPU's units that were used have been cleaned. The next cycle that acts notes that
     * and withdraws the request. */
    REQUEST_CLEAN,
    /* The state file belongs to this root provider, by its uuid, from now on. The next
     * cycle that sees the request carries it out and withdraws it. */
    REQUEST_ADOPT_ROOT,
    /* A consumer whose devices an operator has asked for: it is a server, and no
     * migration. The daemon withdraws it when the consumer has no allocations any
     * more. */
    REQUEST_SERVER,
    /* Orders for single devices, and the answers (agent/state/orders.h, which writes
     * these files). */
    REQUEST_ORDER,
    REQUEST_ANSWER,
    /* A type is enabled or disabled for a GPU: "0000:84:00.0 nvidia-36" (struct
     * type_choices). Each stands until the other is given. */
    REQUEST_ENABLED,
    REQUEST_DISABLED,
    /* What somebody else has reserved of a GPU in Placement is given back. The next cycle
     * that acts carries it out and withdraws it. */
    REQUEST_UNRESERVE,
};
#define REQUEST_KINDS (REQUEST_UNRESERVE + 1)

/* The subjects of all standing requests, by kind; each list is sorted. */
struct requests {
    struct strlist about[REQUEST_KINDS];
};
/* Hands one list on, and leaves an empty one. The caller clears it. */
struct strlist requests_take(struct requests *requests, enum request request);
void requests_clear(struct requests *requests);
#define _cleanup_requests_ _cleanup_(requests_clear)

/* Reads the folder once. On failure *out is all zero. */
int requests_read_all(const char *state_file, struct requests *out, struct error *err);
/* Those of one kind. On failure *out is unchanged; on success its content is replaced. */
int requests_read(const char *state_file, enum request request, struct strlist *out,
                  struct error *err);
/* Each has taken effect on disk when it returns. *changed (may be NULL) is false when
 * the request stood already, or did not stand. INVALID when `subject` cannot be a part
 * of a file's name. */
int requests_give(const char *state_file, enum request request, const char *about,
                  bool *changed, struct error *err);
int requests_withdraw(const char *state_file, enum request request, const char *about,
                      bool *changed, struct error *err);
/* For requests whose result nobody waits for any more. */
int requests_withdraw_all(const char *state_file, enum request request,
                          struct error *err);

#endif
