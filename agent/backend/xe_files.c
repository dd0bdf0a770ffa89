#include "agent/backend/xe_files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backend/vgpu_params.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define PRIORITY "profile/sched_priority"
#define CAPACITY "../../../fs/cgroup/dmem.capacity"
#define CAPACITY_MAX 65536
/* How much more than was written a quota may show: a page for each of four tiles. */
#define ROUNDING_MIB 8

/* ---- profiles ---- */

char *xe_profile_name(const struct xe_profile *profile)
{
    return xasprintf("xe-%" PRIu64 "M-%lums-%luus%s%s", profile->vram_mib,
                     profile->quantum_ms, profile->timeout_us,
                     *profile->priority ? "-" : "", profile->priority);
}

bool xe_profile_parse(const char *name, struct xe_profile *out)
{
    struct xe_profile profile = {0};
    if (!name)
        return false;
    int taken = sscanf(name, "xe-%" SCNu64 "M-%lums-%luus-%7[a-z]", &profile.vram_mib,
                       &profile.quantum_ms, &profile.timeout_us, profile.priority);
    _cleanup_free_ char *same = xe_profile_name(&profile);
    bool priority = !*profile.priority || strcmp(profile.priority, "low") == 0 ||
                    strcmp(profile.priority, "normal") == 0;
    if (taken < 3 || !priority || strcmp(same, name) != 0)
        return false;
    *out = profile;
    return true;
}

bool xe_profile_matches(const struct xe_profile *wanted, const struct xe_profile *found)
{
    return found->vram_mib >= wanted->vram_mib &&
           found->vram_mib - wanted->vram_mib < ROUNDING_MIB && found->vram_mib &&
           found->quantum_ms == wanted->quantum_ms &&
           found->timeout_us == wanted->timeout_us;
}

/* ---- functions ---- */

bool xe_function_name(int card, const char *card_name, unsigned number,
                      char out[PCI_ADDRESS_SIZE])
{
    char link[32];
    uint64_t address;
    long offset, stride;
    snprintf(link, sizeof link, "virtfn%u", number - 1);
    _cleanup_free_ char *name = folder_link_name(card, link);
    if (name)
        return pci_address_normalise(name, out);
    if (!pci_address_parse(card_name, &address) ||
        sysfs_number(card, "sriov_offset", &offset, NULL) != 0 ||
        sysfs_number(card, "sriov_stride", &stride, NULL) != 0)
        return false;
    uint64_t in_domain =
        (address & 0xffff) + (uint64_t)offset + (number - 1) * (uint64_t)stride;
    pci_address_text((address & ~(uint64_t)0xffff) | (in_domain & 0xffff), out);
    return true;
}

int xe_open_admin(int card, unsigned number)
{
    char path[32];
    snprintf(path, sizeof path, XE_ADMIN "/vf%u", number);
    return folder_open(card, path);
}

/* ---- reading ---- */

static int read_number(int admin, const char *file, unsigned long *out,
                       struct error *err)
{
    long number;
    if (sysfs_number(admin, file, &number, err) != 0)
        return -1;
    if (number < 0)
        return error_set(err, ERROR_INVALID, "%s: %ld makes no sense", file, number);
    *out = (unsigned long)number;
    return 0;
}

int xe_read_profile(int admin, struct xe_profile *out, struct error *err)
{
    struct xe_profile profile = {0};
    unsigned long bytes;
    if (read_number(admin, XE_QUOTA, &bytes, err) != 0)
        return -1;
    profile.vram_mib = (bytes + (1 << 20) - 1) >> 20;
    if (bytes && (read_number(admin, XE_QUANTUM, &profile.quantum_ms, err) != 0 ||
                  read_number(admin, XE_TIMEOUT, &profile.timeout_us, err) != 0))
        return -1;
    *out = profile;
    return 0;
}

