/*
 * agent: what lives from one cycle to the next: the connection to Placement with what
 * was read from it, the journal, and the worker process that touches devices. An agent
 * that acts also holds the lock that makes it the only one on the host.
 *
 * One thread. Nothing here logs or prints.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "agent/act/device_worker.h"
#include "agent/act/enabler.h"
#include "agent/act/rewrites.h"
#include "agent/backend/reader.h"
#include "agent/desired/card_types.h"
#include "agent/state/journal.h"
#include "agent/state/orders.h"
#include "agent/tree/fetch.h"
#include "config/config.h"

enum agent_access {
    AGENT_LOOKS, /* changes nothing, and needs no lock */
    AGENT_ACTS,
    /* acts, but sends Placement no request, so that [placement] may be incomplete */
    AGENT_RESTORES,
};

/* Private to agent.c and cycle.c; other modules use the functions below. */
struct agent {
    const struct config *config; /* borrowed */
    enum agent_access access;
    int lock; /* -1 with AGENT_LOOKS */
    /* NULL: the agent sends no request to Placement (AGENT_RESTORES), or only looks and
     * has an unusable [placement], for the reason in no_client. */
    struct placement_client *client;
    struct error no_client;
    unsigned long earlier_requests; /* sent by clients before this one */
    struct placement_fetch *fetch;
    struct journal *journal;
    bool journal_unsaved;
    bool doubts_root; /* the root provider that was read is not the journal's */
    bool adopts_root; /* a request to adopt another root is being carried out */
    struct host_reader *reader;
    struct device_worker *worker;
    struct enabler *enabler;
    struct strlist drained, prune; /* GPUs to drain; uuids of providers to delete */
    bool heeds_prune;              /* each look reads `prune` from the requests */
    struct strlist
        unreserved; /* GPUs whose units that others reserved are given back */
    struct type_choices choices; /* what operators have enabled and disabled */
    struct strlist servers;      /* consumers whose devices an operator has asked for */
    struct order_list orders;    /* for single devices, as the last look saw them */
    bool only_orders; /* cycle_orders() is at work; else AGENT_RESTORES leaves orders to
                         others */
    /* The next cycle looks who uses the devices, even if it does not need to know. */
    bool closely;
    /* Whether a process has the place of a device that does not exist (struct parent), as
     * far as is known: until a look has shown that none has, each look looks for it. */
    bool places_held;
    unsigned patience;
    unsigned looks;        /* at Placement so far */
    unsigned half_look_in; /* the next half look is that many looks on; 0: as usual */
    struct rewrites rewrites;
    /* As the last cycle left it: what the scan has shown, with the devices that the agent
     * has made and without those that it has removed since. NULL: not known. */
    struct host *host;
    const struct domains *view;       /* borrowed; NULL: libvirt itself is not asked */
    struct domain_files domain_files; /* of each look who uses or names a device */
    /* As in struct executor. */
    void (*take_back)(void *attacher, const struct strlist *addresses,
                      struct strlist *held);
    void *attacher;
    struct strlist consumers; /* whose departed allocations the next cycle is to see */
    bool wholly; /* the next cycle reads all of Placement that may have changed */
    bool (*interrupted)(void *data);
    void *data;
};

/* Takes the lock in the name of `command` and loads the journal. Sends no request yet.
 * AGENT_LOOKS takes no lock; it also accepts an unusable [placement], and cycle_look()
 * then returns that error. BUSY when another process holds the lock. `config` is
 * borrowed until agent_reconfigure() or agent_free(). `now` is in seconds since the
 * epoch. *note is set where an operator must be told something about the journal; the
 * caller frees. */
int agent_new(const struct config *config, enum agent_access access,
              const char *command, int64_t now, struct agent **out, char **note,
              struct error *err);
/* The time to pass to cycle_look() and cycle_run(): see agent/state/boot_clock.h. */
int64_t agent_now(const struct agent *agent);
void agent_free(struct agent *agent);
DEFINE_CLEANUP(struct agent *, agent_free)

