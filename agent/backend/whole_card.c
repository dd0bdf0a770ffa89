#include "agent/backend/whole_card.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/host/card.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define PCI_CLASS_BRIDGE 0x06
#define UNSET "(null)" /* what the kernel says where no override is set */

/* ---- the functions ---- */

static bool is_bridge(int devices, const char *address)
{
    char path[PCI_ADDRESS_SIZE + sizeof "/class"];
    long class;
    snprintf(path, sizeof path, "%s/class", address);
    return sysfs_number(devices, path, &class, NULL) == 0 &&
           class >> 16 == PCI_CLASS_BRIDGE;
}

static int read_mdevs(int folder, struct whole_card *card, struct error *err)
{
    _cleanup_folder_ DIR *entries = folder_open_list(folder, ".");
    int errnum = entries ? 0 : errno;
    char uuid[UUID_TEXT_SIZE];
    const char *name;
    while (entries && (name = folder_next(entries, &errnum)))
        if (uuid_parse_text(name, uuid))
            (void)strlist_add_unique(&card->mdevs, uuid);
    return errnum ? error_set_errno(err, errnum, "the list of its devices") : 0;
}

static int read_part(int folder, const char *address, struct whole_card *card,
                     struct error *err)
{
    if (read_mdevs(folder, card, err) != 0)
        return error_prefix(err, "%s", address);
    struct card_part *part = &card->parts[card->count++];
    text_copy_array(part->address, address);
    part->driver = folder_link_name(folder, "driver");
    if (attribute_read_at(folder, "driver_override", &part->driver_override, err) != 0)
        return error_prefix(err, "%s", address);
    if (strcmp(part->driver_override, UNSET) == 0 || !*part->driver_override)
        free(steal(part->driver_override));
    return 0;
}

static bool has_address(const struct whole_card *card, const char *address)
{
    for (size_t i = 0; i < card->count; i++)
        if (strcmp(card->parts[i].address, address) == 0)
            return true;
    return false;
}

