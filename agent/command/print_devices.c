#include "agent/command/print_devices.h"

#include <stdio.h>
#include <sysexits.h>

#include "agent/command/ask_daemon.h"
#include "agent/command/give_order.h"
#include "agent/state/machine_id.h"
#include "agent/state/requests.h"
#include "lib/xalloc.h"

#define NO_SPACE "00000000-0000-0000-0000-000000000000"

static int parse_consumer(const char *text, char uuid[UUID_TEXT_SIZE],
                          struct error *err)
{
    if (uuid_parse_text(text, uuid))
        return 0;
    return error_set(err, ERROR_INVALID,
                     "%s: expected the uuid of a consumer (a server), or a device as "
                     "`vgpu-agent devices` has it",
                     text);
}

struct question {
    const char *consumer;
    struct consumer_device *devices;
    size_t count;
    struct error err; /* code NONE: the devices were found */
};

static void look_up(const struct command_session *session, struct question *question)
{
    question->err = (struct error){0};
    if (command_check_root(&session->cycle, &question->err) == 0)
        (void)consumer_devices(&session->cycle, question->consumer, &question->devices,
                               &question->count, &question->err);
}

static bool is_answered(const struct command_session *session, void *data)
{
    struct question *question = data;
    look_up(session, question);
    return question->err.code != ERROR_BUSY;
}

/* The request tells the agent that this consumer is a server, and no migration. */
static int wait_for_daemon(struct command_session *session, struct question *question,
                           struct error *err)
{
    if (requests_give(session->config->agent.state_file, REQUEST_SERVER,
                      question->consumer, NULL, err) != 0)
        return -1;
    if (command_wake_daemon(session, err) != 0)
        return -1;
    return command_wait_until(session, is_answered, question, err);
}

static void ask(struct command_session *session, struct question *question)
{
    struct error err = {0};
    look_up(session, question);
    if (question->err.code != ERROR_BUSY ||
        wait_for_daemon(session, question, &err) == 0 || err.code == ERROR_TIMEOUT)
        return;
    /* In nova mode nova-compute makes the devices, so it does not matter that no daemon
     * runs. */
    bool owner = session->config->agent.mode == MODE_OWNER;
    if (err.code == ERROR_NOT_FOUND && !owner)
        return;
    if (err.code == ERROR_NOT_FOUND)
        (void)error_set(&err, ERROR_BUSY,
                        "%s; the daemon, or `vgpu-agent sync`, does it, and no daemon "
                        "runs",
                        question->err.text);
    question->err = err;
}

/* ---- printing ---- */

static void free_texts(struct printed_device *printed, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(printed[i].text);
    free(printed);
}

/* Of each device first its own address, then its further functions: a card goes to a guest
 * with all of them. */
static struct printed_device *list_parts(const struct question *question, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < question->count; i++)
        *count += device_part_count(question->devices[i].device);
    struct printed_device *printed = xcalloc(*count, sizeof *printed), *next = printed;
    for (size_t i = 0; i < question->count; i++) {
        const struct device *device = question->devices[i].device;
        for (size_t part = 0; part < device_part_count(device); part++, next++) {
            *next = (struct printed_device){.consumer = question->consumer,
                                            .device = question->devices[i],
                                            .part = device_part(device, part)};
            next->device.device = &next->part;
        }
    }
    return printed;
}

/* The scan took the name of the backend from the backend itself, so it is found. */
static int make_texts(const struct device_printer *printer,
                      struct printed_device *printed, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct backend *backend = backend_find(printed[i].part.backend);
        printed[i].text =
            printer->text(backend, &printed[i].device, printer->data, err);
        if (!printed[i].text)
            return -1;
    }
    return 0;
}

static void write_device(struct json_writer *w, const struct printed_device *printed,
                         size_t position, const struct device_printer *printer)
{
    const struct consumer_device *device = &printed->device;
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", device->uuid);
    json_write_string_member(w, "device_api",
                             device->type ? device->type->device_api : NULL);
    printer->write(w, printed, position);
    json_write_end_object(w);
}