/* Changes to another configuration; after a failure the old one stays in use. The next
 * cycle reads everything from Placement again. INVALID when state_file, sysfs_root,
 * host_root or one of libvirt's folders differ: they need a restart. */
int agent_reconfigure(struct agent *agent, const struct config *config,
                      struct error *err);

/* `interrupted` is called before each step and each round, and about once a second
 * during a request. When it returns true, the cycle ends early. */
void agent_set_interrupt(struct agent *agent, bool (*interrupted)(void *data),
                         void *data);
/* How long a cycle waits for device operations that take long in the kernel (struct
 * executor). */
void agent_set_patience(struct agent *agent, unsigned milliseconds);

/* The domains as libvirt itself has said: what they name is held, beside what libvirt's
 * files name. Borrowed until the next call; NULL: libvirt is not asked. */
void agent_set_view(struct agent *agent, const struct domains *view);

/* Who gives devices to guests, and takes them back (struct executor). Without this call
 * nobody does, and what an earlier daemon may have left to libvirt is held
 * (agent/state/attach_left.h). */
void agent_set_attacher(struct agent *agent,
                        void (*take_back)(void *attacher,
                                          const struct strlist *addresses,
                                          struct strlist *held),
                        void *attacher);

/* Uuids of the providers that later cycles are to delete, once they are no longer
 * configured and have no allocations; and PRUNE_NAMES for the traits and classes that
 * the agent has made and nobody uses any more (agent/act/made_names.h). The list is
 * copied. */
#define PRUNE_NAMES "names"
void agent_set_prune(struct agent *agent, const struct strlist *providers);
/* For the daemon: each look takes them from the requests of `vgpu-agent prune`.
 * agent_prune() gives those of the last look, which the daemon withdraws; borrowed. */
void agent_heed_prune(struct agent *agent);
const struct strlist *agent_prune(const struct agent *agent);

/* From now on the state file belongs to this root provider. It is on disk when the
 * function returns. */
int agent_adopt_root(struct agent *agent, const char *uuid, const char *name,
                     struct error *err);

/* The next cycle looks who uses the devices, and sees each departed allocation: a
 * command waits for that cycle, and may have seen a problem that only this look
 * shows. */
void agent_look_closely(struct agent *agent);

/* The next cycle sees each new allocation: none of its looks is a half one. */
void agent_look_wholly(struct agent *agent);

/* The next cycle that can read Placement sees what this consumer has on the providers on
 * which it was seen last, also where an allocation has departed: a request for each. */
void agent_look_at(struct agent *agent, const char *consumer);

/* Whether the consumer has what the last cycle has seen, on the agent's providers. */
bool agent_knows(const struct agent *agent, const struct consumer_allocations *have);

/* What this consumer has, by one request. The caller ends *out. */
int agent_ask_allocations(struct agent *agent, const char *consumer,
                          struct consumer_allocations *out, struct error *err);

/* Saves what cycle_serve() has left to be saved. After a failure the next cycle saves
 * it, before it does anything else. */
int agent_save_journal(struct agent *agent, struct error *err);

/* With AGENT_LOOKS: reads the journal again, as the acting process has written it by
 * now. */
int agent_reread_journal(struct agent *agent, struct error *err);

/* The number of requests sent to Placement and Keystone so far, and when the token
 * expires, in seconds since the epoch (0: there is no token). */
unsigned long agent_requests(const struct agent *agent);
int64_t agent_token_expires_at(const struct agent *agent);

/* The seconds for which Placement or Keystone asked to be left alone when it refused the
 * last request; 0: it did not. */
unsigned agent_retry_after(const struct agent *agent);

/* A descriptor that becomes readable when a device operation that outlived its cycle
 * has ended. The next cycle records the result. */
int agent_fd(const struct agent *agent);

#endif
