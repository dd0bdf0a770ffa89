#include "placement/server/candidates/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

void candidate_rows_add(struct candidate_rows *rows,
                        const struct resource_provider *const *providers)
{
    if (rows->count == rows->room) {
        rows->room = rows->room ? 2 * rows->room : 16;
        rows->providers = xreallocarray(rows->providers, rows->room * rows->width,
                                        sizeof *rows->providers);
    }
    memcpy(candidate_row(rows, rows->count++), providers,
           rows->width * sizeof *providers);
}

void candidate_rows_clear(struct candidate_rows *rows)
{
    free(rows->providers);
    *rows = (struct candidate_rows){0};
}

/* Whether to continue writing. Candidates that have been found are written although all
 * steps are used up; only the time limit, a client that has gone, or a full reply end
 * it. */
static bool goes_on(const struct json_writer *w, const struct candidates_plan *plan,
                    uint64_t cost)
{
    return !w->out.full && budget_pass(plan->budget, cost);
}

/* ---- allocation_requests ---- */

static bool is_first_use(const struct candidates_plan *plan,
                         const struct resource_provider *const *row, size_t slot)
{
    for (size_t i = 0; i < slot; i++)
        if (row[i] == row[slot] && plan->slots[i].amount_count > 0)
            return false;
    return plan->slots[slot].amount_count > 0;
}

static int64_t asked_in_slot(const struct slot *slot,
                             const struct resource_class *class)
{
    for (size_t i = 0; i < slot->amount_count; i++)
        if (slot->amounts[i].class == class)
            return slot->amounts[i].amount;
    return 0;
}

/* The sum of what all slots ask of the class on the provider of this slot; 0 when an
 * earlier slot already has it in its sum. */
static int64_t sum_of_class(const struct candidates_plan *plan,
                            const struct resource_provider *const *row, size_t slot,
                            const struct wanted_amount *amount)
{
    if (!amount->repeated)
        return amount->amount;
    int64_t sum = 0;
    for (size_t i = 0; i < plan->slot_count; i++) {
        int64_t asked =
            row[i] == row[slot] ? asked_in_slot(&plan->slots[i], amount->class) : 0;
        if (asked > 0 && i < slot)
            return 0;
        sum += asked;
    }
    return sum;
}

static void write_resources(struct json_writer *w, const struct candidates_plan *plan,
                            const struct resource_provider *const *row, size_t first)
{
    json_write_key(w, "resources");
    json_write_begin_object(w);
    for (size_t i = first; i < plan->slot_count; i++) {
        const struct slot *slot = &plan->slots[i];
        for (size_t j = 0; row[i] == row[first] && j < slot->amount_count; j++) {
            int64_t sum = sum_of_class(plan, row, i, &slot->amounts[j]);
            if (sum > 0)
                json_write_int_member(w, slot->amounts[j].class->name, sum);
        }
    }
    json_write_end_object(w);
}

/* Since 1.12 allocations are an object with the providers as names. */
static void write_allocations(struct json_writer *w, const struct candidates_plan *plan,
                              const struct resource_provider *const *row)
{
    json_write_key(w, "allocations");
    json_write_begin_object(w);
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (!is_first_use(plan, row, i))
            continue;
        json_write_key(w, row[i]->uuid);
        json_write_begin_object(w);
        write_resources(w, plan, row, i);
        json_write_end_object(w);
    }
    json_write_end_object(w);
}

