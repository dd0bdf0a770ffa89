/* vgpu-agent prune [GPU]: deletes the providers of GPUs that are no longer configured,
 * once they have no allocations; and, where no GPU is named, the traits and resource
 * classes that the agent has made and that no provider has any more. Where the daemon
 * runs, it does so. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agent/act/made_names.h"
#include "agent/command/ask_daemon.h"
#include "agent/command/gpu_argument.h"
#include "agent/state/instance_lock.h"
#include "agent/state/requests.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

/* A provider whose GPU is not configured. */
struct candidate {
    char uuid[UUID_TEXT_SIZE];
    char *name, *gpu;
    char *obstacle; /* why it is not deleted; NULL: it is deleted, or is to be */
};

struct pruning {
    char *gpu; /* the GPU that was named; NULL: all */
    struct candidate *candidates;
    size_t count;
    struct strlist wanted; /* the uuids of the providers that can be deleted;
                              PRUNE_NAMES */
    /* names that the agent has made and that are not configured */
    struct strlist traits, classes;
    /* those of them that it still has made afterwards */
    struct strlist kept_traits, kept_classes;
};

static void pruning_clear(struct pruning *pruning)
{
    for (size_t i = 0; i < pruning->count; i++) {
        free(pruning->candidates[i].name);
        free(pruning->candidates[i].gpu);
        free(pruning->candidates[i].obstacle);
    }
    free(pruning->candidates);
    free(pruning->gpu);
    strlist_clear(&pruning->wanted);
    strlist_clear(&pruning->traits);
    strlist_clear(&pruning->classes);
    strlist_clear(&pruning->kept_traits);
    strlist_clear(&pruning->kept_classes);
}

/* ---- the providers to delete ---- */

static void find_candidates(const struct plan *plan, struct pruning *pruning)
{
    const char *gpu = pruning->gpu;
    for (size_t i = 0; i < plan->retired_count; i++) {
        const struct retired_provider *retired = &plan->retired[i];
        if (gpu && strcmp(retired->gpu, gpu) != 0)
            continue;
        struct candidate *candidate = array_add(pruning->candidates, pruning->count);
        memcpy(candidate->uuid, retired->uuid, sizeof candidate->uuid);
        candidate->name = xstrdup(retired->name);
        candidate->gpu = xstrdup(retired->gpu);
        candidate->obstacle = xstrdup(retired->obstacle);
        if (!retired->obstacle)
            strlist_add(&pruning->wanted, retired->uuid);
    }
}

/* ---- the names to delete ---- */

static void find_names(const struct cycle *cycle, struct pruning *pruning)
{
    if (pruning->gpu)
        return;
    made_names_unwanted(cycle->journal, cycle->config, cycle->desired, &pruning->traits,
                        &pruning->classes);
    if (pruning->traits.count || pruning->classes.count)
        strlist_add(&pruning->wanted, PRUNE_NAMES);
}

/* What has become of the names, by the state file after the deletion. */
static void see_kept(const struct cycle *cycle, struct pruning *pruning)
{
    const struct journal *journal = cycle->journal;
    for (size_t i = 0; i < pruning->traits.count; i++)
        if (strlist_contains(&journal->made_traits, pruning->traits.items[i]))
            strlist_add(&pruning->kept_traits, pruning->traits.items[i]);
    for (size_t i = 0; i < pruning->classes.count; i++)
        if (strlist_contains(&journal->made_classes, pruning->classes.items[i]))
            strlist_add(&pruning->kept_classes, pruning->classes.items[i]);
}

/* ---- the GPU that was named ---- */

static const struct desired_provider *configured(const struct cycle *cycle,
                                                 const char *gpu)
{
    for (size_t i = 0; i < cycle->desired->provider_count; i++)
        if (strcmp(cycle->desired->providers[i].gpu_name, gpu) == 0)
            return &cycle->desired->providers[i];
    return NULL;
}

/* A GPU that is configured can have retired providers: those of types that it had
 * beside others. */
static bool has_retired(const struct plan *plan, const char *gpu)
{
    for (size_t i = 0; i < plan->retired_count; i++)
        if (strcmp(plan->retired[i].gpu, gpu) == 0)
            return true;
    return false;
}

