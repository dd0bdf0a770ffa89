/*
 * requests: what an operator has told the agent, kept beside the state file as one empty
 * file for each: "<state file>.drained.0000:84:00.0". Commands give and withdraw them,
 * also while the daemon runs; the daemon looks at them in each cycle. So neither waits
 * for the other, orders survive restarts, and nothing that happens to the state file
 * puts a drained GPU back to work. Stateless.
 */
#ifndef AGENT_STATE_REQUESTS_H
#define AGENT_STATE_REQUESTS_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strlist.h"

enum request {
    REQUEST_DRAINED,    /* of a GPU: nobody new gets it. Stands until it is withdrawn */
    REQUEST_PRUNE,      /* of a provider, by uuid: for the daemon's next cycle, which
                      withdraws it */
    REQUEST_ADOPT_ROOT, /* of a root provider, by uuid: the state file belongs to it from
                         now on. For the next cycle that sees it, which withdraws it */
    REQUEST_SERVER, /* of a consumer: its devices were asked for, so it is a server, and
                      no migration. The daemon withdraws it when the consumer is gone */
};

/* What the standing orders of this kind are about, sorted. */
int requests_read(const char *state_file, enum request order, struct strlist *out,
                  struct error *err);
/* On disk when it returns. *changed (may be NULL): it did not stand (it stood) before.
 * INVALID when `subject` cannot be a part of a file's name. */
int requests_give(const char *state_file, enum request order, const char *subject,
                  bool *changed, struct error *err);
int requests_withdraw(const char *state_file, enum request order, const char *subject,
                      bool *changed, struct error *err);
/* Of requests that nobody waits for any more. */
int requests_withdraw_all(const char *state_file, enum request order,
                          struct error *err);

#endif
