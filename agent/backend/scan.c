#include "agent/backend/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/backend/backends.h"
#include "agent/backend/nvidia_mig.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

#define PCI_CLASS_DISPLAY 0x03

/* Reads the class of a PCI function, which the kernel knows without calling its driver,
 * and adds a display-class card that no kind has. */
static void read_bare_card(const struct scan *scan, int cards, const char *name)
{
    if (!pci_address_parse(name, NULL) || host_gpu(scan->host, name))
        return;
    _cleanup_close_ int card = folder_open(cards, name);
    long class;
    if (card < 0 || sysfs_number(card, "class", &class, NULL) != 0 ||
        class >> 16 != PCI_CLASS_DISPLAY)
        return;
    _cleanup_free_ char *pf = folder_link_name(card, "physfn");
    if (!pf)
        card_read(scan, host_add_gpu(scan->host, name), card);
}

static int scan_all(const struct scan *scan, int root, struct error *err)
{
    for (size_t i = 0; backends[i]; i++)
        if (backends[i]->scan(scan, root, err) != 0)
            return -1;
    return card_scan_list(scan, root, "bus/pci/devices", read_bare_card, err);
}

/* Below the root that the configuration names, as all that is not in sysfs. */
static void read_partitions(const struct scan *scan)
{
    const char *path = scan->config ? scan->config->agent.host_root : NULL;
    _cleanup_close_ int root = path ? folder_open(AT_FDCWD, path) : -1;
    for (size_t i = 0; i < scan->host->gpu_count; i++) {
        struct gpu *gpu = &scan->host->gpus[i];
        if (!gpu->driver || strcmp(gpu->driver, "nvidia") != 0)
            continue;
        bool readable = root >= 0 && card_may_read(scan, gpu, "information");
        gpu->partitions = readable ? nvidia_mig_count(root, gpu->name) : -1;
    }
    nvidia_mig_limit(scan->host);
}

int host_scan_configured(const char *sysfs_root, const struct config *config,
                         const struct strlist *awaited, const struct scan_watch *watch,
                         struct host **out, struct error *err)
{
    _cleanup_close_ int root = folder_open(AT_FDCWD, sysfs_root);
    if (root < 0)
        return error_set_errno(err, errno, "%s", sysfs_root);
    _cleanup_(host_freep) struct host *host = xcalloc(1, sizeof *host);
    const struct scan scan = {host, watch, config, awaited};
    if (scan_all(&scan, root, err) != 0)
        return error_prefix(err, "%s", sysfs_root);
    read_partitions(&scan);
    host_sort(host);
    *out = steal(host);
    return 0;
}

int host_scan(const char *sysfs_root, const struct scan_watch *watch, struct host **out,
              struct error *err)
{
    return host_scan_configured(sysfs_root, NULL, NULL, watch, out, err);
}
