/* Random worlds with fixed seeds. Some checks hold whatever happens between the looks,
 * others once the world has settled. To run more worlds by hand: PLAN_WORLDS=1-40000
 * (the seeds), PLAN_MODE=owner or nova (instead of a random one). */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_model_dump.h"
#include "tests/unit/agent/plan/plan_model_execute.h"
#include "tests/unit/agent/plan/plan_model_look.h"
#include "tests/unit/agent/plan/random_checks.h"
#include "tests/unit/agent/plan/random_events.h"

#define WORLDS 2500
#define ROUNDS 14

struct seeds {
    unsigned first, last;
};

static struct seeds seeds_for(unsigned count)
{
    struct seeds seeds = {1, count};
    const char *asked = getenv("PLAN_WORLDS");
    if (asked && sscanf(asked, "%u-%u", &seeds.first, &seeds.last) != 2)
        fail_msg("PLAN_WORLDS: expected FIRST-LAST");
    return seeds;
}

static void live(unsigned seed)
{
    struct chance c;
    chance_make(&c, seed);
    for (c.round = 0; c.round < ROUNDS; c.round++) {
        for (int i = chance_roll(&c, 4); i >= 0; i--)
            chance_event(&c);
        /* The agent is sometimes interrupted. */
        _cleanup_(plan_freep) struct plan *plan = model_plan(&c.model);
        chance_check_nova_steps(&c, plan);
        chance_check_owners(&c, plan);
        chance_check_root_steps(&c, plan);
        size_t steps = (size_t)chance_roll(&c, (int)plan->step_count + 1);
        bool late = chance_roll(&c, 3) == 0;
        if (late)
            chance_event_meanwhile(&c);
        if (late)
            model_execute_late(&c.model, plan, steps);
        else
            model_execute(&c.model, plan, steps);
        chance_forget_foreign(&c);
        chance_check_journal(&c);
        /* What devices leave to other types is seen in the next look, at once. */
        if (!late && steps == plan->step_count && !plan->goes_on)
            chance_check_capacities(&c);
        if (chance_roll(&c, 2))
            continue;
        chance_settle(&c.model);
        chance_forget_foreign(&c);
        chance_check_settled(&c);
        chance_check_foreign(&c);
        chance_check_journal(&c);
    }
    model_clear(&c.model);
}

static void random_worlds_keep_the_rules(void **state)
{
    (void)state;
    const struct seeds seeds = seeds_for(WORLDS);
    for (unsigned seed = seeds.first; seed <= seeds.last; seed++)
        live(seed);
}

static bool is_numbered_by_uuid(const struct journal_device *device)
{
    char uuid[UUID_TEXT_SIZE];
    _cleanup_free_ char *name =
        xasprintf("%s:%s:%u", device->consumer, device->resource_class, device->index);
    uuid5_text(device->provider, name, uuid);
    return strcmp(uuid, device->uuid) == 0;
}

/* The settled world as text, without what may differ between two runs:
 * - Which of a card's virtual functions has a device: they are alike, and which
 *   consumer gets a place that another one has lost can depend on the moment.
 * - Who made a foreign device that was made again: an agent that is killed before it
 *   notes that does not know that it was the maker.
 * - The index of a device that was handed over: an entry that the same plan forgets
 *   keeps its index until then, or is forgotten first. */
static char *settled_dump(struct model *model)
{
    chance_settle(model);
    for (int i = 0; i < model->device_count; i++)
        model->devices[i].vf = -1;
    for (size_t i = 0; i < model->journal->device_count; i++) {
        *model->journal->devices[i].parent = 0;
        model->journal->devices[i].adopted = false;
        if (!is_numbered_by_uuid(&model->journal->devices[i]))
            model->journal->devices[i].index = 0;
    }
    return model_dump(model);
}

static void crash_everywhere(struct chance *c)
{
    _cleanup_(plan_freep) struct plan *plan = model_plan(&c->model);
    struct model undisturbed;
    model_copy(&undisturbed, &c->model);
    _cleanup_free_ char *expected = settled_dump(&undisturbed);
    for (size_t count = 0; count <= plan->step_count; count++)
        for (int dies = 0; dies < 2; dies++) {
            struct model crashed;
            model_copy(&crashed, &c->model);
            if (dies)
                model_execute_and_die(&crashed, plan, count);
            else
                model_execute(&crashed, plan, count);
            _cleanup_free_ char *got = settled_dump(&crashed);
            if (strcmp(got, expected) != 0) {
                _cleanup_free_ char *before = model_dump(&c->model);
                fprintf(stderr, "---- before\n%s\n---- plan\n", before);
                plan_print(plan, &plan->problems, FORMAT_TABLE, stderr);
                fprintf(stderr, "---- expected\n%s\n---- got\n%s\n", expected, got);
                fail_msg("seed %u, round %d: another end after step %zu", c->seed,
                         c->round, count);
            }
            model_clear(&crashed);
        }
    model_clear(&undisturbed);
}

static void a_crash_after_any_step_ends_in_the_same_state(void **state)
{
    (void)state;
    const struct seeds seeds = seeds_for(WORLDS / 10);
    for (unsigned seed = seeds.first; seed <= seeds.last; seed++) {
        struct chance c;
        chance_make(&c, 77000 + seed);
        for (c.round = 0; c.round < ROUNDS; c.round++) {
            for (int i = chance_roll(&c, 6); i >= 0; i--)
                chance_event(&c);
            crash_everywhere(&c);
            if (chance_roll(&c, 3))
                chance_settle(&c.model);
        }
        model_clear(&c.model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_worlds_keep_the_rules),
        cmocka_unit_test(a_crash_after_any_step_ends_in_the_same_state),
    };
    return cmocka_run_group_tests_name("plan_random", tests, NULL, NULL);
}