/* The functions of the card's slot. */
static int read_parts(int devices, const char *name, struct whole_card *card,
                      struct error *err)
{
    char address[PCI_ADDRESS_SIZE];
    text_copy_array(address, name);
    char *digit = strrchr(address, '.') + 1;
    char own = *digit;
    for (int i = -1; i < WHOLE_CARD_FUNCTIONS; i++) {
        *digit = i < 0 ? own : (char)('0' + i);
        _cleanup_close_ int folder =
            has_address(card, address) ? -1 : folder_open(devices, address);
        if (i < 0 && folder < 0)
            return error_set_errno(err, errno, "%s", name);
        if (folder < 0 || (i >= 0 && (faccessat(folder, "physfn", F_OK, 0) == 0 ||
                                      is_bridge(devices, address))))
            continue;
        if (read_part(folder, address, card, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- their IOMMU groups ---- */

static int read_group(int devices, const char *address, struct whole_card *card,
                      struct error *err)
{
    char path[PCI_ADDRESS_SIZE + sizeof "/iommu_group/devices"];
    snprintf(path, sizeof path, "%s/iommu_group/devices", address);
    _cleanup_folder_ DIR *group = folder_open_list(devices, path);
    int errnum = group ? 0 : errno;
    const char *name;
    card->groupless |= !group && errno_is_gone(errnum);
    while (group && (name = folder_next(group, &errnum)))
        if (!has_address(card, name) && !is_bridge(devices, name))
            (void)strlist_add_unique(&card->strangers, name);
    return errnum && !errno_is_gone(errnum) ? error_set_errno(err, errnum, "%s", path)
                                            : 0;
}

int whole_card_read(int bus, const char *name, struct whole_card *out,
                    struct error *err)
{
    *out = (struct whole_card){0};
    _cleanup_close_ int devices = folder_open(bus, "devices");
    if (devices < 0)
        return error_set_errno(err, errno, "bus/pci/devices");
    if (read_parts(devices, name, out, err) != 0)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        if (read_group(devices, out->parts[i].address, out, err) != 0)
            return -1;
    strlist_sort(&out->strangers);
    strlist_sort(&out->mdevs);
    return 0;
}

void whole_card_clear(struct whole_card *card)
{
    for (size_t i = 0; i < card->count; i++) {
        free(card->parts[i].driver);
        free(card->parts[i].driver_override);
    }
    strlist_clear(&card->strangers);
    strlist_clear(&card->mdevs);
    *card = (struct whole_card){0};
}

bool whole_card_is_bound(const struct whole_card *card)
{
    for (size_t i = 0; i < card->count; i++)
        if (!whole_card_is_ours(card->parts[i].driver))
            return false;
    return card->count > 0;
}

bool whole_card_is_ours(const char *driver)
{
    return driver && strcmp(driver, WHOLE_CARD_DRIVER) == 0;
}

char *whole_card_overrides(const struct whole_card *card)
{
    _cleanup_strlist_ struct strlist overrides = {0};
    for (size_t i = 0; i < card->count; i++) {
        const struct card_part *part = &card->parts[i];
        if (whole_card_is_ours(part->driver) ||
            whole_card_is_ours(part->driver_override))
            return NULL;
        if (part->driver_override)
            strlist_add_take(&overrides,
                             xasprintf("%s=%s", part->address, part->driver_override));
    }
    return strlist_join(&overrides, ",");
}

char *whole_card_override_of(const char *overrides, const char *address)
{
    _cleanup_free_ char *begin = xasprintf("%s=", address);
    const char *found = overrides ? strstr(overrides, begin) : NULL;
    if (!found)
        return NULL;
    const char *name = found + strlen(begin);
    return xstrndup(name, strcspn(name, ","));
}

/* Functions of one group have the same node. */
static void add_nodes(int folder, struct device *device)
{
    struct device one = {0};
    device_read_nodes(folder, &one);
    for (size_t i = 0; i < one.nodes.count; i++)
        (void)strlist_add_unique(&device->nodes, one.nodes.items[i]);
    device_clear(&one);
}

struct device whole_card_device(int bus, const struct whole_card *card)
{
    struct device device = {0};
    text_copy_array(device.address, card->parts[0].address);
    for (size_t i = 0; i < card->count; i++) {
        _cleanup_free_ char *path = xasprintf("devices/%s", card->parts[i].address);
        _cleanup_close_ int folder = folder_open(bus, path);
        if (folder >= 0)
            add_nodes(folder, &device);
        if (i > 0)
            strlist_add(&device.functions, card->parts[i].address);
    }
    return device;
}

/* ---- what prevents it ---- */

/* 0 where there is no such file. -1: it cannot be read. */
static int read_number(int bus, const char *address, const char *file, long *number,
                       struct error *err)
{
    struct error reading = {0};
    _cleanup_free_ char *path = xasprintf("devices/%s/%s", address, file);
    *number = 0;
    if (sysfs_number(bus, path, number, &reading) == 0 || reading.errnum == ENOENT)
        return 0;
    *err = reading;
    return -1;
}

static bool is_virtual(int bus, const char *address)
{
    _cleanup_free_ char *path = xasprintf("devices/%s/physfn", address);
    return faccessat(bus, path, F_OK, 0) == 0;
}

/* A GPU or another accelerator, or of no class. After a card was added or taken out,
 * the address that the configuration names may be the host's disks' or network's. */
static bool may_be_gpu(long class)
{
    static const long classes[] = {0x00, 0x03, 0x0b, 0x12, 0xff};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (class >> 16 == classes[i])
            return true;
    return false;
}

char *whole_card_other_class(int bus, const struct whole_card *card)
{
    long class;
    struct error err;
    if (is_virtual(bus, card->parts[0].address))
        return xstrdup("it is a virtual function, and no card");
    if (read_number(bus, card->parts[0].address, "class", &class, &err) != 0)
        return xstrdup(err.text);
    return may_be_gpu(class) ? NULL
                             : xasprintf("it is no GPU (class 0x%06lx): have the "
                                         "addresses of the bus changed?",
                                         class);
}

/* The slot's first function; NULL: it is this one, or there is none. */
static const struct card_part *first_function(const struct whole_card *card)
{
    for (size_t i = 1; i < card->count; i++)
        if (strcmp(card->parts[i].address, card->parts[0].address) < 0)
            return &card->parts[i];
    return NULL;
}

char *whole_card_obstacle(int bus, const struct whole_card *card, bool console)
{
    const char *address = card->parts[0].address;
    const struct card_part *first = first_function(card);
    long functions, boot;
    struct error err;
    if (first && !is_virtual(bus, address))
        return xasprintf("it is a further function of the card %s, which goes to a "
                         "guest as one: name that",
                         first->address);
    char *other = whole_card_other_class(bus, card);
    if (other)
        return other;
    if (card->groupless)
        return xstrdup("it has no IOMMU group: the IOMMU is off (intel_iommu=on on the "
                       "kernel's command line, and the firmware's setting)");
    if (card->strangers.count) {
        _cleanup_free_ char *names = strlist_join(&card->strangers, ", ");
        return xasprintf("its IOMMU group has other devices in it, which a guest would "
                         "get as well: %s",
                         names);
    }
    if (card->mdevs.count) {
        _cleanup_free_ char *names = strlist_join(&card->mdevs, ", ");
        return xasprintf("it still has mediated devices, which would end with its "
                         "driver: %s",
                         names);
    }
    if (read_number(bus, address, "sriov_numvfs", &functions, &err) != 0 ||
        read_number(bus, address, "boot_vga", &boot, &err) != 0)
        return xstrdup(err.text);
    if (functions > 0)
        return xasprintf("%ld of its virtual functions are enabled", functions);
    if (!console && boot)
        return xstrdup("the host's console is on it (boot_vga): passthrough_console = "
                       "true gives it away nevertheless");
    if (faccessat(bus, "drivers/" WHOLE_CARD_DRIVER, F_OK, 0) != 0)
        return xstrdup("the driver " WHOLE_CARD_DRIVER " is not there: `modprobe "
                       "vfio-pci`, and a line in /etc/modules-load.d");
    return NULL;
}
