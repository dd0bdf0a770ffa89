#include "agent/backend/passthrough_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backend/open_cards.h"
#include "agent/backend/virtual_function.h"
#include "agent/backend/whole_card.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

static const struct mdev_type_config *find_cards(const struct config *config)
{
    for (size_t i = 0; config && i < config->type_count; i++)
        if (strcmp(config->types[i].type, PASSTHROUGH_TYPE) == 0)
            return &config->types[i];
    return NULL;
}

/* Named by the model, which a flavor can ask for by the trait that this makes:
 * CUSTOM_PCI_10DE_26B9. */
static struct device_type *add_type(const struct gpu *gpu, struct parent *parent)
{
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup(PASSTHROUGH_TYPE);
    type->name = xasprintf(PASSTHROUGH_TYPE_NAME, gpu->vendor, gpu->device);
    type->device_api = xstrdup("vfio-pci");
    type->attributes.max_instance = 1;
    type->available = 1;
    return type;
}

static void fill_device(int bus, const struct whole_card *card, struct device *device)
{
    struct device seen = whole_card_device(bus, card);
    device->nodes = strlist_copy(&seen.nodes);
    device->functions = strlist_copy(&seen.functions);
    device_clear(&seen);
}

static void add_device(int bus, const struct whole_card *card, struct parent *parent)
{
    struct device *device = parent_add_device(parent, parent->name);
    device->type_id = xstrdup(PASSTHROUGH_TYPE);
    fill_device(bus, card, device);
}

static void set_unusable_take(struct gpu *gpu, char *reason)
{
    if (gpu->health == GPU_OK) {
        gpu->health = GPU_UNUSABLE;
        gpu->health_reason = steal(reason);
    }
    free(reason);
}

/* The card, as other kinds have left it or new. */
static struct gpu *find_card(const struct scan *scan, int folder, const char *name)
{
    size_t known = scan->host->gpu_count;
    struct gpu *gpu = host_add_gpu(scan->host, name);
    if (scan->host->gpu_count != known)
        card_read(scan, gpu, folder);
    return gpu;
}

static bool has_devices(const struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (gpu->parents[i].device_count)
            return true;
    return false;
}

static struct parent *add_parent(struct gpu *gpu, int devices)
{
    struct parent *parent = gpu_add_parent(gpu, PASSTHROUGH_NAME, gpu->name);
    parent->path = function_path(devices, gpu->name);
    return parent;
}

/* A reboot takes the devices of other kinds, and the card's driver offers them again:
 * whose they are gets them back. A card that is bound does not. */
static bool is_awaited(const struct scan *scan, const struct whole_card *card,
                       const char *name)
{
    return scan->awaited && strlist_contains(scan->awaited, name) &&
           !whole_card_is_bound(card);
}

/* It goes whole when the last device has gone that another kind has made of it. Until
 * then these are seen, kept and removed as before. */
static void add_awaited(struct host *host, struct gpu *gpu, int devices)
{
    struct parent *parent = NULL;
    if (host_parent(host, gpu->name, (const struct parent **)&parent) != gpu)
        parent = add_parent(gpu, devices);
    add_type(gpu, parent)->available = 0;
}

static void read_card(const struct scan *scan, int bus, const char *name,
                      struct open_cards *open)
{
    _cleanup_close_ int devices = folder_open(bus, "devices");
    _cleanup_close_ int folder = devices < 0 ? -1 : folder_open(devices, name);
    if (folder < 0)
        return;
    struct gpu *gpu = find_card(scan, folder, name);
    _cleanup_whole_card_ struct whole_card card = {0};
    struct error err = {0};
    if (whole_card_read(bus, name, &card, &err) != 0) {
        if (!errno_is_gone(err.errnum))
            card_set_unreadable(gpu, "%s", err.text);
        return;
    }
    if (has_devices(gpu) || is_awaited(scan, &card, name)) {
        add_awaited(scan->host, gpu, devices);
        return;
    }
    gpu_drop_parent(gpu, name);
    struct parent *parent = add_parent(gpu, devices);
    char *other = whole_card_other_class(bus, &card);
    if (other && whole_card_is_bound(&card)) {
        set_unusable_take(gpu, other);
        return;
    }
    free(other);
    if (whole_card_is_bound(&card)) {
        add_type(gpu, parent)->available = 0;
        add_device(bus, &card, parent);
        return;
    }
    char *obstacle = whole_card_obstacle(bus, &card, scan->config->passthrough.console);
    if (obstacle) {
        set_unusable_take(gpu, obstacle);
        return;
    }
    (void)add_type(gpu, parent);
    struct device *place = parent_add_place(parent, parent->name);
    fill_device(bus, &card, place);
    place->former = whole_card_overrides(&card);
    open_cards_add(open, gpu, &card);
}

int passthrough_scan(const struct scan *scan, int root, struct error *err)
{
    const struct mdev_type_config *cards = find_cards(scan->config);
    if (!cards)
        return 0;
    _cleanup_close_ int bus = folder_open(root, "bus/pci");
    if (bus < 0)
        return errno_is_gone(errno) ? 0 : error_set_errno(err, errno, "bus/pci");
    _cleanup_open_cards_ struct open_cards open = open_cards_begin(scan, bus);
    for (size_t i = 0; i < cards->device_addresses.count; i++)
        read_card(scan, bus, cards->device_addresses.items[i], &open);
    open_cards_mark(&open);
    return 0;
}
