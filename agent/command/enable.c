/* vgpu-agent enable TYPE GPU, disable TYPE GPU: which types a GPU may have, beside what
 * the files say. The request is a file (agent/state/requests.h), so both work whether
 * the daemon runs or not, and hold over restarts. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "agent/command/ask_daemon.h"
#include "agent/command/gpu_argument.h"
#include "agent/command/type_names.h"
#include "agent/report/gpu_types.h"
#include "agent/state/requests.h"
#include "lib/json_write.h"
#include "lib/xalloc.h"

struct enabling {
    bool enable;  /* enable; false: disable */
    bool changed; /* it was not so before */
    char *gpu, *type;
    char *pending; /* why Placement has not yet what follows; NULL: it has */
};

/* ---- which type ---- */

static int check_mode(const struct command_session *session, struct error *err)
{
    if (session->config->agent.mode == MODE_OWNER)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "in %s mode nova-compute keeps one type for each GPU: change the "
                     "files of both",
                     agent_mode_name(session->config->agent.mode));
}

static const struct gpu_type *find_type(const struct gpu_type_list *list,
                                        const struct gpu *gpu, const char *asked)
{
    const struct gpu_type *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (card_types_is_same(gpu, list->items[i].type, asked))
            return &list->items[i];
        const struct device_type *type =
            gpu && list->items[i].id ? gpu_type(gpu, list->items[i].id) : NULL;
        if (type && type_is_called(type, asked)) {
            if (found)
                return NULL;
            found = &list->items[i];
        }
    }
    return found;
}

static int refuse_type(const struct gpu *gpu, const char *name, const char *asked,
                       struct error *err)
{
    _cleanup_free_ char *listed = gpu ? type_names_list(gpu, 1) : NULL;
    return error_set(err, ERROR_NOT_FOUND, "%s does not offer '%s'%s%s", name, asked,
                     listed ? ": it has " : "", listed ? listed : "");
}

/* ---- what stands against it ---- */

/* What cannot be seen could be in use. */
static int check_resident(const struct gpu_type *type, const char *gpu,
                          struct error *err)
{
    if (!type->seen || !type->known)
        return error_set(
            err, ERROR_UNREACHABLE, "whether '%s' is in use on %s cannot be seen: %s",
            type->type, gpu,
            type->seen ? "Placement was not read" : "the GPU was not read");
    if (!type->devices && !type->used)
        return 0;
    return error_set(err, ERROR_BUSY,
                     "'%s' is resident on %s: %u device%s, %lld unit%s allocated; "
                     "`vgpu-agent devices` lists them. It can be disabled when they "
                     "have gone (`vgpu-agent drain %s` lets nobody new come)",
                     type->type, gpu, type->devices, type->devices == 1 ? "" : "s",
                     (long long)type->used, type->used == 1 ? "" : "s", gpu);
}

static bool is_for_one_use(const struct config *config, const struct gpu *gpu,
                           const char *name)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (card_types_is_same(gpu, config->types[i].type, name))
            return config->types[i].one_time_use;
    return false;
}

/* One of several types could get what another one has used. */
static int check_one_use(const struct config *config, const struct gpu_type_list *types,
                         const struct gpu *gpu, const struct gpu_type *type,
                         const char *name, struct error *err)
{
    bool once = is_for_one_use(config, gpu, type->type);
    for (size_t i = 0; i < types->count; i++) {
        const struct gpu_type *other = &types->items[i];
        if (other == type || other->enabled == TYPE_NOT_ENABLED ||
            !(once || is_for_one_use(config, gpu, other->type)))
            continue;
        return error_set(err, ERROR_INVALID,
                         "'%s' cannot be enabled beside '%s' on %s: the units of '%s' "
                         "are given away once (one_time_use), and the other could get "
                         "what was used",
                         type->type, other->type, name,
                         once ? type->type : other->type);
    }
    return 0;
}

/* ---- the request ---- */

