#include "tests/sim/mdev.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/mdev_device.h"
#include "tests/sim/sim.h"

struct card *card_new(struct sim *sim, const struct model *model, const char *name)
{
    struct card *card = xcalloc(1, sizeof *card);
    card->sim = sim;
    card->model = model;
    card->name = xstrdup(name);
    card->used = xcalloc(model->type_count + 1, sizeof *card->used);
    return card;
}

void card_free(struct card *card)
{
    free(card->name);
    free(card->used);
    free(card);
}

static unsigned at_most(unsigned number, unsigned has, unsigned taken, unsigned takes)
{
    unsigned room = takes && has > taken ? (has - taken) / takes : 0;
    return number < room ? number : room;
}

/* As i915 counts (drivers/gpu/drm/i915/gvt/vgpu.c, intel_gvt_update_vgpu_types()). */
static unsigned graphics_available(const struct card *card, unsigned type)
{
    const struct graphics *has = &card->model->graphics;
    const struct graphics *takes = &card->model->types[type].takes;
    struct graphics taken = {0};
    for (unsigned i = 0; i < card->model->type_count; i++) {
        const struct graphics *one = &card->model->types[i].takes;
        taken.low += card->used[i] * one->low;
        taken.high += card->used[i] * one->high;
        taken.fence += card->used[i] * one->fence;
    }
    unsigned room = at_most(UINT_MAX, has->low, taken.low, takes->low);
    room = at_most(room, has->high, taken.high, takes->high);
    return at_most(room, has->fence, taken.fence, takes->fence);
}

/* Types that share a card: each instance takes 1/instances of it. */
static unsigned mixed_available(const struct card *card, unsigned type)
{
    double taken = 0;
    for (unsigned i = 0; i < card->model->type_count; i++)
        taken += (double)card->used[i] / card->model->types[i].instances;
    double room = (1 - taken) * card->model->types[type].instances + 1e-9;
    return room > 0 ? (unsigned)room : 0;
}

unsigned card_available(const struct card *card, unsigned type)
{
    if (card->model->graphics.low)
        return graphics_available(card, type);
    if (card->model->mixed)
        return mixed_available(card, type);
    for (unsigned i = 0; i < card->model->type_count; i++)
        if (i != type && card->used[i])
            return 0;
    unsigned instances = card->model->types[type].instances;
    return instances > card->used[type] ? instances - card->used[type] : 0;
}

unsigned parent_type_available(const struct parent_type *type)
{
    const struct mdev_parent *parent = type->parent;
    unsigned available = card_available(parent->card, type->index);
    if (!parent->limit)
        return available;
    unsigned room = parent->limit > parent->used ? parent->limit - parent->used : 0;
    return available < room ? available : room;
}

static const struct type_description *describe(const struct parent_type *type)
{
    return &type->parent->card->model->types[type->index];
}

static int available_show(void *context, FILE *out)
{
    fprintf(out, "%u\n", parent_type_available(context));
    return 0;
}

static int create_store(void *context, const char *data, size_t length)
{
    return mdev_create(context, data, length);
}

struct mdev_parent *mdev_parent_new(struct card *card, const char *name, unsigned limit)
{
    struct mdev_parent *parent = xcalloc(1, sizeof *parent);
    parent->sim = card->sim;
    parent->card = card;
    parent->name = name;
    parent->limit = limit;
    parent->types = xcalloc(card->model->type_count + 1, sizeof *parent->types);
    for (unsigned i = 0; i < card->model->type_count; i++)
        parent->types[i] = (struct parent_type){.parent = parent, .index = i};
    return parent;
}

void mdev_parent_free(struct mdev_parent *parent)
{
    if (!parent)
        return;
    node_unref(parent->node);
    free(parent->types);
    free(parent);
}

static void add_type(struct mdev_parent *parent, struct parent_type *type)
{
    static const struct attribute create = {.mode = 0200, .store = create_store};
    static const struct attribute available = {.mode = 0444, .show = available_show};
    const struct type_description *description = describe(type);
    /* The driver's name comes before what the vendor calls the type. */
    const struct model *model = parent->card->model;
    _cleanup_free_ char *name = model->interface == INTERFACE_VENDOR_VFIO
                                    ? xasprintf("%s-%s", model->driver, description->id)
                                    : xstrdup(description->id);
    struct node *node = node_directory(parent->types_node, name);
    node_attribute(node, "create", &create, type);
    node_attribute(node, "available_instances", &available, type);
    node_text(node, "device_api", "%s\n", description->device_api);
    if (description->name)
        node_text(node, "name", "%s\n", description->name);
    /* Drivers with descriptions of many lines end each themselves. */
    if (description->description) {
        size_t length = strlen(description->description);
        bool ended = length && description->description[length - 1] == '\n';
        node_text(node, "description", "%s%s", description->description,
                  ended ? "" : "\n");
    }
    type->devices = node_directory(node, "devices");
}

void mdev_parent_register(struct mdev_parent *parent, struct node *node)
{
    parent->node = node_ref(node);
    struct node *class = node_directory(parent->sim->root, "class/mdev_bus");
    parent->types_node = node_directory(parent->node, "mdev_supported_types");
    for (unsigned i = 0; i < parent->card->model->type_count; i++)
        add_type(parent, &parent->types[i]);
    parent->class_link = node_link(class, parent->name, parent->node);
}

void mdev_parent_unregister(struct mdev_parent *parent)
{
    struct sim *sim = parent->sim;
    if (!parent->node || parent->leaving)
        return;
    parent->leaving = true;
    sim_changed(sim);
    while (parent->users && !sim->stopping)
        sim_wait(sim);
    if (sim->stopping)
        return;
    node_remove(parent->class_link);
    for (size_t i = sim->mdev_count; i-- > 0;)
        if (sim->mdevs[i]->parent == parent) {
            mdev_destroy(sim->mdevs[i]);
            i = sim->mdev_count;
        }
    node_remove(parent->types_node);
    node_unref(parent->node);
    parent->node = NULL;
    parent->leaving = false;
    sim_changed(sim);
}

struct mdev *mdev_find(struct sim *sim, const char *uuid)
{
    for (size_t i = 0; i < sim->mdev_count; i++)
        if (strcmp(sim->mdevs[i]->uuid, uuid) == 0)
            return sim->mdevs[i];
    return NULL;
}

/* The kernel gives the lowest number that is free. */
struct node *iommu_group_new(struct sim *sim, struct node *node)
{
    struct node *groups = node_directory(sim->root, "kernel/iommu_groups");
    _cleanup_free_ char *name = NULL;
    unsigned number = 0;
    do {
        free(name);
        name = xasprintf("%u", number++);
    } while (node_child(groups, name));
    struct node *group = node_directory(groups, name);
    node_text(group, "type", "DMA-FQ\n");
    node_link(node_directory(group, "devices"), node->name, node);
    node_link(node, "iommu_group", group);
    return group;
}