/* Finds the GPU that was named, by the name that the plan uses. */
static int find_gpu(const struct cycle *cycle, const char *asked, char **gpu,
                    struct error *err)
{
    _cleanup_gpu_names_ struct gpu_names names = {0};
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->retired_count; i++)
        strlist_add_unique(&names.gpus, plan->retired[i].gpu);
    gpu_names_add_cycle(&names, cycle);
    if (gpu_argument_name(cycle->host, &names, asked, gpu, err) != 0)
        return -1;
    const struct desired_provider *provider = configured(cycle, *gpu);
    if (provider && !has_retired(plan, *gpu))
        return error_set(err, ERROR_INVALID,
                         "%s is configured for the type '%s': only the provider of a "
                         "GPU that is not can be pruned",
                         *gpu, provider->type_config->type);
    return 0;
}

/* ---- the results ---- */

static const char *why_left(const struct cycle *cycle, const char *uuid)
{
    const struct plan *plan = cycle_plan(cycle);
    for (size_t i = 0; i < plan->retired_count; i++)
        if (strcmp(plan->retired[i].uuid, uuid) == 0 && plan->retired[i].obstacle)
            return plan->retired[i].obstacle;
    return observed_by_uuid(cycle->observed, uuid)
               ? "the daemon did not delete it: see `vgpu-agent status`, or it has not "
                 "read the files as they are now (`vgpu-agent reload`)"
               : NULL;
}

static const char *why_failed(const struct cycle_round *round, const char *uuid)
{
    for (size_t i = 0; i < round->execution->count; i++)
        if (strcmp(round->plan->steps[i].provider, uuid) == 0)
            return round->execution->results[i].outcome == STEP_DONE
                       ? NULL
                       : round->execution->results[i].reason;
    return "it has changed meanwhile";
}

/* ---- by the daemon ---- */

static bool is_taken_up(const struct command_session *session, void *data)
{
    const struct pruning *pruning = data;
    _cleanup_strlist_ struct strlist standing = {0};
    if (requests_read(session->config->agent.state_file, REQUEST_PRUNE, &standing,
                      NULL) != 0)
        return false;
    for (size_t i = 0; i < pruning->wanted.count; i++)
        if (strlist_contains(&standing, pruning->wanted.items[i]))
            return false;
    return true;
}

static void withdraw_all(const char *state_file, const struct strlist *providers)
{
    for (size_t i = 0; i < providers->count; i++)
        (void)requests_withdraw(state_file, REQUEST_PRUNE, providers->items[i], NULL,
                                NULL);
}

static int request_all(const char *state_file, const struct strlist *providers,
                       struct error *err)
{
    for (size_t i = 0; i < providers->count; i++)
        if (requests_give(state_file, REQUEST_PRUNE, providers->items[i], NULL, err) !=
            0)
            return -1;
    return 0;
}

/* Looks once more at the end: the look that saw the requests withdrawn may have begun
 * before that. */
static int wait_for_daemon(struct command_session *session, struct pruning *pruning,
                           struct error *err)
{
    if (command_wake_daemon(session, err) != 0 ||
        command_wait_until(session, is_taken_up, pruning, err) != 0)
        return -1;
    cycle_clear(&session->cycle);
    return cycle_look(session->agent, agent_now(session->agent), true, &session->cycle,
                      err);
}

static int ask_daemon(struct command_session *session, struct pruning *pruning,
                      struct error *err)
{
    const char *state_file = session->config->agent.state_file;
    if (request_all(state_file, &pruning->wanted, err) != 0 ||
        wait_for_daemon(session, pruning, err) != 0) {
        withdraw_all(state_file, &pruning->wanted);
        return -1;
    }
    for (size_t i = 0; i < pruning->count; i++)
        if (!pruning->candidates[i].obstacle)
            pruning->candidates[i].obstacle =
                xstrdup(why_left(&session->cycle, pruning->candidates[i].uuid));
    see_kept(&session->cycle, pruning);
    return 0;
}

/* ---- without a daemon ---- */

static int act(const struct command_session *session, struct pruning *pruning,
               struct error *err)
{
    _cleanup_(agent_freep) struct agent *agent = NULL;
    _cleanup_free_ char *note = NULL;
    struct cycle cycle = {0};
    if (agent_new(session->config, AGENT_ACTS, "prune", time(NULL), &agent, &note,
                  err) != 0)
        return -1;
    agent_set_prune(agent, &pruning->wanted);
    int rc = cycle_prune(agent, agent_now(agent), &cycle, err);
    for (size_t i = 0; i < pruning->count && rc == 0; i++)
        if (!pruning->candidates[i].obstacle)
            pruning->candidates[i].obstacle = xstrdup(why_failed(
                &cycle.rounds[cycle.round_count - 1], pruning->candidates[i].uuid));
    if (rc == 0)
        see_kept(&cycle, pruning);
    cycle_clear(&cycle);
    return rc;
}