/* Whether the GPU has another type than this one, enabled or not. */
static bool has_others(const struct gpu_type_list *types, const struct gpu_type *type)
{
    for (size_t i = 0; i < types->count; i++)
        if (&types->items[i] != type && types->items[i].enabled != TYPE_NOT_ENABLED)
            return true;
    return false;
}

/* In every spelling: a type is listed as the files' section spells it, and may have
 * been requested by its id, or before there was such a section. */
static int withdraw(const char *state_file, enum request request, const struct gpu *gpu,
                    const struct enabling *enabling, bool *found, struct error *err)
{
    _cleanup_strlist_ struct strlist lines = {0};
    if (requests_read(state_file, request, &lines, err) != 0)
        return -1;
    for (size_t i = 0; i < lines.count; i++) {
        const char *type = type_choice_for(lines.items[i], enabling->gpu);
        if (!type || !card_types_is_same(gpu, type, enabling->type))
            continue;
        *found = true;
        if (requests_withdraw(state_file, request, lines.items[i], NULL, err) != 0)
            return -1;
    }
    return 0;
}

/* One request is given before the other is withdrawn: in between, a disabled type
 * counts as disabled. A type that only a request has enabled is none of the GPU's any
 * more without it, so that a GPU with one type left has it on its own provider again;
 * the last one stays, as disabled. */
static int put(const char *state_file, const struct gpu_type_list *types,
               const struct gpu *gpu, const struct gpu_type *type,
               const struct enabling *enabling, struct error *err)
{
    _cleanup_free_ char *line = type_choice(enabling->gpu, enabling->type);
    bool found = false;
    if (enabling->enable) {
        if (!type->of_files &&
            requests_give(state_file, REQUEST_ENABLED, line, NULL, err) != 0)
            return -1;
        return withdraw(state_file, REQUEST_DISABLED, gpu, enabling, &found, err);
    }
    if (!type->of_files && has_others(types, type)) {
        if (withdraw(state_file, REQUEST_ENABLED, gpu, enabling, &found, err) != 0)
            return -1;
        if (found)
            return 0;
    }
    return requests_give(state_file, REQUEST_DISABLED, line, NULL, err) != 0
               ? -1
               : withdraw(state_file, REQUEST_ENABLED, gpu, enabling, &found, err);
}

/* The request is the name of a file. */
static bool is_asked_by_name(const struct gpu_type *type, const char *asked)
{
    return type_name_is(type->name, asked) && !strchr(type->name, '/');
}

static bool is_enabled(const struct gpu_type *type)
{
    return type->enabled == TYPE_BY_FILES || type->enabled == TYPE_AT_RUN_TIME;
}

/* As the files spell the type. Where they do not have it, a name that was asked for
 * stays one: another driver has other ids, and the same names. */
static const char *spelling_of(const struct config *config, const struct gpu *gpu,
                               const struct gpu_type *type, const char *asked,
                               bool enable)
{
    const struct mdev_type_config *section =
        card_types_section(config, gpu, type->type);
    if (section)
        return section->type;
    bool is_new = enable ? !is_enabled(type) : type->enabled == TYPE_NOT_ENABLED;
    return is_new && is_asked_by_name(type, asked) ? type->name : type->type;
}

static int give_request(const struct command_session *session, const char *asked_type,
                        const char *asked_gpu, struct enabling *enabling,
                        struct error *err)
{
    _cleanup_gpu_names_ struct gpu_names names = {0};
    _cleanup_gpu_types_ struct gpu_type_list types = {0};
    gpu_names_add_config(&names, session->config);
    gpu_names_add_cycle(&names, &session->cycle);
    if (check_mode(session, err) != 0 ||
        gpu_argument_name(session->cycle.host, &names, asked_gpu, &enabling->gpu,
                          err) != 0)
        return -1;
    const struct gpu *gpu = host_gpu(session->cycle.host, enabling->gpu);
    gpu_types_make(&session->cycle, enabling->gpu, &types);
    const struct gpu_type *type = find_type(&types, gpu, asked_type);
    if (!type)
        return refuse_type(gpu, enabling->gpu, asked_type, err);
    enabling->type =
        xstrdup(spelling_of(session->config, gpu, type, asked_type, enabling->enable));
    enabling->changed = is_enabled(type) != enabling->enable;
    if (!enabling->changed)
        return 0;
    if (!enabling->enable && check_resident(type, enabling->gpu, err) != 0)
        return -1;
    if (enabling->enable &&
        check_one_use(session->config, &types, gpu, type, enabling->gpu, err) != 0)
        return -1;
    return put(session->config->agent.state_file, &types, gpu, type, enabling, err);
}

