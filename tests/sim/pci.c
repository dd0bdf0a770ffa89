#include "tests/sim/pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"
#include "tests/sim/vfio_pci.h"
#include "tests/sim/vgpu_function.h"
#include "tests/sim/xe_card.h"

static int remove_store(void *context, const char *data, size_t length);
static int numvfs_show(void *context, FILE *out);
static int numvfs_store(void *context, const char *data, size_t length);

/* A card that fell off the bus answers all ones. */
static int config_show(void *context, FILE *out)
{
    const struct pci_function *function = context;
    const struct model *model = function->card->model;
    unsigned char space[256] = {0};
    unsigned long vendor = strtoul(model->vendor, NULL, 16);
    unsigned long device = strtoul(model->device, NULL, 16);
    unsigned long class = strtoul(model->class, NULL, 16);
    /* A VF's vendor and device read all ones by definition of SR-IOV; the kernel
     * knows them from its PF. */
    if (function->physical)
        vendor = device = 0xffff;
    space[0] = (unsigned char)vendor;
    space[1] = (unsigned char)(vendor >> 8);
    space[2] = (unsigned char)device;
    space[3] = (unsigned char)(device >> 8);
    space[4] = function->physical ? 0 : 7; /* I/O, memory, bus master */
    space[9] = (unsigned char)class;
    space[10] = (unsigned char)(class >> 8);
    space[11] = (unsigned char)(class >> 16);
    if (function->card->lost)
        memset(space, 0xff, sizeof space);
    fwrite(space, sizeof space, 1, out);
    return 0;
}

static int uevent_show(void *context, FILE *out)
{
    const struct pci_function *function = context;
    const struct model *model = function->card->model;
    if (function->driver_link)
        fprintf(out, "DRIVER=%s\n", function->driver_link->target->name);
    fprintf(out, "PCI_CLASS=%lX\nPCI_ID=%04lX:%04lX\nPCI_SLOT_NAME=%s\n",
            strtoul(model->class, NULL, 16), strtoul(model->vendor, NULL, 16),
            strtoul(model->device, NULL, 16), function->address);
    return 0;
}

static struct node *add_on_bus(struct sim *sim, struct node *node)
{
    struct node *bus = node_directory(sim->root, "bus/pci");
    node_link(node, "subsystem", bus);
    return node_link(node_directory(bus, "devices"), node->name, node);
}

static void add_identity(struct node *node, const char *vendor, const char *device,
                         const char *class, int numa_node)
{
    node_text(node, "vendor", "%s\n", vendor);
    node_text(node, "device", "%s\n", device);
    node_text(node, "class", "%s\n", class);
    node_text(node, "numa_node", "%d\n", numa_node);
    node_text(node_directory(node, "power"), "control", "on\n");
}

/* The directories of `path` without its last component: a host bridge, then bridges. */
static struct node *add_bridges(struct sim *sim, const struct card_description *card)
{
    _cleanup_free_ char *path = xstrdup(card->path);
    *strrchr(path, '/') = 0;
    struct node *node = node_directory(sim->root, "devices");
    char *rest = path, *name;
    while ((name = strsep(&rest, "/"))) {
        struct node *known = node_child(node, name);
        node = node_directory(node, name);
        if (known || !pci_address_valid(name))
            continue;
        add_identity(node, "0x8086", "0x2030", "0x060400", card->numa_node);
        node_link(node, "driver", pci_driver_get(sim, "pcieport")->node);
        add_on_bus(sim, node);
        if (sim->description->iommu)
            iommu_group_new(sim, node);
    }
    return node;
}

static void add_sriov_files(struct pci_function *function)
{
    static const struct attribute numvfs = {
        .mode = 0644, .show = numvfs_show, .store = numvfs_store};
    const struct sriov_description *sriov = &function->card->model->sriov;
    node_text(function->node, "sriov_totalvfs", "%u\n", sriov->total);
    node_text(function->node, "sriov_offset", "%u\n", sriov->offset);
    node_text(function->node, "sriov_stride", "%u\n", sriov->stride);
    node_attribute(function->node, "sriov_numvfs", &numvfs, function);
}

