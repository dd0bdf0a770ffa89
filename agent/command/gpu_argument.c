#include "agent/command/gpu_argument.h"

#include <string.h>

#include "lib/pci_address.h"
#include "lib/xalloc.h"

static const struct gpu *find(const struct host *host, const char *asked)
{
    char address[PCI_ADDRESS_SIZE];
    if (pci_address_normalise(asked, address))
        asked = address;
    const struct gpu *gpu = host_gpu(host, asked);
    for (size_t i = 0; i < host->gpu_count && !gpu; i++)
        if (strcmp(host->gpus[i].node_name, asked) == 0)
            gpu = &host->gpus[i];
    return gpu ? gpu : host_parent(host, asked, NULL);
}

int gpu_argument_find(const struct host *host, const char *asked,
                      const struct gpu **out, struct error *err)
{
    const struct gpu *gpu = find(host, asked);
    if (gpu) {
        *out = gpu;
        return 0;
    }
    _cleanup_strlist_ struct strlist names = {0};
    for (size_t i = 0; i < host->gpu_count; i++)
        strlist_add(&names, host->gpus[i].name);
    _cleanup_free_ char *list = strlist_join(&names, ", ");
    return error_set(err, ERROR_NOT_FOUND, "no GPU %s on this host; it has %s", asked,
                     names.count ? list : "none");
}

int gpu_argument_name(const struct host *host, const struct strlist *known,
                      const char *asked, char **out, struct error *err)
{
    const struct gpu *gpu = NULL;
    char address[PCI_ADDRESS_SIZE];
    const char *name = pci_address_normalise(asked, address) ? address : asked;
    if (!find(host, asked) && strlist_contains(known, name)) {
        *out = xstrdup(name);
        return 0;
    }
    if (gpu_argument_find(host, asked, &gpu, err) != 0)
        return -1;
    *out = xstrdup(gpu->name);
    return 0;
}
