#include "agent/backend/passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/card_nodes.h"
#include "agent/backend/passthrough_scan.h"
#include "agent/backend/virtual_function.h"
#include "agent/backend/whole_card.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "lib/text_copy.h"
#include "lib/user.h"
#include "lib/xalloc.h"

/* ---- stores ---- */

/* The bus, while a card's functions change their drivers. */
struct work {
    const struct device_place *place;
    int bus; /* a descriptor of bus/pci */
};

static int explain_store(const struct card_part *part, const char *doing,
                         const struct error *refused, struct error *err)
{
    if (refused->errnum == EACCES || refused->errnum == EPERM) {
        _cleanup_free_ char *user = user_name(geteuid());
        return error_set(err, ERROR_FORBIDDEN,
                         "no permission to %s %s: %s is not writable for the user %s; "
                         "an agent that gives whole cards to guests runs as root",
                         doing, part->address, refused->text, user);
    }
    if (err)
        *err = *refused;
    /* ERROR_TIMEOUT would mean that the operation may still succeed. */
    if (err && refused->errnum == ETIMEDOUT)
        err->code = ERROR_IO;
    return error_prefix(err, "could not %s %s", doing, part->address);
}

/* What an agent that has ended left half done, the next one completes or takes back. */
static int store(const struct work *work, const char *path, const char *text,
                 struct error *err)
{
    return device_place_check_agent(work->place, err) == 0
               ? attribute_store_at(work->bus, path, text, err)
               : -1;
}

/* NULL as `override` sets none. */
static int set_override(const struct work *work, const struct card_part *part,
                        const char *override, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("devices/%s/driver_override", part->address);
    struct error refused = {0};
    if (store(work, path, override ? override : "\n", &refused) == 0)
        return 0;
    return explain_store(part, "choose the driver of", &refused, err);
}

/* Takes that driver from it, and no other. A function that is not bound to it (any
 * more) is no error. */
static int unbind(const struct work *work, const struct card_part *part,
                  const char *driver, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("drivers/%s/unbind", driver);
    struct error refused = {0};
    if (store(work, path, part->address, &refused) == 0 ||
        errno_is_gone(refused.errnum))
        return 0;
    return explain_store(part, "take the driver from", &refused, err);
}

static int probe(const struct work *work, const struct card_part *part,
                 struct error *err)
{
    struct error refused = {0};
    if (store(work, "drivers_probe", part->address, &refused) == 0)
        return 0;
    return explain_store(part, "find a driver for", &refused, err);
}

/* The driver that the function is bound to now; NULL: none. The caller frees. */
static char *driver_of(int bus, const struct card_part *part)
{
    _cleanup_free_ char *path = xasprintf("devices/%s/driver", part->address);
    return folder_link_name(bus, path);
}

/* ---- one function ---- */

/* The first store waits for whatever the kernel does with the function, as for an agent
 * that has ended. The kernel does not tell that vfio-pci's probe has failed: the link
 * decides. */
static int take_part(const struct work *work, const struct card_part *part,
                     struct error *err)
{
    if (whole_card_is_ours(part->driver))
        return 0;
    if (set_override(work, part, WHOLE_CARD_DRIVER, err) != 0)
        return -1;
    _cleanup_free_ char *before = driver_of(work->bus, part);
    if (whole_card_is_ours(before))
        return 0;
    if ((before && unbind(work, part, before, err) != 0) || probe(work, part, err) != 0)
        return -1;
    _cleanup_free_ char *driver = driver_of(work->bus, part);
    return whole_card_is_ours(driver)
               ? 0
               : error_set(err, ERROR_IO,
                           WHOLE_CARD_DRIVER " did not take %s, which has "
                                             "%s now: `dmesg` says why",
                           part->address, driver ? driver : "no driver");
}

/* Takes back what take_part() did, as far as it came. A function that had no driver
 * gets none. */
static int undo_part(const struct work *work, const struct card_part *part,
                     struct error *err)
{
    if (whole_card_is_ours(part->driver))
        return 0;
    _cleanup_free_ char *now = driver_of(work->bus, part);
    if (whole_card_is_ours(now) && unbind(work, part, now, err) != 0)
        return -1;
    if (set_override(work, part, part->driver_override, err) != 0)
        return -1;
    return part->driver && (whole_card_is_ours(now) || !now) ? probe(work, part, err)
                                                             : 0;
}

/* What is set by others stays: another override, another driver; and what they had set
 * before is there again. A probe for vfio-pci that was begun for an agent that has ended
 * can come first. */