/* The group of the device of that address, which is on the bus already. */
static struct node *join_group(struct sim *sim, const char *address, struct node *node)
{
    _cleanup_free_ char *path = xasprintf("bus/pci/devices/%s", address);
    const struct node *link = node_find(sim->root, path);
    const struct node *member = link ? node_child(link->target, "iommu_group") : NULL;
    if (!member)
        return iommu_group_new(sim, node);
    node_link(node_child(member->target, "devices"), node->name, node);
    node_link(node, "iommu_group", member->target);
    return member->target;
}

static void leave_group(struct pci_function *function)
{
    struct node *devices = node_child(function->group, "devices");
    node_remove(node_child(devices, function->node->name));
    if (!devices->child_count)
        node_remove(function->group);
}

static struct node *group_of(struct pci_function *function)
{
    const char *other = function->physical ? NULL : function->description->group;
    return other ? join_group(function->sim, other, function->node)
                 : iommu_group_new(function->sim, function->node);
}

/* The function appears: found on the bus, not bound yet. */
static void appear(struct pci_function *function)
{
    static const struct attribute config = {.mode = 0444, .show = config_show};
    static const struct attribute uevent = {.mode = 0444, .show = uevent_show};
    static const struct attribute remove = {.mode = 0200, .store = remove_store};
    const struct model *model = function->card->model;
    function->node = node_ref(node_directory(function->bus, function->address));
    add_identity(function->node, model->vendor, model->device, model->class,
                 function->description->numa_node);
    node_attribute(function->node, "config", &config, function);
    node_attribute(function->node, "uevent", &uevent, function);
    node_attribute(function->node, "remove", &remove, function);
    if (function->sim->description->iommu)
        function->group = group_of(function);
    if (function->description->console && !function->physical)
        node_text(function->node, "boot_vga", "1\n");
    vfio_pci_appear(function);
    function->bus_link = add_on_bus(function->sim, function->node);
    if (model->sriov.total && !function->physical)
        add_sriov_files(function);
}

static void disappear(struct pci_function *function)
{
    node_remove(function->bus_link);
    if (function->group)
        leave_group(function);
    node_remove(function->node);
    node_unref(function->node);
    function->bus_link = function->group = function->node = NULL;
}

const char *pci_driver_of(const struct pci_function *function)
{
    return function->driver_override ? function->driver_override
                                     : function->card->model->driver;
}

static void register_with(struct pci_function *function, bool vfio)
{
    if (vfio) {
        function->vfio = vfio_dev_new(function->sim, function->node);
        return;
    }
    const struct strlist *nodes = &function->description->nodes;
    for (size_t i = 0; i < nodes->count && !function->physical; i++)
        (void)node_directory(function->node, nodes->items[i]);
    if (function->parent && function->sim->description->mdev)
        mdev_parent_register(function->parent, function->node);
    if (function->vgpu)
        vgpu_function_register(function->vgpu, function->node);
    if (function->xe)
        xe_card_register(function->xe, function->node);
}

/* A driver that the function's override names, and that is not its own or vfio-pci, does
 * not know it. */
static int bind(struct pci_function *function)
{
    const char *name = pci_driver_of(function);
    bool overridden = function->driver_override != NULL;
    bool vfio = overridden && strcmp(name, VFIO_PCI) == 0;
    if (!function->node || function->driver_link ||
        (vfio && !function->sim->description->vfio_pci) ||
        (overridden && !vfio && strcmp(name, function->card->model->driver) != 0))
        return -ENODEV;
    int rc = vfio ? fault_apply(function->sim, OPERATION_CREATE, function->card->name,
                                function->address)
                  : 0;
    if (rc < 0)
        return rc;
    struct node *driver =
        pci_driver_get(function->sim, vfio ? VFIO_PCI : function->card->model->driver)
            ->node;
    function->driver_link = node_link(function->node, "driver", driver);
    function->driver_entry = node_link(driver, function->address, function->node);
    register_with(function, vfio);
    return 0;
}

int pci_bind(struct pci_function *function)
{
    pci_begin_change(function);
    return pci_end_change(function, bind(function));
}