/* "[low] normal": the one in brackets is in force. */
static int check_priority(int admin, const char *name, const char *wanted,
                          struct error *err)
{
    _cleanup_free_ char *text = NULL, *marked = xasprintf("[%s]", wanted);
    if (!*wanted)
        return 0;
    if (attribute_read_at(admin, PRIORITY, &text, err) != 0)
        return error_prefix(err, "virtual function %s", name);
    if (strstr(text, marked))
        return 0;
    return error_set(err, ERROR_FORBIDDEN,
                     "the functions of the card of %s do not have the priority %s: the "
                     "driver sets it for all of a card together (echo %s > " XE_ADMIN
                     "/.bulk_profile/sched_priority)",
                     name, wanted, wanted);
}

/* ---- writing ---- */

static int explain_store(const char *name, const char *file, const char *value,
                         int errnum, struct error *err)
{
    if (errnum == EACCES || errnum == EPERM) {
        _cleanup_free_ char *what = xasprintf("write to virtual function %s", name);
        return error_not_writable(what, file, err);
    }
    (void)error_set_errno(err, errnum, "writing %s to %s of %s", value, file, name);
    if (!err)
        return -1;
    if (errnum == ENOSPC || errnum == ENOMEM)
        err->code = ERROR_EXHAUSTED;
    else if (errnum == ETIMEDOUT) /* the driver's report of a failure */
        err->code = ERROR_IO;
    return -1;
}

/* Each store can take long, and the function may be another's by the next. */
static int store_number(const struct device_place *place, int admin, const char *name,
                        const char *file, uint64_t number, struct error *err)
{
    char text[24];
    struct error store = {0};
    if (device_place_check_agent(place, err) != 0)
        return error_prefix(err, "virtual function %s", name);
    snprintf(text, sizeof text, "%" PRIu64, number);
    return attribute_store_at(admin, file, text, &store) == 0
               ? 0
               : explain_store(name, file, text, store.errnum, err);
}

int xe_clear_profile(const struct device_place *place, int admin, const char *name,
                     struct error *err)
{
    if (store_number(place, admin, name, XE_QUOTA, 0, err) != 0)
        return -1;
    return store_number(place, admin, name, XE_QUANTUM, 0, err) == 0 &&
                   store_number(place, admin, name, XE_TIMEOUT, 0, err) == 0
               ? 0
               : -1;
}

/* Reads back what was written: the driver is the judge of what there is. */
static int check_written(int admin, const char *name, const struct xe_profile *wanted,
                         struct error *err)
{
    struct xe_profile found;
    if (xe_read_profile(admin, &found, err) != 0)
        return error_prefix(err, "virtual function %s", name);
    if (xe_profile_matches(wanted, &found))
        return 0;
    _cleanup_free_ char *asked = xe_profile_name(wanted),
                        *got = xe_profile_name(&found);
    return error_set(err, ERROR_IO, "the driver took %s for %s, which has %s now",
                     asked, name, got);
}

int xe_write_profile(const struct device_place *place, int admin, const char *name,
                     const struct xe_profile *profile, struct error *err)
{
    if (check_priority(admin, name, profile->priority, err) != 0)
        return -1;
    if (store_number(place, admin, name, XE_QUANTUM, profile->quantum_ms, err) == 0 &&
        store_number(place, admin, name, XE_TIMEOUT, profile->timeout_us, err) == 0 &&
        store_number(place, admin, name, XE_QUOTA, profile->vram_mib << 20, err) == 0 &&
        check_written(admin, name, profile, err) == 0)
        return 0;
    /* What is left of it is seen by the next look. */
    struct error undoing;
    (void)xe_clear_profile(place, admin, name, &undoing);
    return -1;
}

/* ---- the card ---- */

/* Lines such as "drm/0000:03:00.0/vram0 25669140480", one for each tile. */
uint64_t xe_card_memory(int cards, const char *card_name)
{
    _cleanup_free_ char *text = NULL, *prefix = xasprintf("drm/%s/vram", card_name);
    if (file_read_at(cards, CAPACITY, CAPACITY_MAX, &text, NULL, NULL) != 0)
        return 0;
    uint64_t bytes = 0;
    char *line, *rest = text;
    while ((line = strsep(&rest, "\n"))) {
        const char *number = strchr(line, ' ');
        if (number && strncmp(line, prefix, strlen(prefix)) == 0)
            bytes += strtoull(number, NULL, 10);
    }
    return bytes >> 20;
}
