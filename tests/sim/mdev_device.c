#include "tests/sim/mdev_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"

static int remove_store(void *context, const char *data, size_t length);
static int parameters_show(void *context, FILE *out);
static int parameters_store(void *context, const char *data, size_t length);
static int vm_name_show(void *context, FILE *out);

static void take_instance(struct mdev *mdev)
{
    mdev->parent->used++;
    mdev->parent->card->used[mdev->type->index]++;
    mdev->counted = true;
}

static void give_instance_back(struct mdev *mdev)
{
    if (!mdev->counted)
        return;
    mdev->parent->used--;
    mdev->parent->card->used[mdev->type->index]--;
    mdev->counted = false;
}

static void add_remove_file(struct mdev *mdev)
{
    static const struct attribute remove = {.mode = 0200, .store = remove_store};
    node_attribute(mdev->node, "remove", &remove, mdev);
}

/* device_add(): the directory, `remove` in it, the bus. */
static void show_on_bus(struct mdev *mdev)
{
    struct node *bus = node_directory(mdev->parent->sim->root, "bus/mdev");
    mdev->node = node_ref(node_directory(mdev->parent->node, mdev->uuid));
    add_remove_file(mdev);
    node_text(node_directory(mdev->node, "power"), "control", "auto\n");
    node_link(mdev->node, "subsystem", bus);
    mdev->bus_link =
        node_ref(node_link(node_directory(bus, "devices"), mdev->uuid, mdev->node));
}

/* The driver has taken the device: what it adds. */
static void show_driver_files(struct mdev *mdev)
{
    static const struct attribute parameters = {
        .mode = 0644, .show = parameters_show, .store = parameters_store};
    static const struct attribute vm_name = {.mode = 0444, .show = vm_name_show};
    mdev->group = node_ref(iommu_group_new(mdev->parent->sim, mdev->node));
    if (strcmp(mdev->parent->card->model->driver, "nvidia") == 0) {
        struct node *nvidia = node_directory(mdev->node, "nvidia");
        node_attribute(nvidia, "vgpu_params", &parameters, mdev);
        node_attribute(nvidia, "vm_name", &vm_name, mdev);
    }
    struct node *type = mdev->type->devices->parent;
    mdev->type_link = node_ref(node_link(mdev->node, "mdev_type", type));
    mdev->devices_link =
        node_ref(node_link(mdev->type->devices, mdev->uuid, mdev->node));
}

static void drop_node(struct node **node)
{
    if (!*node)
        return;
    node_remove(*node);
    node_unref(*node);
    *node = NULL;
}

/* The last step of a removal, or of a create that failed. */
static void forget(struct mdev *mdev)
{
    struct sim *sim = mdev->parent->sim;
    drop_node(&mdev->devices_link);
    drop_node(&mdev->type_link);
    drop_node(&mdev->bus_link);
    drop_node(&mdev->group);
    drop_node(&mdev->node);
    give_instance_back(mdev);
    for (size_t i = 0; i < sim->mdev_count; i++) {
        if (sim->mdevs[i] == mdev) {
            memmove(&sim->mdevs[i], &sim->mdevs[i + 1],
                    (--sim->mdev_count - i) * sizeof(struct mdev *));
            break;
        }
    }
    mdev_free(mdev);
    sim_changed(sim);
}

void mdev_free(struct mdev *mdev)
{
    free(mdev->vm_name);
    free(mdev->parameters);
    free(mdev);
}

/* The driver's part of a create. */
static int probe(struct mdev *mdev)
{
    struct mdev_parent *parent = mdev->parent;
    int rc =
        fault_apply(parent->sim, OPERATION_CREATE, parent->card->name, parent->name);
    if (rc < 0)
        return rc;
    if (parent->card->lost)
        return -EIO;
    if (!mdev->counted) {
        if (!parent_type_available(mdev->type))
            return -ENOSPC;
        take_instance(mdev);
    }
    show_driver_files(mdev);
    return 0;
}

static int add_device(struct parent_type *type, const char *uuid)
{
    struct mdev_parent *parent = type->parent;
    struct sim *sim = parent->sim;
    bool core_counts = parent->card->model->exhausted == EUSERS;
    if (core_counts && !parent_type_available(type))
        return -EUSERS;
    if (parent->leaving)
        return -ENODEV;

    struct mdev *mdev = xcalloc(1, sizeof *mdev);
    *array_add(sim->mdevs, sim->mdev_count) = mdev;
    mdev->parent = parent;
    mdev->type = type;
    memcpy(mdev->uuid, uuid, UUID_TEXT_SIZE);
    if (core_counts)
        take_instance(mdev);
    show_on_bus(mdev);
    sim_changed(sim);

    parent->users++;
    int rc = probe(mdev);
    parent->users--;
    if (rc < 0) {
        forget(mdev);
        return rc;
    }
    mdev->active = true;
    sim_changed(sim);
    return 0;
}

