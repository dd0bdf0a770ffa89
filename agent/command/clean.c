/* vgpu-agent clean GPU: an operator has cleaned the units of a GPU that consumers have
 * had (one_time_use), so that they may be given away again. The request is a file
 * (agent/state/requests.h), so it works whether the daemon runs or not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "agent/command/ask_daemon.h"
#include "agent/command/gpu_argument.h"
#include "agent/state/requests.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

struct cleaning {
    char *gpu;
    int64_t units;
    char *pending; /* why it is not done yet; NULL: it is */
};

static int find_gpu(const struct command_session *session, const char *asked,
                    struct cleaning *cleaning, struct error *err)
{
    const struct cycle *cycle = &session->cycle;
    _cleanup_gpu_names_ struct gpu_names names = {0};
    for (size_t i = 0; i < cycle->journal->spent_count; i++)
        strlist_add(&names.gpus, cycle->journal->spent[i].gpu);
    gpu_names_add_cycle(&names, cycle);
    if (gpu_argument_name(cycle->host, &names, asked, &cleaning->gpu, err) != 0)
        return -1;
    cleaning->units = journal_spent_of(cycle->journal, cleaning->gpu);
    return 0;
}

static bool is_taken_up(const struct command_session *session, void *data)
{
    const struct cleaning *cleaning = data;
    _cleanup_strlist_ struct strlist standing = {0};
    return requests_read(session->config->agent.state_file, REQUEST_CLEAN, &standing,
                         NULL) == 0 &&
           !strlist_contains(&standing, cleaning->gpu);
}

static int clean(struct command_session *session, struct cleaning *cleaning,
                 struct error *err)
{
    if (cleaning->units == 0)
        return 0;
    if (requests_give(session->config->agent.state_file, REQUEST_CLEAN, cleaning->gpu,
                      NULL, err) != 0)
        return -1;
    cleaning->pending = command_ask(session, is_taken_up, cleaning);
    return 0;
}

static int print_json(const struct cleaning *cleaning)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "gpu", cleaning->gpu);
    json_write_int_member(&w, "units", cleaning->units);
    json_write_bool_member(&w, "done", !cleaning->pending);
    json_write_string_member(&w, "pending", cleaning->pending);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text);
}

static int print_text(const struct cleaning *cleaning)
{
    if (cleaning->units == 0)
        return printf("nothing of %s waits to be cleaned: a unit does once its device "
                      "has gone\n",
                      cleaning->gpu);
    if (cleaning->pending)
        return printf("%s is to be offered again: %s\n", cleaning->gpu,
                      cleaning->pending);
    return printf("%s: %" PRId64 " used unit%s offered again\n", cleaning->gpu,
                  cleaning->units, cleaning->units == 1 ? " is" : "s are");
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    _cleanup_session_ struct command_session session = {.lenient = true};
    int status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    struct cleaning cleaning = {0};
    struct error err;
    if (find_gpu(&session, argv[1], &cleaning, &err) != 0 ||
        clean(&session, &cleaning, &err) != 0)
        status = command_fail(&err);
    else if ((context->format == FORMAT_JSON ? print_json(&cleaning)
                                             : print_text(&cleaning)) < 0 ||
             fflush(stdout) != 0)
        status = EX_IOERR;
    else if (cleaning.pending)
        status = EXIT_FAILURE;
    free(cleaning.gpu);
    free(cleaning.pending);
    return status;
}

const struct command command_clean = {
    .name = "clean",
    .argument = "GPU",
    .summary = "its used units (one_time_use) may be given away again",
    .run = run,
};
