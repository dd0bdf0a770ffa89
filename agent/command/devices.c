/* vgpu-agent devices: every device of the host, ours and others'. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "agent/backend/backend.h"
#include "agent/command/command.h"
#include "agent/report/device_list.h"
#include "agent/state/machine_id.h"
#include "lib/folder.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

static const struct table_column columns[] = {
    {.key = "device"},
    {.key = "uuid", .place = COLUMN_WIDE},
    {.key = "gpu"},
    {.key = "type"},
    {.key = "type_name", .place = COLUMN_WIDE},
    {.key = "owner"},
    {.key = "state"},
    {.key = "guest", .place = COLUMN_ROOM},
    {.key = "consumer", .place = COLUMN_WIDE},
    {.key = "pid", .place = COLUMN_WIDE},
    {.key = NULL},
};

static void add_row(struct table *table, const struct device_row *row, int sysfs)
{
    const struct device *device = row->device;
    const struct backend *backend = backend_find(device->backend);
    _cleanup_free_ char *named = !row->guest && sysfs >= 0 && backend &&
                                         backend->guest_name && !device->in_transition
                                     ? backend->guest_name(sysfs, device)
                                     : NULL;
    table_string(table, device->address);
    table_string(table, *device->uuid ? device->uuid : NULL);
    table_string(table, row->gpu ? row->gpu->name : NULL);
    if (row->gpu)
        table_brief(table, pci_address_brief(row->gpu->name));
    table_string(table, device->type_id);
    table_string(table, row->type ? row->type->name : NULL);
    table_string(table, device_owner_name(row->owner));
    table_string(table, device_state_name(row->state));
    table_string(table, row->guest ? row->guest : named);
    table_string(table, row->consumer);
    if (row->holder)
        table_int(table, row->holder);
    else
        table_none(table);
}

/* A card of which not all could be read, in a row without a device: what it has may not
 * be among the others. */
static bool add_unread(struct table *table, const struct gpu *gpu)
{
    _cleanup_free_ char *unread = command_unread(gpu);
    if (!unread)
        return false;
    command_say(unread);
    table_none(table); /* device */
    table_none(table); /* uuid */
    table_string(table, gpu->name);
    table_brief(table, pci_address_brief(gpu->name));
    table_none(table); /* type */
    table_none(table); /* type_name */
    table_string(table, device_owner_name(OWNER_UNKNOWN));
    table_string(table, device_state_name(DEVICE_UNKNOWN));
    table_none(table); /* guest */
    table_none(table); /* consumer */
    table_none(table); /* pid */
    return true;
}

static int print_devices(const struct device_sight *sight, enum output_format format)
{
    _cleanup_(table_freep) struct table *table = table_new(columns);
    _cleanup_free_ struct device_row *rows = NULL;
    _cleanup_close_ int sysfs = folder_open(AT_FDCWD, sight->config->agent.sysfs_root);
    size_t count;
    device_list_make(sight, &rows, &count);
    for (size_t i = 0; i < count; i++) {
        /* A driver that hangs is not asked. */
        bool well = rows[i].gpu && rows[i].gpu->health == GPU_OK;
        add_row(table, &rows[i], well ? sysfs : -1);
    }
    bool unread = false;
    for (size_t i = 0; i < sight->host->gpu_count; i++)
        unread |= add_unread(table, &sight->host->gpus[i]);
    if (count == 0 && !unread && format != FORMAT_JSON)
        return puts("there are no devices") < 0 || fflush(stdout) != 0 ? EX_IOERR
                                                                       : EX_OK;
    if (table_print(table, format, stdout) != 0)
        return EX_IOERR;
    return unread ? EXIT_FAILURE : EX_OK;
}

/* What cannot be read is said on standard error; the rows then say "unknown". */
static struct journal *read_journal(const struct config *config)
{
    struct journal *journal = NULL;
    _cleanup_free_ char *note = NULL;
    char machine[UUID_TEXT_SIZE];
    struct error err;
    machine_id_read(config->agent.host_root, machine);
    if (journal_look(config->agent.state_file, machine, &journal, &note, &err) != 0) {
        command_say(err.text);
        return NULL;
    }
    if (note)
        command_say(note);
    return journal;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(host_freep) struct host *host = NULL;
    int status = command_look_at_host(context, &config, &host);
    if (status != EXIT_SUCCESS)
        return status;
    _cleanup_(journal_freep) struct journal *journal = read_journal(config);
    const struct use_places places = use_places_of(config);
    _cleanup_free_ char *note = NULL;
    _cleanup_(device_use_freep) struct device_use *use =
        device_use_scan(&places, host, &note);
    if (note)
        command_say(note);
    _cleanup_domains_ struct domains domains = {0};
    struct domains_unseen unseen; /* device_use_scan() has said it */
    _cleanup_close_ int root = folder_open(AT_FDCWD, places.root);
    if (root >= 0)
        domains_read(root, &places, &domains, &unseen);
    const struct device_sight sight = {config, host, use, &domains, journal};
    return print_devices(&sight, context->format);
}

const struct command command_devices = {
    .name = "devices",
    .summary = "every device of the host, whoever made it: whose, and who has it",
    .run = run,
};
