#include "tests/sim/vfio_pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"

#define PAGE 4096

/* What was stored, without its line feed; NULL: too long. The caller frees. */
static char *stored(const char *data, size_t length)
{
    if (length >= PAGE - 1 || memchr(data, 0, length))
        return NULL;
    return xstrndup(data, length && data[length - 1] == '\n' ? length - 1 : length);
}

static struct pci_function *function_of(struct sim *sim, const char *data,
                                        size_t length)
{
    _cleanup_free_ char *address = stored(data, length);
    return address ? sim_function(sim, address) : NULL;
}

/* ---- one driver ---- */

static int unbind_store(void *context, const char *data, size_t length)
{
    const struct pci_driver *driver = context;
    struct pci_function *function = function_of(driver->sim, data, length);
    if (!function || !function->driver_link ||
        function->driver_link->target != driver->node)
        return -ENODEV;
    if (strcmp(driver->name, VFIO_PCI) != 0)
        return pci_unbind(function);
    const char *card = function->card->name;
    int rc = fault_apply(driver->sim, OPERATION_REFUSE, card, function->address);
    if (rc < 0)
        return rc;
    fault_apply(driver->sim, OPERATION_REMOVE, card, function->address);
    return pci_unbind(function);
}

static int bind_store(void *context, const char *data, size_t length)
{
    const struct pci_driver *driver = context;
    struct pci_function *function = function_of(driver->sim, data, length);
    if (!function || strcmp(pci_driver_of(function), driver->name) != 0)
        return -ENODEV;
    return function->driver_link ? -EBUSY : pci_bind(function);
}

struct pci_driver *pci_driver_get(struct sim *sim, const char *name)
{
    static const struct attribute bind = {.mode = 0200, .store = bind_store},
                                  unbind = {.mode = 0200, .store = unbind_store};
    for (size_t i = 0; i < sim->driver_count; i++)
        if (strcmp(sim->drivers[i]->name, name) == 0)
            return sim->drivers[i];
    struct pci_driver *driver = xcalloc(1, sizeof *driver);
    _cleanup_free_ char *path = xasprintf("bus/pci/drivers/%s", name);
    *driver = (struct pci_driver){sim, xstrdup(name), node_directory(sim->root, path)};
    node_attribute(driver->node, "bind", &bind, driver);
    node_attribute(driver->node, "unbind", &unbind, driver);
    *array_add(sim->drivers, sim->driver_count) = driver;
    return driver;
}

void pci_driver_free(struct pci_driver *driver)
{
    free(driver->name);
    free(driver);
}

/* ---- the bus ---- */

static int probe_store(void *context, const char *data, size_t length)
{
    struct pci_function *function = function_of(context, data, length);
    if (!function || !function->node)
        return -ENODEV;
    (void)pci_bind(function);
    return 0;
}

void vfio_pci_init(struct sim *sim)
{
    static const struct attribute probe = {.mode = 0200, .store = probe_store};
    node_attribute(node_directory(sim->root, "bus/pci"), "drivers_probe", &probe, sim);
    if (sim->description->vfio_pci)
        (void)pci_driver_get(sim, VFIO_PCI);
}

/* ---- one function ---- */

static int override_show(void *context, FILE *out)
{
    const struct pci_function *function = context;
    fprintf(out, "%s\n",
            function->driver_override ? function->driver_override : "(null)");
    return 0;
}

static int override_store(void *context, const char *data, size_t length)
{
    struct pci_function *function = context;
    char *text = stored(data, length);
    if (!text)
        return -EINVAL;
    pci_begin_change(function);
    free(function->driver_override);
    function->driver_override = *text ? text : NULL;
    if (!*text)
        free(text);
    return pci_end_change(function, 0);
}

void vfio_pci_appear(struct pci_function *function)
{
    static const struct attribute override = {
        .mode = 0644, .show = override_show, .store = override_store};
    free(function->driver_override);
    function->driver_override = NULL;
    node_attribute(function->node, "driver_override", &override, function);
}

struct node *vfio_dev_new(struct sim *sim, struct node *node)
{
    struct node *class = node_directory(sim->root, "class/vfio-dev");
    _cleanup_free_ char *name = NULL;
    unsigned number = 0;
    do {
        free(name);
        name = xasprintf("vfio%u", number++);
    } while (node_child(class, name));
    struct node *folder = node_directory(node, "vfio-dev");
    return node_link(class, name, node_directory(folder, name));
}
