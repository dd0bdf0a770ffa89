#include "tests/unit/agent/plan/plan_model.h"

#include <stdio.h>
#include <string.h>

#include "agent/state/journal_read.h"
#include "agent/state/journal_write.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

void model_set_text(char *to, size_t room, const char *text)
{
    assert_true(strlen(text) < room);
    stpcpy(to, text);
}

void model_init(struct model *model)
{
    *model = (struct model){.now = 1000, .grace = 60};
    uuid5_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "root", model->root_uuid);
    MODEL_SET(model->root_name, "host");
    model->journal = journal_new();
    static const char *const standard[] = {
        "HW_GPU_MAX_DISPLAY_HEADS_1", "HW_GPU_MAX_DISPLAY_HEADS_4",
        "HW_GPU_RESOLUTION_W320H240", "HW_GPU_RESOLUTION_W640H480"};
    for (int i = 0; i < MODEL_LENGTH(standard); i++)
        MODEL_SET(model->known_traits[model->known_trait_count++], standard[i]);
}

void model_clear(struct model *model)
{
    journal_free(model->journal);
    model->journal = NULL;
}

struct journal *model_copy_journal(const struct model *model)
{
    size_t length;
    _cleanup_free_ char *text = journal_write(model->journal, &length);
    struct journal *copy = NULL;
    struct error err = {0};
    assert_ok(journal_read(text, length, &copy, &err), &err);
    return copy;
}

void model_copy(struct model *to, const struct model *from)
{
    *to = *from;
    to->journal = model_copy_journal(from);
}

/* ---- look-ups ---- */

int model_gpu(const struct model *model, const char *name)
{
    for (int i = 0; i < model->gpu_count; i++)
        if (strcmp(model->gpus[i].name, name) == 0)
            return i;
    fail_msg("no GPU %s", name);
    return -1;
}

struct model_device *model_device(struct model *model, const char *uuid)
{
    for (int i = 0; i < model->device_count; i++)
        if (strcmp(model->devices[i].uuid, uuid) == 0)
            return &model->devices[i];
    return NULL;
}

struct model_provider *model_provider(struct model *model, const char *uuid)
{
    for (int i = 0; i < model->provider_count; i++)
        if (strcmp(model->providers[i].uuid, uuid) == 0)
            return &model->providers[i];
    return NULL;
}

struct model_provider *model_provider_named(struct model *model, const char *name)
{
    for (int i = 0; i < model->provider_count; i++)
        if (strcmp(model->providers[i].name, name) == 0)
            return &model->providers[i];
    return NULL;
}

bool model_has_trait(const struct model_provider *provider, const char *trait)
{
    for (int i = 0; i < provider->trait_count; i++)
        if (strcmp(provider->traits[i], trait) == 0)
            return true;
    return false;
}

void model_add_trait(struct model_provider *provider, const char *trait)
{
    if (model_has_trait(provider, trait))
        return;
    assert_true(provider->trait_count < MODEL_LENGTH(provider->traits));
    MODEL_SET(provider->traits[provider->trait_count++], trait);
}

void model_drop_trait(struct model_provider *provider, const char *trait)
{
    for (int i = 0; i < provider->trait_count; i++)
        if (strcmp(provider->traits[i], trait) == 0)
            memmove(&provider->traits[i], &provider->traits[--provider->trait_count],
                    sizeof provider->traits[i]);
}

struct model_inventory *model_inventory(struct model_provider *provider,
                                        const char *resource_class)
{
    for (int i = 0; i < provider->inventory_count; i++)
        if (strcmp(provider->inventories[i].resource_class, resource_class) == 0)
            return &provider->inventories[i];
    return NULL;
}

struct model_domain *model_domain_of(struct model *model, const char *device)
{
    for (int i = 0; i < model->domain_count; i++)
        if (strcmp(model->domains[i].device, device) == 0)
            return &model->domains[i];
    return NULL;
}

void model_add_domain(struct model *model, const char *uuid, const char *device,
                      bool running)
{
    model_drop_domain(model, device);
    model_add_another_domain(model, uuid, device, running);
}

void model_add_another_domain(struct model *model, const char *uuid, const char *device,
                              bool running)
{
    assert_true(model->domain_count < MODEL_LENGTH(model->domains));
    struct model_domain *domain = &model->domains[model->domain_count++];
    MODEL_SET(domain->uuid, uuid);
    MODEL_SET(domain->device, device);
    domain->running = running;
}

void model_drop_domain(struct model *model, const char *device)
{
    struct model_domain *domain;
    while ((domain = model_domain_of(model, device)))
        *domain = model->domains[--model->domain_count];
}

bool model_is_anothers(const struct model *model, const char *device,
                       const char *consumer)
{
    bool own = false, others = false;
    for (int i = 0; i < model->domain_count; i++) {
        const struct model_domain *domain = &model->domains[i];
        if (strcmp(domain->device, device) != 0)
            continue;
        bool is_own = strcmp(domain->uuid, consumer) == 0;
        if (domain->running)
            return !is_own;
        own |= is_own;
        others |= !is_own;
    }
    return others && !own;
}

bool model_is_server(const struct model *model, const char *consumer)
{
    for (int i = 0; i < model->server_count; i++)
        if (strcmp(model->servers[i], consumer) == 0)
            return true;
    for (int i = 0; i < model->domain_count; i++)
        if (strcmp(model->domains[i].uuid, consumer) == 0)
            return true;
    return false;
}