static int give_part_back(const struct work *work, const struct card_part *part,
                          const char *former, struct error *err)
{
    _cleanup_free_ char *override = whole_card_override_of(former, part->address);
    if (whole_card_is_ours(part->driver) &&
        unbind(work, part, WHOLE_CARD_DRIVER, err) != 0)
        return -1;
    if (whole_card_is_ours(part->driver_override) &&
        set_override(work, part, override, err) != 0)
        return -1;
    _cleanup_free_ char *late = part->driver ? NULL : driver_of(work->bus, part);
    if (whole_card_is_ours(late) && unbind(work, part, late, err) != 0)
        return -1;
    return !part->driver || whole_card_is_ours(part->driver) ? probe(work, part, err)
                                                             : 0;
}

/* ---- the card ---- */

static int open_bus(const struct device_place *place, struct error *err)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->sysfs_root);
    int bus = root < 0 ? -1 : folder_open(root, "bus/pci");
    return bus < 0 ? error_set_errno(err, errno, "%s/bus/pci", place->sysfs_root) : bus;
}

static int check_unused(const struct device_place *place, int bus,
                        const struct whole_card *card, const char *except,
                        struct error *err)
{
    struct device seen = whole_card_device(bus, card);
    int rc = except ? device_check_unused_by_others(&place->use, &seen, except, err)
                    : device_check_unused(&place->use, &seen, err);
    device_clear(&seen);
    return rc == 0 ? 0 : error_prefix(err, "card %s", card->parts[0].address);
}

/* ---- create ---- */

/* All functions are bound already. That is what was asked for only where the domain of
 * the device's consumer names the card: somebody was faster at putting it back. Else
 * nobody knows for whom it was done. */
static int settle_existing(const struct device_place *place, int bus,
                           const struct whole_card *card,
                           const struct device_spec *device, struct error *err)
{
    struct error used = {0};
    if (check_unused(place, bus, card, NULL, &used) != 0 &&
        check_unused(place, bus, card, device->consumer, &used) == 0)
        return 0;
    return error_set(err, ERROR_EXISTS,
                     "%s is bound to " WHOLE_CARD_DRIVER
                     " already, and somebody else bound it",
                     device->parent);
}

/* The console is a matter of the configuration, and the scan's; all else may have
 * changed since. */
static int check_card(int bus, const struct whole_card *card, struct error *err)
{
    _cleanup_free_ char *obstacle = whole_card_obstacle(bus, card, true);
    return obstacle ? error_set(err, ERROR_FORBIDDEN, "card %s: %s",
                                card->parts[0].address, obstacle)
                    : 0;
}

/* All functions, or none: what was done is undone when one fails. */
static int take_card(const struct work *work, const struct whole_card *card,
                     struct error *err)
{
    size_t taken = 0;
    struct error failed = {0};
    while (taken < card->count && take_part(work, &card->parts[taken], &failed) == 0)
        taken++;
    if (taken == card->count)
        return 0;
    /* The next agent may have given the card to somebody by now. */
    if (device_place_check_agent(work->place, err) != 0)
        return -1;
    struct error undoing = {0};
    for (size_t i = taken + 1; i-- > 0;) {
        struct error one = {0};
        if (undo_part(work, &card->parts[i], &one) != 0)
            undoing = one;
    }
    if (err)
        *err = failed;
    if (undoing.code != ERROR_NONE)
        return error_set(err, failed.code, "%s; what was done is not undone: %s",
                         failed.text, undoing.text);
    return -1;
}

static int create_device(const struct device_place *place,
                         const struct device_spec *device,
                         char address[DEVICE_ADDRESS_SIZE], bool *existed,
                         struct error *err)
{
    text_copy(address, DEVICE_ADDRESS_SIZE, device->parent);
    *existed = false;
    _cleanup_close_ int bus = open_bus(place, err);
    _cleanup_whole_card_ struct whole_card card = {0};
    if (bus < 0)
        return -1;
    if (whole_card_read(bus, device->parent, &card, err) != 0)
        return error_prefix(err, "card %s", device->parent);
    if (whole_card_is_bound(&card)) {
        *existed = true;
        return settle_existing(place, bus, &card, device, err);
    }
    if (check_card(bus, &card, err) != 0 ||
        check_unused(place, bus, &card, device->consumer, err) != 0)
        return -1;
    if (card_nodes_check_closed(bus, place->use.root, &card, err) != 0)
        return error_prefix(err, "card %s: it is in use on the host", device->parent);
    return take_card(&(struct work){place, bus}, &card, err);
}

/* ---- remove ---- */

/* Whether something of the card is left to give back: bound to vfio-pci, meant for it,
 * or without a driver, as between two stores. */
static bool is_left(const struct whole_card *card)
{
    for (size_t i = 0; i < card->count; i++)
        if (!card->parts[i].driver || whole_card_is_ours(card->parts[i].driver) ||
            whole_card_is_ours(card->parts[i].driver_override))
            return true;
    return false;
}

