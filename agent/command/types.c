/* vgpu-agent types [GPU|TYPE]: the types that the host's GPUs, or one of them,
 * offer. */
#include <string.h>
#include <sysexits.h>

#include "agent/command/command.h"
#include "agent/command/gpu_argument.h"
#include "agent/command/print_types.h"
#include "agent/command/type_names.h"
#include "agent/state/machine_id.h"

/* Without a readable state file, the names of providers are not known here. */
static void add_providers(const struct config *config, struct gpu_names *names)
{
    _cleanup_(journal_freep) struct journal *journal = NULL;
    _cleanup_free_ char *note = NULL;
    char machine[UUID_TEXT_SIZE];
    struct error ignored;
    machine_id_read(config->agent.host_root, machine);
    if (journal_look(config->agent.state_file, machine, &journal, &note, &ignored) == 0)
        gpu_names_add_journal(names, journal);
}

static int find(const struct config *config, const struct host *host, const char *word,
                struct asked_types *asked, struct error *err)
{
    if (!word)
        return 0;
    const struct asked_types called = {.type = word};
    if (host_offers(host, &called)) {
        asked->type = word;
        return 0;
    }
    _cleanup_gpu_names_ struct gpu_names names = {0};
    add_providers(config, &names);
    if (gpu_argument_find(host, &names, word, &asked->gpu, err) == 0)
        return 0;
    _cleanup_free_ char *types = type_names_list(host->gpus, host->gpu_count);
    if (types && err->code == ERROR_NOT_FOUND && !strchr(word, ':'))
        return error_set(err, ERROR_NOT_FOUND,
                         "%s is neither a GPU nor a type of this "
                         "host, which offers %s",
                         word, types);
    return -1;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    int status = command_look_at_host(context, &config, &host);
    if (status != EXIT_SUCCESS)
        return status;
    struct asked_types asked = {0};
    struct error err;
    if (find(config, host, argc > 1 ? argv[1] : NULL, &asked, &err) != 0)
        return command_fail(&err);
    return print_types(host, &asked, config->agent.sysfs_root, context->format) < 0 ||
                   fflush(stdout) != 0
               ? EX_IOERR
               : EX_OK;
}

const struct command command_types = {
    .name = "types",
    .argument = "GPU|TYPE",
    .argument_may_be_left_out = true,
    .summary = "the types that the GPUs offer, with their attributes",
    .run = run,
};