/* ---- the result ---- */

static int print_json(const struct enabling *enabling)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "gpu", enabling->gpu);
    json_write_string_member(&w, "type", enabling->type);
    json_write_bool_member(&w, "enabled", enabling->enable);
    json_write_bool_member(&w, "changed", enabling->changed);
    json_write_bool_member(&w, "done", !enabling->pending);
    json_write_string_member(&w, "pending", enabling->pending);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text);
}

static int print_text(const struct command_session *session,
                      const struct enabling *enabling)
{
    const char *already = enabling->changed ? "" : "already ";
    const char *word = enabling->enable ? "enabled" : "disabled";
    if (enabling->pending)
        return printf("'%s' is %sto be %s for %s: %s\n", enabling->type, already, word,
                      enabling->gpu, enabling->pending);
    _cleanup_gpu_types_ struct gpu_type_list types = {0};
    gpu_types_make(&session->cycle, enabling->gpu, &types);
    const struct gpu_type *type =
        find_type(&types, host_gpu(session->cycle.host, enabling->gpu), enabling->type);
    bool tells = enabling->enable && type && type->service != GPU_ACTIVE &&
                 type->service != GPU_UNUSED && type->reason;
    return printf("'%s' is %s%s for %s%s%s%s%s\n", enabling->type, already, word,
                  enabling->gpu, tells ? "; " : "",
                  tells ? gpu_service_name(type->service) : "", tells ? ": " : "",
                  tells ? type->reason : "");
}

static int show(const struct command_session *session, const struct enabling *enabling,
                enum output_format format)
{
    int rc =
        format == FORMAT_JSON ? print_json(enabling) : print_text(session, enabling);
    if (rc < 0 || fflush(stdout) != 0)
        return EX_IOERR;
    return enabling->pending ? EXIT_FAILURE : EX_OK;
}

/* ---- the commands ---- */

/* A type can be enabled while Placement cannot be reached. */
static int look(struct command_session *session, struct error *err)
{
    int rc = cycle_look(session->agent, agent_now(session->agent), true,
                        &session->cycle, err);
    return session->cycle.round_count ? 0 : rc;
}

static int run(const struct command_context *context, char **argv, bool enable)
{
    _cleanup_session_ struct command_session session = {.lenient = true};
    int status = command_session_open(&session, context, AGENT_LOOKS);
    if (status != EX_OK)
        return status;
    struct enabling enabling = {.enable = enable};
    struct error err;
    if (look(&session, &err) != 0 ||
        give_request(&session, argv[1], argv[2], &enabling, &err) != 0) {
        status = command_fail(&err);
    } else {
        _cleanup_strlist_ struct strlist gpus = {0};
        strlist_add(&gpus, enabling.gpu);
        enabling.pending = command_wait_for_gpus(&session, &gpus);
        status = show(&session, &enabling, context->format);
    }
    free(enabling.gpu);
    free(enabling.type);
    free(enabling.pending);
    return status;
}

static int run_enable(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    return run(context, argv, true);
}

static int run_disable(const struct command_context *context, int argc, char **argv)
{
    (void)argc;
    return run(context, argv, false);
}

const struct command command_enable = {
    .name = "enable",
    .argument = "TYPE GPU",
    .summary = "the GPU may get this type, too",
    .run = run_enable,
};

const struct command command_disable = {
    .name = "disable",
    .argument = "TYPE GPU",
    .summary = "nobody new gets this type of the GPU",
    .run = run_disable,
};
