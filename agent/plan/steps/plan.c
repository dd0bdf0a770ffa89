#include "agent/plan/steps/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/* ---- parts of a plan ---- */

/* Drops the steps that are not to be kept. */
static void keep(struct plan *plan, const bool *kept)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        if (kept[i])
            plan->steps[count++] = plan->steps[i];
        else
            step_clear(&plan->steps[i]);
    plan->step_count = count;
}

void plan_keep_only(struct plan *plan, enum step_kind kind)
{
    _cleanup_free_ bool *kept = xcalloc(plan->step_count, sizeof *kept);
    for (size_t i = 0; i < plan->step_count; i++)
        kept[i] = plan->steps[i].kind == kind;
    keep(plan, kept);
}

/* An inventory of a GPU on which an order is carried out. */
static bool is_of_order(const struct plan *plan, const struct step *step)
{
    if (step->kind != STEP_SET_INVENTORY || !step->gpu || step->generation < 0)
        return false;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].ordered && plan->steps[i].gpu &&
            strcmp(plan->steps[i].gpu, step->gpu) == 0)
            return true;
    return false;
}

void plan_keep_orders(struct plan *plan)
{
    _cleanup_free_ bool *kept = xcalloc(plan->step_count, sizeof *kept);
    for (size_t i = 0; i < plan->step_count; i++)
        kept[i] = plan->steps[i].ordered || is_of_order(plan, &plan->steps[i]);
    keep(plan, kept);
}

/* A step on a device whose effect the kernel judges. */
static bool gives_consumer(const struct step *step, const char *consumer)
{
    return (step->kind == STEP_CREATE_DEVICE || step->kind == STEP_HAND_OVER_DEVICE) &&
           strcmp(step->device.consumer, consumer) == 0;
}

bool plan_keep_consumer(struct plan *plan, const char *consumer)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->allocation_count; i++) {
        const struct allocation_status *status = &plan->allocations[i];
        if (strcmp(status->consumer, consumer) != 0)
            continue;
        if (status->state != ALLOCATION_PENDING || !status->planned)
            return false;
        count += status->devices.count;
    }
    _cleanup_free_ bool *kept = xcalloc(plan->step_count, sizeof *kept);
    for (size_t i = 0; i < plan->step_count; i++)
        kept[i] = gives_consumer(&plan->steps[i], consumer);
    keep(plan, kept);
    return count && plan->step_count == count;
}

const struct provider_service *plan_service(const struct plan *plan,
                                            const char *provider)
{
    for (size_t i = 0; i < plan->service_count; i++)
        if (strcmp(plan->services[i].provider, provider) == 0)
            return &plan->services[i];
    return NULL;
}

/* ---- the end of it ---- */

static void cards_free(struct pci_card *cards, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(cards[i].gpu);
        free(cards[i].type_id);
        free(cards[i].type_name);
        free(cards[i].resource_class);
        free(cards[i].waits);
        strlist_clear(&cards[i].traits);
        strlist_clear(&cards[i].functions);
        strlist_clear(&cards[i].all);
    }
    free(cards);
}

void plan_clear(struct plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++)
        step_clear(&plan->steps[i]);
    free(plan->steps);
    for (size_t i = 0; i < plan->allocation_count; i++) {
        struct allocation_status *status = &plan->allocations[i];
        free(status->provider_name);
        free(status->gpu);
        free(status->resource_class);
        strlist_clear(&status->devices);
        free(status->reason);
    }
    free(plan->allocations);
    for (size_t i = 0; i < plan->retired_count; i++) {
        free(plan->retired[i].name);
        free(plan->retired[i].gpu);
        free(plan->retired[i].resource_class);
        free(plan->retired[i].obstacle);
    }
    free(plan->retired);
    for (size_t i = 0; i < plan->service_count; i++)
        free(plan->services[i].reason);
    free(plan->services);
    cards_free(plan->cards, plan->card_count);
    for (size_t i = 0; i < plan->order_count; i++) {
        free(plan->orders[i].device);
        free(plan->orders[i].reason);
    }
    free(plan->orders);
    strlist_clear(&plan->problems);
    free(plan->root_name);
    *plan = (struct plan){0};
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    plan_clear(plan);
    free(plan);
}
