#include "agent/host/card.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/xalloc.h"

bool card_may_read(const struct scan *scan, const struct gpu *gpu, const char *file)
{
    return !scan->watch || scan->watch->may_read(scan->watch->data, gpu->name, file);
}

void card_set_unreadable(struct gpu *gpu, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    _cleanup_free_ char *reason = xvasprintf(format, args);
    va_end(args);
    /* Of several reasons the first in alphabetical order stays, since folders have no
     * order. */
    if (gpu->health == GPU_UNREADABLE && strcmp(reason, gpu->health_reason) >= 0)
        return;
    if (gpu->health != GPU_OK && gpu->health != GPU_UNREADABLE)
        return;
    free(gpu->health_reason);
    gpu->health_reason = steal(reason);
    gpu->health = GPU_UNREADABLE;
}

char *card_read_text(const struct scan *scan, struct gpu *gpu, int dirfd,
                     const char *where, const char *name)
{
    char *text = NULL;
    struct error err = {0};
    if (!card_may_read(scan, gpu, name))
        return NULL;
    if (attribute_read_at(dirfd, name, &text, &err) != 0 && !errno_is_gone(err.errnum))
        card_set_unreadable(gpu, "%s/%s", where, err.text);
    return sysfs_printable(text);
}

static long read_number_or(const struct scan *scan, const struct gpu *gpu, int dirfd,
                           const char *name, long otherwise)
{
    long number;
    return card_may_read(scan, gpu, name) &&
                   sysfs_number(dirfd, name, &number, NULL) == 0
               ? number
               : otherwise;
}

/* How many virtual functions; a card that is not SR-IOV's lacks the file. What is not
 * readable is no 0, by which functions would be enabled, or a whole card be given away,
 * under the guests that have them. */
static unsigned read_functions(const struct scan *scan, struct gpu *gpu, int card,
                               const char *name)
{
    struct error err = {0};
    long number = 0;
    if (!card_may_read(scan, gpu, name))
        return 0;
    if (sysfs_number(card, name, &number, &err) != 0 && !errno_is_gone(err.errnum))
        card_set_unreadable(gpu, "%s", err.text);
    return number > 0 ? (unsigned)number : 0;
}

/* ---- the card ---- */

/* A card that fell off the bus answers every read of its config space with all ones. A
 * virtual function always does so for its vendor and device (SR-IOV 1.1, 3.4.1). A
 * suspended card is not read, since that would wake it up. */
static void check_on_bus(const struct scan *scan, struct gpu *gpu, int card)
{
    if (!card_may_read(scan, gpu, "config") || faccessat(card, "physfn", F_OK, 0) == 0)
        return;
    _cleanup_free_ char *power = NULL;
    if (attribute_read_at(card, "power/runtime_status", &power, NULL) == 0 &&
        strcmp(power, "suspended") == 0)
        return;
    _cleanup_close_ int fd = openat(card, "config", O_RDONLY | O_CLOEXEC);
    uint32_t id = 0;
    if (fd < 0 || pread(fd, &id, sizeof id, 0) < 0) {
        if (!errno_is_gone(errno))
            card_set_unreadable(gpu, "config: %s", strerrordesc_np(errno));
    } else if (id == UINT32_MAX) {
        gpu->health = GPU_LOST;
        gpu->health_reason = xstrdup("fell off the bus: its config space reads "
                                     "0xffffffff");
    }
}

void card_read(const struct scan *scan, struct gpu *gpu, int card)
{
    gpu->driver = folder_link_name(card, "driver");
    gpu->numa_node = (int)read_number_or(scan, gpu, card, "numa_node", -1);
    if (gpu->is_pci) {
        gpu->vendor = (uint16_t)read_number_or(scan, gpu, card, "vendor", 0);
        gpu->device = (uint16_t)read_number_or(scan, gpu, card, "device", 0);
        check_on_bus(scan, gpu, card);
        gpu->vf_total = read_functions(scan, gpu, card, "sriov_totalvfs");
        gpu->vf_enabled = read_functions(scan, gpu, card, "sriov_numvfs");
        return;
    }
    _cleanup_free_ char *subsystem = folder_link_name(card, "subsystem");
    if (subsystem) {
        free(gpu->node_name);
        gpu->node_name = node_device_name(subsystem, gpu->name);
    }
}

struct gpu *card_of_function(const struct scan *scan, int folder, const char *name)
{
    struct host *host = scan->host;
    _cleanup_free_ char *pf = folder < 0 ? NULL : folder_link_name(folder, "physfn");
    size_t known = host->gpu_count;
    struct gpu *gpu = host_add_gpu(host, pf ? pf : name);
    _cleanup_close_ int card = folder < 0 || host->gpu_count == known
                                   ? -1
                                   : folder_open(folder, pf ? "physfn" : ".");
    if (card >= 0)
        card_read(scan, gpu, card);
    return gpu;
}

static char *first_in_folder(int dirfd, const char *path)
{
    _cleanup_folder_ DIR *folder = folder_open_list(dirfd, path);
    int errnum;
    return folder ? xstrdup(folder_next(folder, &errnum)) : NULL;
}

/* Takes ownership of `name`. */
static void add_node(struct device *device, const char *folder, char *name)
{
    if (name)
        strlist_add_take(&device->nodes, xasprintf("%s/%s", folder, name));
    free(name);
}

void device_read_nodes(int folder, struct device *device)
{
    add_node(device, "/dev/vfio", folder_link_name(folder, "iommu_group"));
    add_node(device, "/dev/vfio/devices", first_in_folder(folder, "vfio-dev"));
}

int card_scan_list(const struct scan *scan, int root, const char *path,
                   void (*read)(const struct scan *scan, int list, const char *name),
                   struct error *err)
{
    _cleanup_folder_ DIR *list = folder_open_list(root, path);
    int errnum = list ? 0 : errno;
    const char *name;
    while (list && (name = folder_next(list, &errnum)))
        read(scan, dirfd(list), name);
    if (errnum && !errno_is_gone(errnum))
        return error_set_errno(err, errnum, "%s", path);
    return 0;
}