/* Waits for whoever has it open. */
static void unregister_vfio(struct pci_function *function)
{
    while (function->held && !function->sim->stopping)
        sim_wait(function->sim);
    if (function->sim->stopping)
        return;
    node_remove(function->vfio);
    node_remove(node_child(function->node, "vfio-dev"));
    function->vfio = NULL;
}

static void remove_nodes(struct pci_function *function)
{
    const struct strlist *nodes = &function->description->nodes;
    for (size_t i = 0; i < nodes->count && !function->physical; i++) {
        _cleanup_free_ char *folder =
            xstrndup(nodes->items[i], strcspn(nodes->items[i], "/"));
        node_remove(node_child(function->node, folder));
    }
}

static void disable_virtuals(struct pci_function *function);

/* The driver lets go: its mdevs and its virtual functions are gone. */
static void unbind(struct pci_function *function)
{
    if (!function->driver_link)
        return;
    if (function->vfio)
        unregister_vfio(function);
    else if (function->parent)
        mdev_parent_unregister(function->parent);
    if (function->vgpu)
        vgpu_function_unregister(function->vgpu);
    if (function->sim->stopping)
        return;
    disable_virtuals(function);
    remove_nodes(function);
    if (function->xe)
        xe_card_unregister(function->xe);
    node_remove(function->driver_entry);
    node_remove(function->driver_link);
    function->driver_entry = function->driver_link = NULL;
}

/* A VF's address: the PF's bus, its device and function counted on. */
static char *virtual_address(const struct pci_function *function, unsigned index)
{
    const struct sriov_description *sriov = &function->card->model->sriov;
    unsigned domain = 0, bus = 0, slot = 0, own = 0;
    sscanf(function->address, "%8x:%2x:%2x.%1o", &domain, &bus, &slot, &own);
    unsigned number = slot * 8 + own + sriov->offset + index * sriov->stride;
    return xasprintf("%04x:%02x:%02x.%u", domain, bus + number / 256, number % 256 / 8,
                     number % 8);
}

static void enable_virtuals(struct pci_function *function, unsigned count)
{
    if (function->xe && count)
        xe_card_provision(function->xe, count);
    for (unsigned i = 0; i < count; i++) {
        struct pci_function *virtual = function->virtuals[i];
        appear(virtual);
        if (function->xe)
            xe_card_enabled(function->xe, i, virtual->node);
        _cleanup_free_ char *name = xasprintf("virtfn%u", i);
        node_link(function->node, name, virtual->node);
        node_link(virtual->node, "physfn", function->node);
        pci_bind(virtual);
    }
    function->numvfs = count;
}

void pci_begin_change(struct pci_function *function)
{
    while (function->changing && !function->sim->stopping)
        sim_wait(function->sim);
    function->changing = true;
}

int pci_end_change(struct pci_function *function, int rc)
{
    function->changing = false;
    sim_changed(function->sim);
    return rc;
}

static void disable_virtuals(struct pci_function *function)
{
    for (unsigned i = 0; i < function->numvfs; i++) {
        _cleanup_free_ char *name = xasprintf("virtfn%u", i);
        if (function->xe)
            xe_card_disable(function->xe, i);
        pci_remove(function->virtuals[i]);
        node_remove(node_child(function->node, name));
    }
    if (function->xe && function->numvfs && !function->sim->stopping)
        xe_card_provision(function->xe, 0);
    function->numvfs = 0;
}

int pci_unbind(struct pci_function *function)
{
    pci_begin_change(function);
    if (!function->driver_link)
        return pci_end_change(function, -ENODEV);
    unbind(function);
    return pci_end_change(function, 0);
}

int pci_remove(struct pci_function *function)
{
    pci_begin_change(function);
    if (!function->node)
        return pci_end_change(function, -ENODEV);
    unbind(function);
    if (!function->sim->stopping)
        disappear(function);
    return pci_end_change(function, 0);
}

int pci_rescan(struct pci_function *function)
{
    pci_begin_change(function);
    if (function->node)
        return pci_end_change(function, 0);
    function->card->lost = false;
    appear(function);
    bind(function);
    return pci_end_change(function, 0);
}

