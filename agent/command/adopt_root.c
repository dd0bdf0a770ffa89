/* vgpu-agent adopt-root: makes the state file belong to the root provider that this
 * host has in Placement now. Where the daemon runs, it does so. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/ask_daemon.h"
#include "agent/state/instance_lock.h"
#include "agent/state/requests.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

struct adoption {
    char uuid[UUID_TEXT_SIZE];
    char *name;
    bool adopted; /* the state file belonged to another root before */
};

/* ---- by the daemon ---- */

static bool is_taken_up(const struct command_session *session, void *data)
{
    const struct adoption *adoption = data;
    _cleanup_strlist_ struct strlist standing = {0};
    return requests_read(session->config->agent.state_file, REQUEST_ADOPT_ROOT,
                         &standing, NULL) == 0 &&
           !strlist_contains(&standing, adoption->uuid);
}

static int ask_daemon(struct command_session *session, struct adoption *adoption,
                      struct error *err)
{
    const char *state_file = session->config->agent.state_file;
    if (requests_give(state_file, REQUEST_ADOPT_ROOT, adoption->uuid, NULL, err) == 0 &&
        command_wake_daemon(session, err) == 0 &&
        command_wait_until(session, is_taken_up, adoption, err) == 0)
        return 0;
    (void)requests_withdraw(state_file, REQUEST_ADOPT_ROOT, adoption->uuid, NULL, NULL);
    return -1;
}

/* ---- without a daemon ---- */

static int act(const struct command_session *session, const struct adoption *adoption,
               struct error *err)
{
    _cleanup_(agent_freep) struct agent *agent = NULL;
    _cleanup_free_ char *note = NULL;
    if (agent_new(session->config, AGENT_ACTS, "adopt-root", time(NULL), &agent, &note,
                  err) != 0)
        return -1;
    return agent_adopt_root(agent, adoption->uuid, adoption->name, err);
}

/* ---- the command ---- */

static int adopt(struct command_session *session, struct adoption *adoption,
                 struct error *err)
{
    struct instance_holder holder;
    const struct observed *observed = session->cycle.observed;
    memcpy(adoption->uuid, observed->root_uuid, sizeof adoption->uuid);
    adoption->name = xstrdup(observed->root_name);
    adoption->adopted = cycle_plan(&session->cycle)->other_root;
    if (!adoption->adopted)
        return 0;
    if (instance_lock_holder(session->config->agent.state_file, &holder, err) != 0)
        return -1;
    return strcmp(holder.command, INSTANCE_DAEMON) == 0
               ? ask_daemon(session, adoption, err)
               : act(session, adoption, err);
}

static int print_json(const struct adoption *adoption)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "root", adoption->uuid);
    json_write_string_member(&w, "root_name", adoption->name);
    json_write_bool_member(&w, "adopted", adoption->adopted);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text);
}

static int print_text(const struct adoption *adoption)
{
    if (!adoption->adopted)
        return command_tell(
            "nothing to adopt: the state file is no other root provider's "
            "than %s (%s)",
            adoption->name, adoption->uuid);
    return command_tell(
        "the state file belongs to the root provider %s (%s) now; what is "
        "below the former one is left as it is",
        adoption->name, adoption->uuid);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {0};
    int status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    struct adoption adoption = {0};
    struct error err;
    if (adopt(&session, &adoption, &err) != 0)
        status = command_fail(&err);
    else if ((context->format == FORMAT_JSON ? print_json(&adoption)
                                             : print_text(&adoption)) < 0 ||
             fflush(stdout) != 0)
        status = EX_IOERR;
    free(adoption.name);
    return status;
}

const struct command command_adopt_root = {
    .name = "adopt-root",
    .summary = "the state file belongs to this host's present root provider",
    .run = run,
};