bool model_is_used(const struct model *model, const struct model_device *device)
{
    return device->group_open || device->defined ||
           model_domain_of((struct model *)model, device->uuid);
}

/* ---- the kernel ---- */

static int count_devices(const struct model *model, int gpu, int vf, int type)
{
    int count = 0;
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        count += device->gpu == gpu && (vf < 0 || device->vf == vf) &&
                 (type < 0 || device->type == type);
    }
    return count;
}

/* How many more of the type fit into what the devices of all types leave. The card has
 * as many slots as the product of all capacities. */
static int left_beside(const struct model *model, int gpu, int type)
{
    const struct model_gpu *card = &model->gpus[gpu];
    int slots = 1, left;
    for (int i = 0; i < card->type_count; i++)
        slots *= card->types[i].capacity;
    left = slots;
    for (int i = 0; i < card->type_count; i++)
        left -= count_devices(model, gpu, -1, i) * (slots / card->types[i].capacity);
    return left > 0 ? left / (slots / card->types[type].capacity) : 0;
}

int model_available(const struct model *model, int gpu, int vf, int type)
{
    const struct model_gpu *card = &model->gpus[gpu];
    int of_type = count_devices(model, gpu, -1, type);
    if (!card->mixed && !card->shared && count_devices(model, gpu, -1, -1) > of_type)
        return 0;
    int left = card->types[type].capacity - of_type;
    if (card->shared)
        left = left_beside(model, gpu, type);
    if (vf >= 0)
        return left > 0 && count_devices(model, gpu, vf, -1) == 0;
    return left > 0 ? left : 0;
}

bool model_add_device(struct model *model, const char *uuid, int gpu, int vf, int type)
{
    if (model_device(model, uuid) || model_available(model, gpu, vf, type) < 1)
        return false;
    assert_true(model->device_count < MODEL_LENGTH(model->devices));
    struct model_device *device = &model->devices[model->device_count++];
    *device = (struct model_device){.gpu = gpu, .vf = vf, .type = type};
    MODEL_SET(device->uuid, uuid);
    return true;
}

void model_remove_device(struct model *model, const char *uuid)
{
    struct model_device *device = model_device(model, uuid);
    assert_non_null(device);
    *device = model->devices[--model->device_count];
}

/* ---- the configuration ---- */

static int type_index(const struct model *model, int gpu, const char *id)
{
    for (int i = 0; id && i < model->gpus[gpu].type_count; i++)
        if (strcmp(model->gpus[gpu].types[i].id, id) == 0)
            return i;
    return -1;
}

static bool names(const struct model_config_type *config, const char *address)
{
    for (int i = 0; i < config->address_count; i++)
        if (strcmp(config->addresses[i], address) == 0)
            return true;
    return false;
}

/* Which of the card's types the files give it. */
static void types_of_files(const struct model *model, int gpu, bool found[4],
                           bool mixed[4])
{
    char address[16];
    snprintf(address, sizeof address, "0000:%s:00.0", model->gpus[gpu].name);
    bool any_named = false;
    for (int i = 0; i < model->type_count; i++)
        any_named |= names(&model->types[i], address);
    for (int i = 0; i < model->type_count; i++) {
        const struct model_config_type *config = &model->types[i];
        int type = type_index(model, gpu, config->type);
        if (type < 0 ||
            !(any_named ? names(config, address) : config->address_count == 0))
            continue;
        found[type] = true;
        mixed[type] = config->mixed;
    }
}

/* Which types the card has, by the files and by operators' choices. */
static void types_of(const struct model *model, int gpu, bool found[4], bool mixed[4])
{
    char card[16];
    types_of_files(model, gpu, found, mixed);
    snprintf(card, sizeof card, "0000:%s:00.0", model->gpus[gpu].name);
    for (int i = 0; i < model->choice_count; i++) {
        const char *type = type_choice_for(model->choices[i].line, card);
        int index = type ? type_index(model, gpu, type) : -1;
        if (index >= 0)
            found[index] = true;
        for (int j = 0; index >= 0 && j < model->type_count; j++)
            if (strcmp(model->types[j].type, type) == 0)
                mixed[index] = model->types[j].mixed;
    }
}

int model_count_types(const struct model *model, int gpu, bool *mixed)
{
    bool found[4] = {0}, beside[4] = {0};
    int count = 0;
    types_of(model, gpu, found, beside);
    *mixed = true;
    for (int i = 0; i < 4; i++) {
        count += found[i];
        *mixed &= !found[i] || beside[i];
    }
    *mixed &= count > 1;
    return count;
}

int model_type_of_provider(const struct model *model, int gpu,
                           const struct model_provider *provider)
{
    const char *id = strstr(provider->name, "_nvidia-");
    return id ? type_index(model, gpu, id + 1) : -1;
}

bool model_has_others(const struct model *model, int gpu, int type)
{
    for (int i = 0; i < model->device_count; i++) {
        const struct model_device *device = &model->devices[i];
        if (device->gpu == gpu && device->type != type &&
            (!device->in_transition ||
             journal_find_device(model->journal, device->uuid)))
            return true;
    }
    return false;
}

int model_configured(const struct model *model, int gpu)
{
    bool found[4] = {0}, beside[4] = {0};
    int configured = -1;
    types_of(model, gpu, found, beside);
    for (int i = 0; i < 4; i++) {
        if (found[i] && configured >= 0)
            return -1;
        if (found[i])
            configured = i;
    }
    return configured;
}