/* Whether the card at that address is of the model that the entry is for: after a reboot
 * the addresses of the bus may be other devices'. */
static int is_of_model(int bus, const struct device_spec *device, bool *out,
                       struct error *err)
{
    unsigned vendor, model;
    long found[2];
    static const char *const files[] = {"vendor", "device"};
    *out = true;
    if (!device->type_name ||
        sscanf(device->type_name, PASSTHROUGH_TYPE_NAME, &vendor, &model) != 2)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        _cleanup_free_ char *path =
            xasprintf("devices/%s/%s", device->parent, files[i]);
        if (sysfs_number(bus, path, &found[i], err) != 0)
            return error_prefix(err, "card %s", device->parent);
    }
    *out = found[0] == vendor && found[1] == model;
    return 0;
}

static int remove_device(const struct device_place *place,
                         const struct device_spec *device, struct error *err)
{
    bool same;
    _cleanup_close_ int bus = open_bus(place, err);
    _cleanup_whole_card_ struct whole_card card = {0};
    struct error gone = {0};
    if (bus < 0)
        return -1;
    if (whole_card_read(bus, device->parent, &card, &gone) != 0) {
        if (errno_is_gone(gone.errnum))
            return 0;
        if (err)
            *err = gone;
        return error_prefix(err, "card %s", device->parent);
    }
    if (is_of_model(bus, device, &same, err) != 0)
        return -1;
    if (!same || !is_left(&card))
        return 0;
    if (check_unused(place, bus, &card, NULL, err) != 0)
        return -1;
    const struct work work = {place, bus};
    for (size_t i = 0; i < card.count; i++)
        if (give_part_back(&work, &card.parts[i], device->former, err) != 0)
            return -1;
    return 0;
}

/* ---- clear ---- */

/* vfio-pci resets a card when it is opened and closed: it keeps nothing of a consumer
 * that a file of sysfs could end. */
static int clear_device(const struct device_place *place,
                        const struct device_spec *device, struct error *err)
{
    _cleanup_close_ int bus = open_bus(place, err);
    _cleanup_whole_card_ struct whole_card card = {0};
    if (bus < 0)
        return -1;
    if (whole_card_read(bus, device->parent, &card, err) != 0)
        return error_prefix(err, "card %s", device->parent);
    if (!whole_card_is_bound(&card))
        return error_set(err, ERROR_NOT_FOUND,
                         "card %s is not bound to vfio-pci any more", device->parent);
    return check_unused(place, bus, &card, NULL, err);
}

/* ---- a guest's configuration ---- */

/* managed='no': the functions are bound to vfio-pci already, and libvirt is not to give
 * them back when the guest ends. */
static char *guest_xml(const struct device *device, const struct device_type *type)
{
    (void)type;
    return function_xml(device, false);
}

/* ---- cards that offer nothing ---- */

static bool is_known(const struct gpu *gpu)
{
    return gpu->parent_count && strcmp(gpu->parents[0].backend, PASSTHROUGH_NAME) == 0;
}

static char *obstacle_of(const struct gpu *gpu)
{
    return is_known(gpu) ? xstrdup("it cannot go to a guest whole") : NULL;
}

/* A card that has a type could go, but for who has it open. */
static char *remedy_of(const struct gpu *gpu)
{
    if (!is_known(gpu))
        return NULL;
    return xstrdup(gpu->parents[0].type_count
                       ? "it is offered once no process of the host has it open "
                         "(doc/operating.rst, Whole cards)"
                       : "`vgpu-agent preflight` lists what a host needs for it");
}

static struct strlist written(const struct parent *parent)
{
    struct strlist files = {0};
    strlist_add_take(&files, xasprintf("%s/driver_override", parent->path));
    strlist_add(&files, "bus/pci/drivers_probe");
    strlist_add(&files, "bus/pci/drivers/" WHOLE_CARD_DRIVER "/unbind");
    return files;
}

const struct backend backend_passthrough = {
    .name = PASSTHROUGH_NAME,
    .noun = "card",
    .offers = "the whole card",
    .unknown_to_nova = true,
    .parts_remain = true,
    .bound_by_agent = true,
    .right = "to take a driver from a device is root's: both units get the drop-in "
             "whole-cards.conf (doc/operating.rst, Whole cards)",
    .release = "the card is the host's again",
    .scan = passthrough_scan,
    .address = function_address,
    .guest_xml = guest_xml,
    .qemu_device = function_qemu_device,
    .obstacle = obstacle_of,
    .remedy = remedy_of,
    .written = written,
    .create = create_device,
    .remove = remove_device,
    .clear = clear_device,
};