static void print_json(const struct printed_device *printed, size_t count,
                       const struct device_printer *printer)
{
    struct json_writer w = {0};
    json_write_begin_array(&w);
    for (size_t i = 0; i < count; i++)
        write_device(&w, &printed[i], i, printer);
    json_write_end_array(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    puts(text);
}

static int print_all(const struct question *question,
                     const struct device_printer *printer, enum output_format format)
{
    struct error err;
    int status = EX_OK;
    size_t count;
    struct printed_device *printed = list_parts(question, &count);
    if (make_texts(printer, printed, count, &err) != 0)
        status = command_fail(&err);
    else if (format == FORMAT_JSON)
        print_json(printed, count, printer);
    else
        printer->print(printed, count);
    free_texts(printed, count);
    return fflush(stdout) == 0 ? status : EX_IOERR;
}

/* ---- one device, by its own name ---- */

/* By what QEMU's guest is known to the driver: its consumer, or the device's uuid where
 * it has none, which is as good as any other. */
static void name_guest(const struct config *config, const struct device *device,
                       const struct parent *parent, char guest[UUID_TEXT_SIZE],
                       char uuid[UUID_TEXT_SIZE])
{
    _cleanup_(journal_freep) struct journal *journal = NULL;
    _cleanup_free_ char *note = NULL;
    char machine[UUID_TEXT_SIZE];
    struct error ignored;
    const struct journal_device *entry = NULL;
    machine_id_read(config->agent.host_root, machine);
    if (journal_look(config->agent.state_file, machine, &journal, &note, &ignored) == 0)
        entry = journal_find_device_at(journal, device->backend, device->address);
    if (entry && !journal_device_may_be(entry, device, parent))
        entry = NULL;
    uuid_text_copy(uuid, entry ? entry->uuid : device->uuid);
    uuid_text_copy(guest, entry && *entry->consumer ? entry->consumer : uuid);
    if (!*uuid) {
        uuid5_text(NO_SPACE, device->address, uuid);
        uuid_text_copy(guest, uuid);
    }
}

static int print_device(const struct config *config, const struct host *host,
                        const char *name, const struct device_printer *printer,
                        enum output_format format)
{
    struct error err;
    char guest[UUID_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
    const struct parent *parent;
    const struct device *device = host_device(host, name, NULL, &parent);
    if (!device || !parent || device->in_transition) {
        (void)error_set(&err, ERROR_BUSY, "the device %s is not there now", name);
        return command_fail(&err);
    }
    name_guest(config, device, parent, guest, uuid);
    struct consumer_device one = {uuid, device, parent_type(parent, device->type_id)};
    const struct question question = {.consumer = guest, .devices = &one, .count = 1};
    return print_all(&question, printer, format);
}

/* True when `asked` is a device of this host, and not a consumer; *status is then the
 * exit status. Else the problems of the files have not been told. */
static bool is_device(const struct command_context *context, const char *asked,
                      const struct device_printer *printer,
                      struct config_problems *problems, int *status)
{
    _cleanup_(config_freep) struct config *config =
        settings_look(&context->settings, problems);
    _cleanup_(host_freep) struct host *host = NULL;
    _cleanup_free_ char *name = NULL;
    struct error err, ignored;
    if (command_see_host(config, config->agent.sysfs_root, &host, &err) != 0 ||
        command_find_device(config, host, asked, &name, &ignored) != 0)
        return false;
    settings_log_problems(problems);
    *status = print_device(config, host, name, printer, context->format);
    return true;
}

/* ---- the command ---- */

int command_print_devices(const struct command_context *context, const char *consumer,
                          const struct device_printer *printer)
{
    struct error err;
    char uuid[UUID_TEXT_SIZE];
    int status;
    _cleanup_problems_ struct config_problems problems = {0};
    if (is_device(context, consumer, printer, &problems, &status))
        return status;
    if (parse_consumer(consumer, uuid, &err) != 0) {
        settings_log_problems(&problems);
        return command_fail(&err);
    }
    _cleanup_session_ struct command_session session = {.lenient = true};
    status = command_session_look(&session, context);
    if (status != EX_OK)
        return status;
    struct question question = {.consumer = uuid};
    ask(&session, &question);
    _cleanup_free_ struct consumer_device *devices = question.devices;
    if (question.err.code != ERROR_NONE)
        return command_fail(&question.err);
    return print_all(&question, printer, context->format);
}