int mdev_create(struct parent_type *type, const char *data, size_t length)
{
    /* 36 characters and one more, whatever it is: meant for a newline. */
    char text[UUID_TEXT_SIZE] = "", uuid[UUID_TEXT_SIZE];
    if (length < UUID_TEXT_SIZE - 1 || length > UUID_TEXT_SIZE)
        return -EINVAL;
    memcpy(text, data, UUID_TEXT_SIZE - 1);
    if (!uuid_parse_text(text, uuid))
        return -EINVAL;
    if (mdev_find(type->parent->sim, uuid))
        return -EEXIST;
    return add_device(type, uuid);
}

void mdev_destroy(struct mdev *mdev)
{
    struct mdev_parent *parent = mdev->parent;
    struct sim *sim = parent->sim;
    mdev->active = false;
    drop_node(&mdev->devices_link);
    drop_node(&mdev->type_link);
    sim_changed(sim);
    fault_apply(sim, OPERATION_UNLINK, parent->card->name, parent->name);

    /* device_del() takes the attributes, then the device off the bus. */
    while (mdev->node->child_count)
        node_remove(mdev->node->children[0]);
    drop_node(&mdev->bus_link);
    sim_changed(sim);
    fault_apply(sim, OPERATION_REMOVE, parent->card->name, parent->name);
    while (mdev->held && !sim->stopping)
        sim_wait(sim);
    forget(mdev);
}

/* Linux takes the file away before it looks whether the device is complete: if it is
 * not, nothing can ever remove it. */
static int remove_device(struct mdev *mdev)
{
    struct mdev_parent *parent = mdev->parent;
    node_remove(node_child(mdev->node, "remove"));
    if (!mdev->active)
        return -EAGAIN;
    if (parent->leaving)
        return -ENODEV;
    parent->users++;
    int rc =
        fault_apply(parent->sim, OPERATION_REFUSE, parent->card->name, parent->name);
    if (rc < 0)
        add_remove_file(mdev);
    else
        mdev_destroy(mdev);
    parent->users--;
    sim_changed(parent->sim);
    return rc;
}

/* kstrtoul(): a number in C's notation, one newline allowed after it. */
static int remove_store(void *context, const char *data, size_t length)
{
    char text[32];
    if (length == 0)
        return 0;
    if (length >= sizeof text || memchr(data, 0, length))
        return -EINVAL;
    memcpy(text, data, length);
    text[length] = 0;
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 0);
    if (errno)
        return -errno;
    if (end == text || strchr("- \t\n\v\f\r", text[0]) ||
        (*end && strcmp(end, "\n") != 0))
        return -EINVAL;
    return value ? remove_device(context) : 0;
}

static int parameters_show(void *context, FILE *out)
{
    const struct mdev *mdev = context;
    fprintf(out, "%s\n", mdev->parameters ? mdev->parameters : "");
    return 0;
}

/* Only before the guest starts; a blank clears them. */
static int parameters_store(void *context, const char *data, size_t length)
{
    struct mdev *mdev = context;
    if (mdev->held)
        return -EPERM;
    struct mdev_parent *parent = mdev->parent;
    char uuid[UUID_TEXT_SIZE];
    memcpy(uuid, mdev->uuid, sizeof uuid);
    parent->users++;
    int rc = fault_apply(parent->sim, OPERATION_PARAMETERS, parent->card->name,
                         parent->name);
    parent->users--;
    sim_changed(parent->sim);
    if (rc < 0)
        return rc;
    /* It can have been removed while the driver took its time. */
    if (mdev_find(parent->sim, uuid) != mdev)
        return -ENODEV;
    while (length && strchr(" \n", data[length - 1]))
        length--;
    if (length && !memchr(data, '=', length))
        return -EINVAL;
    free(mdev->parameters);
    mdev->parameters = xstrndup(data, length);
    return 0;
}

static int vm_name_show(void *context, FILE *out)
{
    const struct mdev *mdev = context;
    fprintf(out, "%s\n", mdev->vm_name ? mdev->vm_name : "");
    return 0;
}
