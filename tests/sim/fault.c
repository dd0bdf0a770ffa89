#include "tests/sim/fault.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"

void fault_add_take(struct faults *faults, struct fault_rule rule)
{
    *array_add(faults->rules, faults->count) = rule;
}

void fault_clear(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        free(faults->rules[i].device);
    free(faults->rules);
    faults->rules = NULL;
    faults->count = 0;
    faults->unblocked++;
}

/* The rule that bites now, spent ones taken off the list. */
static bool take_rule(struct faults *faults, enum operation operation, const char *card,
                      const char *parent, struct fault_rule *out)
{
    for (size_t i = 0; i < faults->count; i++) {
        struct fault_rule *rule = &faults->rules[i];
        if (rule->operation != operation ||
            (rule->device && strcmp(rule->device, card) != 0 &&
             strcmp(rule->device, parent) != 0))
            continue;
        if (rule->nth > 1) {
            rule->nth--;
            continue;
        }
        *out = *rule;
        if (rule->nth == 1) {
            free(rule->device);
            memmove(rule, rule + 1, (--faults->count - i) * sizeof *rule);
        }
        return true;
    }
    return false;
}

int fault_apply(struct sim *sim, enum operation operation, const char *card,
                const char *parent)
{
    struct fault_rule rule;
    if (!take_rule(&sim->faults, operation, card, parent, &rule))
        return 0;
    if (rule.delay)
        sim_sleep(sim, rule.delay);
    unsigned unblocked = sim->faults.unblocked;
    while (rule.block && sim->faults.unblocked == unblocked && !sim->stopping)
        sim_wait(sim);
    return rule.error;
}
