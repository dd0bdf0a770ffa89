#include "tests/sim/vgpu_function.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"
#include "tests/sim/vfio_pci.h"

struct vgpu_function *vgpu_function_new(struct card *card, const char *name)
{
    struct vgpu_function *function = xcalloc(1, sizeof *function);
    function->sim = card->sim;
    function->card = card;
    function->name = name;
    function->type = -1;
    return function;
}

void vgpu_function_free(struct vgpu_function *function)
{
    if (!function)
        return;
    free(function->parameters);
    free(function);
}

static void set_type(struct vgpu_function *function, int type)
{
    if (function->type >= 0)
        function->card->used[function->type]--;
    function->type = type;
    if (type >= 0)
        function->card->used[type]++;
    free(function->parameters);
    function->parameters = NULL;
}

/* ---- what the driver refuses ---- */

static int find_type(const struct model *model, unsigned long id)
{
    for (size_t i = 0; i < model->type_count; i++)
        if (strtoul(model->types[i].id, NULL, 10) == id)
            return (int)i;
    return -1;
}

static bool has_another_type(const struct card *card, unsigned type)
{
    for (unsigned i = 0; i < card->model->type_count; i++)
        if (i != type && card->used[i] && !card->model->mixed)
            return true;
    return false;
}

static int refusal(const struct vgpu_function *function, unsigned long id)
{
    const struct card *card = function->card;
    if (function->held)
        return -EBUSY;
    if (card->lost)
        return -EIO;
    if (id == 0)
        return 0;
    int type = find_type(card->model, id);
    if (type < 0)
        return -ENODEV;
    if (function->type >= 0 || has_another_type(card, (unsigned)type))
        return -EINVAL;
    return card_available(card, (unsigned)type) ? 0 : -ENOSPC;
}

/* ---- stores ---- */

static int make(struct vgpu_function *function, unsigned long id)
{
    int rc = fault_apply(function->sim, OPERATION_CREATE, function->card->name,
                         function->name);
    if (rc == 0)
        rc = refusal(function, id);
    int type = find_type(function->card->model, id);
    if (rc == 0)
        set_type(function, type);
    return rc;
}

static int end(struct vgpu_function *function)
{
    struct sim *sim = function->sim;
    const char *card = function->card->name;
    int rc = fault_apply(sim, OPERATION_REFUSE, card, function->name);
    if (rc < 0 || function->type < 0)
        return rc;
    fault_apply(sim, OPERATION_UNLINK, card, function->name);
    fault_apply(sim, OPERATION_REMOVE, card, function->name);
    /* A guest can have opened it while the driver took its time. */
    rc = refusal(function, 0);
    if (rc == 0)
        set_type(function, -1);
    return rc;
}

/* The driver has a mutex for each function. */
static int change(struct vgpu_function *function, unsigned long id)
{
    struct sim *sim = function->sim;
    while (function->changing && !sim->stopping)
        sim_wait(sim);
    if (!function->folder)
        return -ENODEV;
    function->changing = true;
    int rc = refusal(function, id);
    if (rc == 0)
        rc = id ? make(function, id) : end(function);
    function->changing = false;
    sim_changed(sim);
    return rc;
}

static int current_store(void *context, const char *data, size_t length)
{
    char text[16];
    if (length == 0 || length >= sizeof text || memchr(data, 0, length))
        return -EINVAL;
    memcpy(text, data, length);
    text[length] = 0;
    char *rest;
    unsigned long id = strtoul(text, &rest, 10);
    if (text[0] < '0' || text[0] > '9' || (*rest && strcmp(rest, "\n") != 0))
        return -EINVAL;
    return change(context, id);
}

static int parameters_store(void *context, const char *data, size_t length)
{
    struct vgpu_function *function = context;
    if (function->held || function->type < 0)
        return -EPERM;
    int rc = fault_apply(function->sim, OPERATION_PARAMETERS, function->card->name,
                         function->name);
    if (rc < 0)
        return rc;
    while (length && strchr(" \n", data[length - 1]))
        length--;
    if (length && !memchr(data, '=', length))
        return -EINVAL;
    free(function->parameters);
    function->parameters = xstrndup(data, length);
    return 0;
}

/* ---- shows ---- */

static int current_show(void *context, FILE *out)
{
    const struct vgpu_function *function = context;
    const struct model *model = function->card->model;
    fprintf(out, "%s\n", function->type < 0 ? "0" : model->types[function->type].id);
    return 0;
}

static int creatable_show(void *context, FILE *out)
{
    const struct vgpu_function *function = context;
    const struct card *card = function->card;
    if (function->type >= 0)
        return 0;
    fprintf(out, "%-5s : %s\n", "ID", "vGPU Name");
    for (unsigned i = 0; i < card->model->type_count; i++)
        if (card_available(card, i))
            fprintf(out, "%-5s : %s\n", card->model->types[i].id,
                    card->model->types[i].name);
    return 0;
}

static int parameters_show(void *context, FILE *out)
{
    const struct vgpu_function *function = context;
    fprintf(out, "%s\n", function->parameters ? function->parameters : "");
    return 0;
}

/* ---- the driver binds and lets go ---- */

void vgpu_function_register(struct vgpu_function *function, struct node *node)
{
    static const struct attribute creatable = {.mode = 0444, .show = creatable_show};
    static const struct attribute current = {
        .mode = 0644, .show = current_show, .store = current_store};
    static const struct attribute parameters = {
        .mode = 0644, .show = parameters_show, .store = parameters_store};
    function->folder = node_directory(node, "nvidia");
    node_attribute(function->folder, "creatable_vgpu_types", &creatable, function);
    node_attribute(function->folder, "current_vgpu_type", &current, function);
    node_attribute(function->folder, "vgpu_params", &parameters, function);
    node_text(function->folder, "gpu_instance_id", "4294967295\n");
    node_text(function->folder, "placement_id", "65535\n");
    function->vfio = vfio_dev_new(function->sim, node);
}

void vgpu_function_unregister(struct vgpu_function *function)
{
    struct sim *sim = function->sim;
    while ((function->held || function->changing) && !sim->stopping)
        sim_wait(sim);
    if (sim->stopping || !function->folder)
        return;
    set_type(function, -1);
    struct node *node = function->folder->parent;
    node_remove(function->vfio);
    node_remove(node_child(node, "vfio-dev"));
    node_remove(function->folder);
    function->folder = function->vfio = NULL;
    sim_changed(sim);
}