static void write_allocations_list(struct json_writer *w,
                                   const struct candidates_plan *plan,
                                   const struct resource_provider *const *row)
{
    json_write_key(w, "allocations");
    json_write_begin_array(w);
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (!is_first_use(plan, row, i))
            continue;
        json_write_begin_object(w);
        json_write_key(w, "resource_provider");
        json_write_begin_object(w);
        json_write_string_member(w, "uuid", row[i]->uuid);
        json_write_end_object(w);
        write_resources(w, plan, row, i);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

static bool is_first_of_group(const struct candidates_plan *plan,
                              const struct resource_provider *const *row, size_t slot)
{
    for (size_t i = 0; i < slot; i++)
        if (plan->slots[i].wanted == plan->slots[slot].wanted && row[i] == row[slot])
            return false;
    return true;
}

static void write_mappings(struct json_writer *w, const struct candidates_plan *plan,
                           const struct resource_provider *const *row)
{
    json_write_key(w, "mappings");
    json_write_begin_object(w);
    for (size_t i = 0; i < plan->slot_count;) {
        const struct wanted *wanted = plan->slots[i].wanted;
        json_write_key(w, wanted->suffix);
        json_write_begin_array(w);
        for (; i < plan->slot_count && plan->slots[i].wanted == wanted; i++)
            if (is_first_of_group(plan, row, i))
                json_write_string(w, row[i]->uuid);
        json_write_end_array(w);
    }
    json_write_end_object(w);
}

static void write_requests(struct json_writer *w, const struct candidates_plan *plan,
                           const struct candidate_rows *rows, int microversion)
{
    /* Writing one compares its providers with each other, and adds up repeated classes.
     */
    uint64_t cost = plan->slot_count * (1 + plan->slot_count);
    json_write_key(w, "allocation_requests");
    json_write_begin_array(w);
    for (size_t i = 0; i < rows->count && goes_on(w, plan, cost); i++) {
        const struct resource_provider *const *row = candidate_row(rows, i);
        json_write_begin_object(w);
        if (microversion >= MICROVERSION_ALLOCATIONS_OBJECT)
            write_allocations(w, plan, row);
        else
            write_allocations_list(w, plan, row);
        if (microversion >= MICROVERSION_MAPPINGS)
            write_mappings(w, plan, row);
        json_write_end_object(w);
    }
    json_write_end_array(w);
}

/* ---- provider_summaries ---- */

static bool is_asked(const struct candidates_plan *plan,
                     const struct resource_class *class)
{
    for (size_t i = 0; i < plan->slot_count; i++)
        if (asked_in_slot(&plan->slots[i], class) > 0)
            return true;
    return false;
}

/* Capacity is written rounded down. With a huge allocation ratio it has more than 64
 * bits, and is written as a double. */
static void write_capacity(struct json_writer *w, double capacity)
{
    if (fabs(capacity) < 0x1p63)
        json_write_int(w, (int64_t)capacity);
    else
        json_write_double(w, capacity);
}

static void write_summary(struct json_writer *w, const struct candidates_plan *plan,
                          const struct resource_provider *provider, int microversion)
{
    json_write_key(w, provider->uuid);
    json_write_begin_object(w);
    json_write_key(w, "resources");
    json_write_begin_object(w);
    for (size_t i = 0; i < provider->inventories.count; i++) {
        const struct provider_inventory *inventory = provider->inventories.items[i];
        if (microversion < MICROVERSION_ALL_CLASSES &&
            !is_asked(plan, inventory->class))
            continue;
        json_write_key(w, inventory->class->name);
        json_write_begin_object(w);
        json_write_key(w, "capacity");
        write_capacity(w, inventory_capacity(&inventory->limits));
        json_write_int_member(w, "used", inventory->used);
        json_write_end_object(w);
    }
    json_write_end_object(w);
    if (microversion >= MICROVERSION_CANDIDATES_TRAITS) {
        json_write_key(w, "traits");
        json_write_begin_array(w);
        for (size_t i = 0; i < provider->trait_count; i++)
            json_write_string(w, provider->traits[i]->name);
        json_write_end_array(w);
    }
    if (microversion >= MICROVERSION_NESTED_CANDIDATES) {
        json_write_string_member(w, "parent_provider_uuid",
                                 provider->parent ? provider->parent->uuid : NULL);
        json_write_string_member(w, "root_provider_uuid", provider->root->uuid);
    }
    json_write_end_object(w);
}

/* Summaries of all providers of each tree that a candidate takes something from; with
 * `only`, of those that are in that set, too. */
static void write_summaries(struct json_writer *w, const struct candidates_plan *plan,
                            const struct candidate_rows *rows,
                            const struct provider_set *only, int microversion)
{
    struct provider_set roots = {0};
    json_write_key(w, "provider_summaries");
    json_write_begin_object(w);
    for (size_t i = 0; i < rows->count * rows->width && goes_on(w, plan, 1); i++) {
        const struct resource_provider *root = rows->providers[i]->root;
        if (plan->slots[i % rows->width].amount_count == 0 ||
            !provider_set_add(&roots, root))
            continue;
        for (size_t j = 0; j < root->tree.count && goes_on(w, plan, 1); j++)
            if (!only || provider_set_contains(only, root->tree.items[j]))
                write_summary(w, plan, root->tree.items[j], microversion);
    }
    json_write_end_object(w);
    provider_set_clear(&roots);
}

void candidates_write(struct json_writer *w, const struct candidates_plan *plan,
                      const struct candidate_rows *rows,
                      const struct provider_set *only, int microversion)
{
    json_write_begin_object(w);
    write_requests(w, plan, rows, microversion);
    write_summaries(w, plan, rows, only, microversion);
    json_write_end_object(w);
}
