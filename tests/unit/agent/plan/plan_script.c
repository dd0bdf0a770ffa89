#include "tests/unit/agent/plan/plan_script.h"

#include <stdio.h>
#include <string.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_model_execute.h"
#include "tests/unit/agent/plan/plan_model_look.h"
#include "tests/unit/agent/plan/script_commands.h"
#include "tests/unit/agent/plan/script_steps.h"
#include "tests/unit/test.h"

/* ---- expectations ---- */

/* The plan for the world as it is; kept until a command changes the world. */
static struct plan *look(struct script *s)
{
    if (!s->seen)
        s->seen = model_plan(&s->model);
    return s->seen;
}

static void forget_plan(struct script *s)
{
    if (s->seen)
        plan_free(s->seen);
    s->seen = NULL;
}

static void check_steps(struct script *s)
{
    if (!s->expected.count)
        return;
    forget_plan(s);
    struct plan *next = look(s);
    _cleanup_strlist_ struct strlist steps = {0};
    for (size_t i = 0; i < next->step_count; i++)
        strlist_add_take(&steps, script_step_words(s, &next->steps[i]));
    if (!steps.count)
        strlist_add(&steps, "nothing");
    if (!strlist_equal(&steps, &s->expected)) {
        _cleanup_free_ char *got = strlist_join(&steps, "\n  => ");
        _cleanup_free_ char *wanted = strlist_join(&s->expected, "\n  => ");
        s->line = s->expected_line;
        script_wrong(s, "planned\n  => %s\nbut expected\n  => %s", got, wanted);
    }
    model_execute(&s->model, next, next->step_count);
    strlist_clear(&s->expected);
}

static void check_allocation(struct script *s, const char *text)
{
    char consumer[16] = "", state[16] = "", reason[80] = "";
    sscanf(text, "%15s %15s %79[^\n]", consumer, state, reason);
    char uuid[UUID_TEXT_SIZE];
    script_named_uuid(s, consumer, uuid);
    const struct plan *next = look(s);
    for (size_t i = 0; i < next->allocation_count; i++) {
        const struct allocation_status *a = &next->allocations[i];
        _cleanup_free_ char *name = xstrdup(allocation_state_name(a->state));
        if (strchr(name, ' '))
            *strchr(name, ' ') = '-';
        if (strcmp(a->consumer, uuid) != 0)
            continue;
        if (strcmp(name, state) == 0 &&
            (!*reason || (a->reason && strstr(a->reason, reason))))
            return;
        script_wrong(s, "%s is %s (%s)", consumer, name, a->reason ? a->reason : "");
    }
    if (strcmp(state, "unknown") != 0)
        script_wrong(s, "%s has no allocation", consumer);
}

static void check_problem(struct script *s, const char *text)
{
    const struct plan *next = look(s);
    for (size_t i = 0; i < next->problems.count; i++)
        if (strstr(next->problems.items[i], text))
            return;
    if (strcmp(text, "none") == 0 && !next->problems.count)
        return;
    _cleanup_free_ char *all = strlist_join(&next->problems, "\n  ");
    script_wrong(s, "no problem \"%s\" in\n  %s", text, all);
}

static void check_reason(struct script *s, const char *text)
{
    const struct plan *next = look(s);
    const char *colon = strchr(text, ':');
    size_t kind = colon ? (size_t)(colon - text) + 1 : 0;
    _cleanup_strlist_ struct strlist all = {0};
    for (size_t i = 0; i < next->step_count; i++) {
        const struct step *step = &next->steps[i];
        char *reason = xasprintf("%s: %s", step_kind_name(step->kind), step->reason);
        strlist_add_take(&all, reason);
        if (strncmp(reason, text, kind) == 0 && strstr(reason, text + kind))
            return;
    }
    _cleanup_free_ char *joined = strlist_join(&all, "\n  ");
    script_wrong(s, "no reason \"%s\" in\n  %s", text, joined);
}

static const char *const order_states[] = {
    [ORDER_MET] = "met",
    [ORDER_PLANNED] = "planned",
    [ORDER_WAITS] = "waits",
    [ORDER_REFUSED] = "refused",
};