/* The order of the questions is that of sriov_numvfs_store() in Linux. */
int pci_set_numvfs(struct pci_function *function, unsigned count)
{
    const struct sriov_description *sriov = &function->card->model->sriov;
    if (count > sriov->total)
        return -ERANGE;
    pci_begin_change(function);
    if (!function->node)
        return pci_end_change(function, -ENODEV);
    if (count == function->numvfs)
        return pci_end_change(function, 0);
    if (!function->driver_link)
        return pci_end_change(function, -ENOENT);
    if (count && function->numvfs)
        return pci_end_change(function, -EBUSY);
    if (count)
        enable_virtuals(function, count);
    else
        disable_virtuals(function);
    return pci_end_change(function, 0);
}

static int numvfs_show(void *context, FILE *out)
{
    const struct pci_function *function = context;
    fprintf(out, "%u\n", function->numvfs);
    return 0;
}

static int numvfs_store(void *context, const char *data, size_t length)
{
    struct pci_function *function = context;
    char text[16];
    if (length == 0 || length >= sizeof text)
        return -EINVAL;
    memcpy(text, data, length);
    text[length] = 0;
    char *end;
    unsigned long count = strtoul(text, &end, 0);
    if (end == text || text[0] == '-' || (*end && strcmp(end, "\n") != 0))
        return -EINVAL;
    if (count > function->card->model->sriov.total)
        return -ERANGE;
    /* A driver without sriov_configure. */
    if (!function->card->model->sriov.by_hand && count != function->numvfs)
        return -ENOENT;
    return pci_set_numvfs(function, (unsigned)count);
}

static int remove_store(void *context, const char *data, size_t length)
{
    return length && data[0] == '1' ? pci_remove(context) : -EINVAL;
}

static struct pci_function *function_new(struct card *card,
                                         const struct card_description *description,
                                         struct node *bus, char *address)
{
    struct pci_function *function = xcalloc(1, sizeof *function);
    function->sim = card->sim;
    function->card = card;
    function->description = description;
    function->address = address;
    function->bus = node_ref(bus);
    return function;
}

static struct pci_function *virtual_new(struct pci_function *physical, unsigned index)
{
    struct pci_function *virtual = function_new(physical->card, physical->description,
                                                physical->bus,
                                                virtual_address(physical, index));
    virtual->physical = physical;
    enum interface interface = physical->card->model->interface;
    if (interface == INTERFACE_VENDOR_VFIO)
        virtual->vgpu = vgpu_function_new(physical->card, virtual->address);
    if (interface == INTERFACE_MDEV || !physical->description->sriov_mode)
        virtual->parent = mdev_parent_new(physical->card, virtual->address, 1);
    return virtual;
}

static struct xe_card *xe_of(struct pci_function *function, unsigned total)
{
    _cleanup_free_ const char **names = xcalloc(total, sizeof *names);
    for (unsigned i = 0; i < total; i++)
        names[i] = function->virtuals[i]->address;
    return xe_card_new(function->card, names, total);
}

struct pci_function *pci_function_new(struct card *card,
                                      const struct card_description *description)
{
    struct node *bus = add_bridges(card->sim, description);
    struct pci_function *function =
        function_new(card, description, bus, xstrdup(card->name));
    unsigned total = card->model->sriov.total;
    if (!total && card->model->interface == INTERFACE_MDEV)
        function->parent = mdev_parent_new(card, function->address, 0);
    function->virtuals = xcalloc(total + 1, sizeof(struct pci_function *));
    for (unsigned i = 0; i < total; i++)
        function->virtuals[i] = virtual_new(function, i);
    if (card->model->interface == INTERFACE_XE)
        function->xe = xe_of(function, total);
    appear(function);
    pci_bind(function);
    enable_virtuals(function, description->numvfs);
    return function;
}

void pci_function_free(struct pci_function *function)
{
    for (unsigned i = 0; function->virtuals && function->virtuals[i]; i++)
        pci_function_free(function->virtuals[i]);
    free(function->virtuals);
    mdev_parent_free(function->parent);
    vgpu_function_free(function->vgpu);
    free(function->driver_override);
    xe_card_free(function->xe);
    node_unref(function->node);
    node_unref(function->bus);
    free(function->address);
    free(function);
}
