#include "agent/tree/ours.h"

#include <string.h>

#include "lib/pci_address.h"

/* Whether the name is the root's name, '_', and a libvirt device name
 * (pci_0000_84_00_0, mtty_mtty). The children of other services have ':' or '.' in that
 * part. */
static bool has_gpu_name(const char *name, const char *root_name)
{
    size_t length = strlen(root_name);
    if (strncmp(name, root_name, length) != 0 || name[length] != '_')
        return false;
    const char *device = name + length + 1;
    size_t letters = strspn(device, "abcdefghijklmnopqrstuvwxyz"
                                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return letters > 0 && device[letters] == 0;
}

/* Whether the name is the root's name, '_', and a PCI address in upper case, as Nova
 * names its providers of [pci]. */
static bool has_pci_name(const char *name, const char *root_name)
{
    size_t length = strlen(root_name);
    char address[PCI_ADDRESS_SIZE];
    return strncmp(name, root_name, length) == 0 && name[length] == '_' &&
           !strpbrk(name + length + 1, "abcdef") &&
           pci_address_normalise(name + length + 1, address);
}

bool provider_is_ours(const struct provider *provider, const struct provider *root,
                      enum agent_mode mode)
{
    char computed[UUID_TEXT_SIZE];
    uuid5_text(root->uuid, provider->name, computed);
    return strcmp(provider->uuid, computed) == 0 ||
           has_gpu_name(provider->name, root->name) ||
           (mode == MODE_NOVA_PCI && has_pci_name(provider->name, root->name));
}