/* "ordered DEVICE STATE [WORD]": a word of the reason. */
static void do_ordered(struct script *s)
{
    char uuid[UUID_TEXT_SIZE];
    const struct plan *next = look(s);
    script_device_uuid(s, script_word(s, 1), uuid);
    for (size_t i = 0; i < next->order_count; i++) {
        const struct order_result *order = &next->orders[i];
        const char *reason = order->reason ? order->reason : "";
        if (strcmp(order->device, uuid) != 0)
            continue;
        if (strcmp(order_states[order->state], script_word(s, 2)) != 0 ||
            (s->word_count > 3 && !strstr(reason, script_word(s, 3))))
            script_wrong(s, "it is %s (%s)", order_states[order->state], reason);
        return;
    }
    script_wrong(s, "there is no such order");
}

static void do_use(struct script *s)
{
    forget_plan(s);
    look(s);
    if (s->model.use_was_needed != script_has_word(s, "needed"))
        script_wrong(s, "use was %sneeded", s->model.use_was_needed ? "" : "not ");
}

static void do_whose(struct script *s)
{
    char uuid[UUID_TEXT_SIZE], consumer[UUID_TEXT_SIZE];
    script_device_uuid(s, script_word(s, 1), uuid);
    script_named_uuid(s, script_word(s, 2), consumer);
    const struct journal_device *entry = journal_find_device(s->model.journal, uuid);
    if (!entry || strcmp(entry->consumer, consumer) != 0)
        script_wrong(s, "it is %s's",
                     entry ? script_label_of(s, entry->consumer) : "nobody");
}

static void do_wake(struct script *s)
{
    int64_t wake_at = look(s)->wake_at;
    if (wake_at != (script_has_word(s, "none") ? 0 : script_integer(script_word(s, 1))))
        script_wrong(s, "wakes at %ld", (long)wake_at);
}

static void do_goes(struct script *s)
{
    forget_plan(s);
    if (look(s)->goes_on != script_has_word(s, "on"))
        script_wrong(s, "it %s", look(s)->goes_on ? "goes on" : "does not go on");
}

/* ---- the interpreter ---- */

/* Commands that check a plan and do not change the world. */
static const struct script_command expectations[] = {
    {"use", do_use, true},     {"wake", do_wake, true},       {"goes", do_goes, true},
    {"whose", do_whose, true}, {"ordered", do_ordered, true},
};

static const struct script_command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++)
        if (strcmp(expectations[i].name, name) == 0)
            return &expectations[i];
    return script_command(name);
}

static void run_command(struct script *s)
{
    const struct script_command *command = find_command(s->words[0]);
    if (!command)
        script_wrong(s, "no command %s", s->words[0]);
    if (!command->looks)
        forget_plan(s);
    command->run(s);
}

static void run_line(struct script *s, char *line)
{
    if (strcmp(line, "=> nothing") == 0)
        check_steps(s);
    if (strncmp(line, "=> ", 3) == 0) {
        if (!s->expected.count)
            s->expected_line = s->line;
        strlist_add(&s->expected, line + 3);
        return;
    }
    check_steps(s);
    if (strncmp(line, "? ", 2) == 0)
        check_allocation(s, line + 2);
    else if (strncmp(line, "! ", 2) == 0)
        check_problem(s, line + 2);
    else if (strncmp(line, "& ", 2) == 0)
        check_reason(s, line + 2);
    else {
        script_split_words(s, line);
        run_command(s);
    }
}

static void run_block(struct script *s, const struct script_block *block)
{
    for (size_t i = 0; i < block->line_count; i++) {
        const struct script_line *line = &block->lines[i];
        s->line = line->number;
        if (strncmp(line->text, "from ", 5) == 0) {
            const struct script_block *beginning =
                script_file_beginning(s->file, line->text + 5, block->number);
            if (!beginning)
                script_wrong(s, "no such beginning above");
            run_block(s, beginning);
        } else {
            _cleanup_free_ char *text = xstrdup(line->text);
            run_line(s, text);
        }
    }
}

void plan_case_run(const struct script_file *file, const struct script_block *running)
{
    struct script s = {.file = file, .running = running};
    model_init(&s.model);
    run_block(&s, running);
    check_steps(&s);
    forget_plan(&s);
    model_settle(&s.model);
    model_clear(&s.model);
    strlist_clear(&s.labels);
    strlist_clear(&s.label_uuids);
}
