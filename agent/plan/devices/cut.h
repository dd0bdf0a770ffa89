/*
 * cut: which virtual functions of a card have which type, as the configuration wants
 * it, and how much of that can be brought about now (mode nova-pci). Pure.
 *
 * A function with a type is a device (struct device) of a kind whose devices have their
 * parents' addresses. Nobody is its consumer: nova-compute gives it to guests. The
 * journal has it with CUT_CONSUMER, before the type is written.
 *
 * A type is taken from a function only if the agent gave it, if nobody uses the
 * function, and if nothing is allocated on the provider that Nova has for the card,
 * since Placement does not tell which functions an allocation means. What is not known
 * counts as used. After a reboot a function gets the type back that the journal has for
 * it, unless it is known that nobody needs that.
 */
#ifndef AGENT_PLAN_DEVICES_CUT_H
#define AGENT_PLAN_DEVICES_CUT_H

#include "agent/plan/world/input.h"

enum function_fate {
    FUNCTION_PLAIN,    /* it has no type, and gets none now */
    FUNCTION_CUT,      /* it keeps the type that it has */
    FUNCTION_TO_CUT,   /* it gets `type` now */
    FUNCTION_TO_CLEAR, /* it loses its type now */
};

/* All is borrowed from the input. */
struct cut_function {
    const struct parent *parent;
    const struct device *device;        /* NULL: it has no type */
    const struct journal_device *entry; /* NULL: the journal does not have it */
    const struct used_device *use;      /* NULL: nobody is known to use it */
    bool named; /* the configuration wants the type on it, or may */
    enum function_fate fate;
    const struct device_type *type; /* FUNCTION_TO_CUT */
    bool outdated; /* `entry` tells of a type that the function has no more */
    bool orphaned; /* `entry` is of owner mode, and its consumer is gone */
};

struct cut {
    const struct gpu *gpu;
    const struct desired_provider *desired; /* NULL: no type is configured for it */
    struct cut_function *functions;         /* in the order of the bus */
    size_t count;
    /* The first function that has, or gets back, a type of the agent's other than the
     * configured one; NULL: there is none. */
    const struct cut_function *former;
    /* The class that nova.conf has to name for the functions: the configured one, but as
     * long as something is allocated on the card, that class; NULL: none is known. */
    const char *resource_class;
    char *waits;     /* why it is not as the configuration says; NULL: it is, after this
                        plan */
    bool stuck;      /* `waits`, and only an operator can change that */
    bool goes_on;    /* more can be done once this plan was carried out */
    bool needs_use;  /* it must be known who uses the functions, and in->use is NULL */
    bool comes_back; /* functions get a type that a reboot took, and that is not the
                        configured one */
};

/* The cut of a card. `desired` is the card's, or NULL; `provider` is what Nova has in
 * Placement for it, NULL: nothing, or Placement was not read. */
struct cut cut_make(const struct plan_input *in, const struct gpu *gpu,
                    const struct desired_provider *desired,
                    const struct observed_provider *provider);
void cut_clear(struct cut *cut);
/* The agent's uuid for the function's type: the host knows none. */
void cut_uuid(const struct parent *parent, char out[UUID_TEXT_SIZE]);
/* The id of the type that the function has after the plan; NULL: none. */
const char *function_type_after(const struct cut_function *function);

#endif
