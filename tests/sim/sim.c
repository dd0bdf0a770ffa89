#include "tests/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "tests/sim/vfio_pci.h"

struct card *sim_card(struct sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->card_count; i++)
        if (strcmp(sim->cards[i]->name, name) == 0)
            return sim->cards[i];
    return NULL;
}

struct pci_function *sim_function(struct sim *sim, const char *address)
{
    for (size_t i = 0; i < sim->function_count; i++) {
        struct pci_function *function = sim->functions[i];
        if (strcmp(function->address, address) == 0)
            return function;
        for (unsigned v = 0; v < function->numvfs; v++)
            if (strcmp(function->virtuals[v]->address, address) == 0)
                return function->virtuals[v];
    }
    return NULL;
}

static void plug_in(struct sim *sim, const struct card_description *description)
{
    const char *name = strrchr(description->path, '/') + 1;
    struct card *card = card_new(sim, description->model, name);
    *array_add(sim->cards, sim->card_count) = card;
    if (description->model->vendor) {
        *array_add(sim->functions, sim->function_count) =
            pci_function_new(card, description);
        return;
    }
    _cleanup_free_ char *path = xasprintf("devices/%s", description->path);
    struct mdev_parent *parent = mdev_parent_new(card, card->name, 0);
    *array_add(sim->parents, sim->parent_count) = parent;
    if (sim->description->mdev)
        mdev_parent_register(parent, node_directory(sim->root, path));
}

struct sim *sim_new_take(struct description *description)
{
    struct sim *sim = xcalloc(1, sizeof *sim);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sim->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&sim->lock, NULL);
    sim->description = description;
    sim->root = node_new_root();
    node_directory(sim->root, "devices");
    node_directory(sim->root, "class");
    node_directory(sim->root, "bus/pci/devices");
    vfio_pci_init(sim);
    if (!description->iommu)
        node_directory(sim->root, "class/iommu");
    if (description->mdev)
        node_directory(sim->root, "bus/mdev/devices");
    for (size_t i = 0; i < description->card_count; i++)
        plug_in(sim, &description->cards[i]);
    control_init(sim);
    return sim;
}

static void free_mdev(struct mdev *mdev)
{
    node_unref(mdev->node);
    node_unref(mdev->bus_link);
    node_unref(mdev->type_link);
    node_unref(mdev->devices_link);
    node_unref(mdev->group);
    mdev_free(mdev);
}

void sim_free(struct sim *sim)
{
    if (!sim)
        return;
    for (size_t i = 0; i < sim->mdev_count; i++)
        free_mdev(sim->mdevs[i]);
    for (size_t i = 0; i < sim->function_count; i++)
        pci_function_free(sim->functions[i]);
    for (size_t i = 0; i < sim->parent_count; i++)
        mdev_parent_free(sim->parents[i]);
    for (size_t i = 0; i < sim->card_count; i++)
        card_free(sim->cards[i]);
    for (size_t i = 0; i < sim->driver_count; i++)
        pci_driver_free(sim->drivers[i]);
    free(sim->drivers);
    free(sim->mdevs);
    free(sim->functions);
    free(sim->parents);
    free(sim->cards);
    fault_clear(&sim->faults);
    control_clear(&sim->control);
    node_remove(sim->root);
    description_free(sim->description);
    pthread_cond_destroy(&sim->changed);
    pthread_mutex_destroy(&sim->lock);
    free(sim);
}

void sim_stop(struct sim *sim)
{
    pthread_mutex_lock(&sim->lock);
    sim->stopping = true;
    sim_changed(sim);
    pthread_mutex_unlock(&sim->lock);
}

void sim_wait(struct sim *sim)
{
    pthread_cond_wait(&sim->changed, &sim->lock);
}

void sim_sleep(struct sim *sim, unsigned milliseconds)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += milliseconds % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    while (!sim->stopping &&
           pthread_cond_timedwait(&sim->changed, &sim->lock, &end) != ETIMEDOUT)
        continue;
}

void sim_changed(struct sim *sim)
{
    pthread_cond_broadcast(&sim->changed);
}

static int store_locked(struct sim *sim, struct node *node, const char *data,
                        size_t length)
{
    if (!node->attribute || !node->attribute->store)
        return -EIO;
    size_t number = control_store_begin(&sim->control, node, data, length);
    int rc =
        node->removed ? -ENODEV : node->attribute->store(node->context, data, length);
    control_store_end(&sim->control, number, rc);
    return rc;
}

int sim_store(struct sim *sim, struct node *node, const char *data, size_t length)
{
    pthread_mutex_lock(&sim->lock);
    int rc = store_locked(sim, node, data, length);
    pthread_mutex_unlock(&sim->lock);
    return rc;
}

static int show_locked(struct sim *sim, struct node *node, FILE *out)
{
    while (control_makes_hang(&sim->control, node) && !sim->stopping)
        sim_wait(sim);
    if (node->removed)
        return -ENODEV;
    if (!node->attribute || !node->attribute->show ||
        control_makes_unreadable(&sim->control, node))
        return -EIO;
    return node->attribute->show(node->context, out);
}

int sim_show(struct sim *sim, struct node *node, char **text, size_t *length)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    if (!stream)
        return -ENOMEM;
    pthread_mutex_lock(&sim->lock);
    int rc = show_locked(sim, node, stream);
    pthread_mutex_unlock(&sim->lock);
    fclose(stream);
    if (rc < 0) {
        free(out);
        return rc;
    }
    *text = out;
    *length = size;
    return 0;
}