static int delete_wanted(struct command_session *session, struct pruning *pruning,
                         struct error *err)
{
    struct instance_holder holder;
    if (pruning->wanted.count == 0)
        return 0;
    if (instance_lock_holder(session->config->agent.state_file, &holder, err) != 0)
        return -1;
    return strcmp(holder.command, INSTANCE_DAEMON) == 0
               ? ask_daemon(session, pruning, err)
               : act(session, pruning, err);
}

/* ---- the command ---- */

static void say_nothing(const struct pruning *pruning)
{
    if (pruning->gpu)
        printf("nothing to prune: %s has no provider\n", pruning->gpu);
    else
        puts("nothing to prune: every provider's GPU is configured, and so is what the "
             "agent has made of traits and classes");
}

/* Returns how many providers were left. */
static size_t add_providers(struct table *table, const struct pruning *pruning)
{
    size_t left = 0;
    for (size_t i = 0; i < pruning->count; i++) {
        const struct candidate *candidate = &pruning->candidates[i];
        left += candidate->obstacle != NULL;
        table_string(table, candidate->gpu);
        table_brief(table, pci_address_brief(candidate->gpu));
        table_string(table, candidate->name);
        table_string(table, candidate->uuid);
        table_none(table);
        table_string(table, candidate->obstacle ? "left" : "deleted");
        table_string(table, candidate->obstacle);
    }
    return left;
}

/* A name that is still the agent's is one that somebody has: that is no failure. */
static void add_names(struct table *table, const struct strlist *names,
                      const struct strlist *kept)
{
    for (size_t i = 0; i < names->count; i++) {
        bool is_kept = strlist_contains(kept, names->items[i]);
        table_none(table);
        table_none(table);
        table_none(table);
        table_string(table, names->items[i]);
        table_string(table, is_kept ? "kept" : "deleted");
        table_string(
            table, is_kept ? "a provider has it, or Placement could not delete it, as "
                             "`vgpu-agent status` then says"
                           : NULL);
    }
}

static int show(const struct pruning *pruning, enum output_format format)
{
    static const struct table_column columns[] = {
        {.key = "gpu"},
        {.key = "provider", .place = COLUMN_ROOM},
        {.key = "uuid", .place = COLUMN_WIDE},
        {.key = "name"},
        {.key = "result"},
        {.key = "reason", .place = COLUMN_BELOW},
        {.key = NULL}};
    _cleanup_(table_freep) struct table *table = table_new(columns);
    size_t left = add_providers(table, pruning);
    add_names(table, &pruning->traits, &pruning->kept_traits);
    add_names(table, &pruning->classes, &pruning->kept_classes);
    size_t rows = pruning->count + pruning->traits.count + pruning->classes.count;
    if (rows == 0 && format != FORMAT_JSON)
        say_nothing(pruning);
    else if (table_print(table, format, stdout) != 0)
        return EX_IOERR;
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return left ? EXIT_FAILURE : EX_OK;
}

static int prune(struct command_session *session, const char *asked,
                 struct pruning *pruning, struct error *err)
{
    if (command_check_root(&session->cycle, err) != 0 ||
        (asked && find_gpu(&session->cycle, asked, &pruning->gpu, err) != 0))
        return -1;
    find_candidates(cycle_plan(&session->cycle), pruning);
    find_names(&session->cycle, pruning);
    return delete_wanted(session, pruning, err);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    _cleanup_session_ struct command_session session = {0};
    int status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    struct pruning pruning = {0};
    struct error err;
    status = prune(&session, argc > 1 ? argv[1] : NULL, &pruning, &err) == 0
                 ? show(&pruning, context->format)
                 : command_fail(&err);
    pruning_clear(&pruning);
    return status;
}

const struct command command_prune = {
    .name = "prune",
    .argument = "GPU",
    .argument_may_be_left_out = true,
    .summary = "deletes the providers of GPUs that are no longer configured, if free, "
               "and traits and classes of the agent's that no provider has",
    .run = run,
};
