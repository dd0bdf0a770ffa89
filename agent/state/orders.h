/*
 * orders: what operators order of single devices (`vgpu-agent create`, `remove`,
 * `params`): one file for each device beside the state file, "<state file>.order.<name>",
 * where the name is the device's uuid or address. The next cycle, the daemon's or that of
 * the command itself, carries the order out, leaves its answer in "<state
 * file>.answer.<name>", and withdraws the order, in this order: after a crash the order
 * still stands, and can be carried out twice. Stateless.
 */
#ifndef AGENT_STATE_ORDERS_H
#define AGENT_STATE_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "lib/strlist.h"

enum order_kind { ORDER_CREATE, ORDER_REMOVE, ORDER_PARAMETERS };

struct order {
    enum order_kind kind;
    char
        *device; /* CREATE: the uuid of the new device; else its address, or its uuid */
    char *type;  /* CREATE: as gpu_resolve_type() takes it; else NULL */
    char *gpu;   /* CREATE: struct gpu's name; NULL: the agent chooses */
    /* CREATE, PARAMETERS: for this device alone; NULL: those of its type (CREATE), "":
     * none. */
    char *parameters;
    bool force; /* REMOVE: also what has an allocation */
};

struct order_list {
    struct order *orders; /* sorted by device */
    size_t count;
};

void order_clear(struct order *order);
void order_list_clear(struct order_list *list);

/* The orders for these devices, which are the subjects of REQUEST_ORDER. One that cannot
 * be read (a newer program's) is left out. The content of *out is replaced. */
void orders_read(const char *state_file, const struct strlist *devices,
                 struct order_list *out);
/* It is on disk when the function returns, and replaces an earlier order for the same
 * device; an earlier answer is gone. */
int order_give(const char *state_file, const struct order *order, struct error *err);
int order_withdraw(const char *state_file, const char *device, struct error *err);

/* What came of an order. */
struct order_answer {
    struct error refusal; /* code NONE: it was carried out */
    char *text;           /* more for the operator; NULL: nothing */
};

int order_answer_write(const char *state_file, const char *device,
                       const struct order_answer *answer, struct error *err);
/* True when there is one, which is removed. The caller frees answer->text. */
bool order_answer_take(const char *state_file, const char *device,
                       struct order_answer *answer);
/* Removes answers that nobody has taken. */
void order_answers_forget(const char *state_file);

#endif
