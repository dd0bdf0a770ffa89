#include "tests/unit/agent/plan/script_commands.h"

#include <stdio.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_model_execute.h"
#include "tests/unit/test.h"

/* ---- commands: the host ---- */

static void do_gpu(struct script *s)
{
    struct model_gpu *gpu = &s->model.gpus[s->model.gpu_count++];
    *gpu = (struct model_gpu){.vfs = script_number(s, "vfs", 0),
                              .mixed = script_has_word(s, "mixed"),
                              .shared = script_has_word(s, "shared")};
    stpcpy(gpu->name, script_word(s, 1));
    for (int i = 2; i < s->word_count; i++) {
        const char *colon = strchr(s->words[i], ':');
        if (!colon)
            continue;
        struct model_type *type = &gpu->types[gpu->type_count++];
        int length = (int)(colon - s->words[i]);
        snprintf(type->id, sizeof type->id, "nvidia-%.*s", length, s->words[i]);
        snprintf(type->name, sizeof type->name, "GRID T-%.*s", length, s->words[i]);
        type->capacity = script_integer(colon + 1);
    }
}

static void do_mdev(struct script *s)
{
    char uuid[UUID_TEXT_SIZE];
    script_named_uuid(s, script_word(s, 1), uuid);
    int gpu = model_gpu(&s->model, script_word(s, 2));
    if (!model_add_device(&s->model, uuid, gpu, script_number(s, "vf", -1),
                          script_type_index(s, gpu, script_word(s, 3))))
        script_wrong(s, "no room for it");
}

static void do_domain(struct script *s)
{
    char uuid[UUID_TEXT_SIZE], named[UUID_TEXT_SIZE];
    script_named_uuid(s, script_word(s, 1), uuid);
    script_device_uuid(s, script_word(s, 2), named);
    model_add_domain(&s->model, uuid, named, strcmp(s->words[0], "running") == 0);
}

static void do_also(struct script *s)
{
    char uuid[UUID_TEXT_SIZE], named[UUID_TEXT_SIZE];
    script_named_uuid(s, script_word(s, 1), uuid);
    script_device_uuid(s, script_word(s, 2), named);
    model_add_another_domain(&s->model, uuid, named, false);
}

static void do_bare(struct script *s)
{
    char uuid[UUID_TEXT_SIZE];
    script_named_uuid(s, script_word(s, 1), uuid);
    model_add_another_domain(&s->model, uuid, "", false);
}

static void do_asked(struct script *s)
{
    assert_true(s->model.server_count < MODEL_LENGTH(s->model.servers));
    script_named_uuid(s, script_word(s, 1), s->model.servers[s->model.server_count++]);
}

static void do_order(struct script *s)
{
    assert_true(s->model.order_count < (int)MODEL_LENGTH(s->model.orders));
    struct model_order *order = &s->model.orders[s->model.order_count++];
    const char *what = script_word(s, 1), *type = "";
    *order = (struct model_order){.force = script_has_word(s, "force")};
    script_device_uuid(s, script_word(s, 2), order->device);
    order->kind = strcmp(what, "create") == 0   ? ORDER_CREATE
                  : strcmp(what, "remove") == 0 ? ORDER_REMOVE
                                                : ORDER_PARAMETERS;
    if (order->kind == ORDER_CREATE)
        type = script_word(s, 3);
    snprintf(order->type, sizeof order->type, "nvidia-%s", type);
    if (order->kind == ORDER_CREATE && s->word_count > 4)
        snprintf(order->gpu, sizeof order->gpu, "0000:%s:00.0", script_word(s, 4));
    if (order->kind == ORDER_PARAMETERS)
        snprintf(order->parameters, sizeof order->parameters, "%s", script_word(s, 3));
}

static void do_undomain(struct script *s)
{
    char uuid[UUID_TEXT_SIZE];
    script_device_uuid(s, script_word(s, 1), uuid);
    model_drop_domain(&s->model, uuid);
}

static void do_hold(struct script *s)
{
    script_device(s, script_word(s, 1))->group_open = true;
}

static void do_drop(struct script *s)
{
    script_device(s, script_word(s, 1))->group_open = false;
}

static void do_mdevctl(struct script *s)
{
    script_device(s, script_word(s, 1))->defined = true;
}

static void do_lose(struct script *s)
{
    model_remove_device(&s->model, script_device(s, script_word(s, 1))->uuid);
}

static void do_transit(struct script *s)
{
    struct model_device *d = script_device(s, script_word(s, 1));
    d->in_transition = true;
    d->uncounted = script_has_word(s, "uncounted");
    d->leaving = script_has_word(s, "leaving");
}

static void do_stray(struct script *s)
{
    do_transit(s);
    script_device(s, script_word(s, 1))->stray = true;
}

static void do_settled(struct script *s)
{
    struct model_device *d = script_device(s, script_word(s, 1));
    d->in_transition = d->stray = d->uncounted = d->leaving = false;
}

static void do_parameters(struct script *s)
{
    struct model_device *d = script_device(s, script_word(s, 1));
    const struct journal_device *entry = journal_find_device(s->model.journal, d->uuid);
    MODEL_SET(d->parameters, entry ? entry->consumer : d->uuid);
}

static void do_uncleared(struct script *s)
{
    script_device(s, script_word(s, 1))->uncleared =
        strcmp(s->words[0], "uncleared") == 0;
}

/* A reboot: the devices are gone, and the domains stay defined. */
static void do_reboot(struct script *s)
{
    s->model.device_count = 0;
    for (int i = 0; i < s->model.domain_count; i++)
        s->model.domains[i].running = false;
}

static void do_health(struct script *s)
{
    for (int i = GPU_OK; i <= GPU_UNREADABLE; i++)
        if (strcmp(script_word(s, 2), gpu_health_name(i)) == 0)
            s->model.gpus[model_gpu(&s->model, script_word(s, 1))].health = i;
}

static void do_absent(struct script *s)
{
    s->model.gpus[model_gpu(&s->model, script_word(s, 1))].absent = true;
}

static void do_present(struct script *s)
{
    s->model.gpus[model_gpu(&s->model, script_word(s, 1))].absent = false;
}

static void do_counts(struct script *s)
{
    s->model.gpus[model_gpu(&s->model, script_word(s, 1))].unreadable_count =
        script_has_word(s, "unreadable");
}

static void do_retype(struct script *s)
{
    int gpu = model_gpu(&s->model, script_word(s, 1));
    struct model_type *type =
        &s->model.gpus[gpu].types[script_type_index(s, gpu, script_word(s, 2))];
    snprintf(type->id, sizeof type->id, "nvidia-%s", script_word(s, 4));
}

/* ---- commands: configuration ---- */

static void add_address(struct model_config_type *type, const char *gpu)
{
    _cleanup_free_ char *address = xasprintf(
        "0000:%.2s:00.%d", gpu, strlen(gpu) > 2 ? script_integer(gpu + 3) + 1 : 0);
    stpcpy(type->addresses[type->address_count++], address);
}

static void do_type(struct script *s)
{
    struct model_config_type *type = &s->model.types[s->model.type_count++];
    *type = (struct model_config_type){
        .max_instances = (unsigned)script_number(s, "max", 0),
        .max_unit = (unsigned)script_number(s, "max_unit", 0)};
    const char *name = script_word(s, 1);
    snprintf(type->type, sizeof type->type, name[0] == 'T' ? "GRID %s" : "nvidia-%s",
             name);
    stpcpy(type->mdev_class,
           script_value(s, "class") ? script_value(s, "class") : "VGPU");
    if (script_value(s, "traits")) {
        _cleanup_strlist_ struct strlist traits =
            strlist_split(script_value(s, "traits"), ',');
        for (size_t i = 0; i < traits.count; i++)
            stpcpy(type->traits[type->trait_count++], traits.items[i]);
    }
    type->several = script_has_word(s, "several");
    type->mixed = script_has_word(s, "mixed");
    type->once = script_has_word(s, "once");
    for (int i = 2; i < s->word_count; i++)
        if (s->words[i][0] >= '0' && s->words[i][0] <= '9')
            add_address(type, s->words[i]);
}

static void do_notypes(struct script *s)
{
    s->model.type_count = 0;
}

/* "enable", "disable", and "unchosen", which forgets both. */
static void do_choose(struct script *s)
{
    struct model *m = &s->model;
    char line[MODEL_TEXT];
    snprintf(line, sizeof line, "0000:%s:00.0 nvidia-%s", script_word(s, 1),
             script_word(s, 2));
    int at = 0;
    while (at < m->choice_count && strcmp(m->choices[at].line, line) != 0)
        at++;
    if (at < m->choice_count)
        m->choices[at] = m->choices[--m->choice_count];
    if (strcmp(s->words[0], "unchosen") == 0)
        return;
    assert_true(m->choice_count < MODEL_LENGTH(m->choices));
    struct model_choice *choice = &m->choices[m->choice_count++];
    MODEL_SET(choice->line, line);
    choice->disabled = strcmp(s->words[0], "disable") == 0;
}

static void do_set(struct script *s)
{
    struct model *m = &s->model;
    if (script_value(s, "mode"))
        m->mode = strcmp(script_value(s, "mode"), "nova") == 0 ? MODE_NOVA : MODE_OWNER;
    if (script_value(s, "drain"))
        m->drain_reserve = strcmp(script_value(s, "drain"), "unused") == 0
                               ? DRAIN_UNUSED
                               : DRAIN_TOTAL;
    m->create_root = script_number(s, "create_root", m->create_root);
    m->prune = script_number(s, "prune", m->prune);
    m->old_server = script_number(s, "old_server", m->old_server);
    m->grace = (unsigned)script_number(s, "grace", (int)m->grace);
    m->unreachable = script_number(s, "blind", m->unreachable);
    m->use_unknown = script_number(s, "unknown", m->use_unknown);
    const char *now = script_value(s, "now");
    if (now)
        m->now =
            strchr("+-", *now) ? m->now + script_integer(now) : script_integer(now);
}

/* ---- commands: Placement ---- */

static struct model_allocation *find_allocation(struct model_provider *p,
                                                const char *consumer,
                                                const char *resource_class)
{
    for (int i = 0; i < p->allocation_count; i++)
        if (strcmp(p->allocations[i].consumer, consumer) == 0 &&
            strcmp(p->allocations[i].resource_class, resource_class) == 0)
            return &p->allocations[i];
    return NULL;
}

static void do_alloc(struct script *s)
{
    struct model_provider *p = script_provider(s, script_word(s, 1));
    const char *resource_class =
        script_value(s, "class") ? script_value(s, "class") : "VGPU";
    char consumer[UUID_TEXT_SIZE];
    script_named_uuid(s, script_word(s, 2), consumer);
    struct model_allocation *allocation = find_allocation(p, consumer, resource_class);
    if (!allocation) {
        allocation = &p->allocations[p->allocation_count++];
        uuid_text_copy(allocation->consumer, consumer);
        stpcpy(allocation->resource_class, resource_class);
    }
    allocation->amount = script_integer(script_word(s, 3));
    if (!allocation->amount)
        *allocation = p->allocations[--p->allocation_count];
    p->generation++;
}

static void do_rename(struct script *s)
{
    char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
    script_named_uuid(s, script_word(s, 1), from);
    script_named_uuid(s, script_word(s, 2), to);
    for (int i = 0; i < s->model.provider_count; i++)
        for (int j = 0; j < s->model.providers[i].allocation_count; j++) {
            char *consumer = s->model.providers[i].allocations[j].consumer;
            if (strcmp(consumer, from) == 0) {
                uuid_text_copy(consumer, to);
                s->model.providers[i].generation++;
            }
        }
}

static void do_provider(struct script *s)
{
    struct model_provider *p = &s->model.providers[s->model.provider_count++];
    *p = (struct model_provider){.generation = 3};
    _cleanup_free_ char *name = script_provider_name(s, script_word(s, 1));
    stpcpy(p->name, name);
    if (s->word_count > 2)
        script_named_uuid(s, script_word(s, 2), p->uuid);
    else
        uuid5_text(s->model.root_uuid, name, p->uuid);
}

static void do_unprovider(struct script *s)
{
    *script_provider(s, script_word(s, 1)) =
        s->model.providers[s->model.provider_count - 1];
    s->model.provider_count--;
}

static void do_undetailed(struct script *s)
{
    script_provider(s, script_word(s, 1))->undetailed = !script_has_word(s, "no");
}

static void do_newroot(struct script *s)
{
    script_named_uuid(s, "another root", s->model.root_uuid);
    s->model.provider_count = 0;
}

static void do_renameroot(struct script *s)
{
    stpcpy(s->model.root_name, script_word(s, 1));
}

static void do_noroot(struct script *s)
{
    s->model.root_missing = true;
    s->model.provider_count = 0;
}

static void know(struct model *model, const char *trait)
{
    for (int i = 0; i < model->known_trait_count; i++)
        if (strcmp(model->known_traits[i], trait) == 0)
            return;
    stpcpy(model->known_traits[model->known_trait_count++], trait);
}

static void do_known(struct script *s)
{
    know(&s->model, script_word(s, 1));
}

static void do_traits(struct script *s)
{
    struct model_provider *p = script_provider(s, script_word(s, 1));
    for (int i = 2; i < s->word_count; i++) {
        if (s->words[i][0] == '+') {
            know(&s->model, s->words[i] + 1);
            model_add_trait(p, s->words[i] + 1);
        } else if (strcmp(s->words[i], "none") == 0)
            p->trait_count = 0;
        else
            model_drop_trait(p, s->words[i] + 1);
    }
    p->generation++;
}

static void do_inventory(struct script *s)
{
    struct model_provider *p = script_provider(s, script_word(s, 1));
    struct model_inventory *inventory = model_inventory(p, script_word(s, 2));
    if (!inventory) {
        inventory = &p->inventories[p->inventory_count++];
        stpcpy(inventory->resource_class, script_word(s, 2));
        inventory->inventory = (struct inventory){1, 0, 1, 1, 1, 1.0};
    }
    struct inventory *i = &inventory->inventory;
    i->total = script_number(s, "total", (int)i->total);
    i->max_unit = script_number(s, "max_unit", (int)i->max_unit);
    i->step_size = script_number(s, "step", (int)i->step_size);
    i->reserved = script_number(s, "reserved", (int)i->reserved);
    if (script_value(s, "ratio"))
        i->allocation_ratio = strtod(script_value(s, "ratio"), NULL);
    p->generation++;
}

static void do_noinventory(struct script *s)
{
    struct model_provider *p = script_provider(s, script_word(s, 1));
    struct model_inventory *inventory = model_inventory(p, script_word(s, 2));
    *inventory = p->inventories[--p->inventory_count];
    p->generation++;
}

/* ---- commands: the journal ---- */

static void drain(struct script *s, bool drained)
{
    s->model.gpus[model_gpu(&s->model, script_word(s, 1))].drained = drained;
}

static void do_drain(struct script *s)
{
    drain(s, true);
}

static void do_undrain(struct script *s)
{
    drain(s, false);
}

static void do_journal(struct script *s)
{
    journal_free(s->model.journal);
    s->model.journal = journal_new();
    s->model.journal->rebuilding = script_has_word(s, "lost");
}

static void do_adopt(struct script *s)
{
    journal_put_root(s->model.journal, s->model.root_uuid, s->model.root_name);
}

static void do_unbind(struct script *s)
{
    s->model.journal->root[0] = 0;
}

static void do_then(struct script *s)
{
    (void)s;
}

static void do_settle(struct script *s)
{
    model_settle(&s->model);
}

/* ---- the table of commands ---- */

static const struct script_command commands[] = {
    {"gpu", do_gpu, false},
    {"mdev", do_mdev, false},
    {"domain", do_domain, false},
    {"running", do_domain, false},
    {"also", do_also, false},
    {"bare", do_bare, false},
    {"asked", do_asked, false},
    {"order", do_order, false},
    {"undomain", do_undomain, false},
    {"hold", do_hold, false},
    {"drop", do_drop, false},
    {"mdevctl", do_mdevctl, false},
    {"lose", do_lose, false},
    {"transit", do_transit, false},
    {"stray", do_stray, false},
    {"settled", do_settled, false},
    {"parameters", do_parameters, false},
    {"uncleared", do_uncleared, false},
    {"clearable", do_uncleared, false},
    {"reboot", do_reboot, false},
    {"health", do_health, false},
    {"absent", do_absent, false},
    {"present", do_present, false},
    {"counts", do_counts, false},
    {"retype", do_retype, false},
    {"type", do_type, false},
    {"notypes", do_notypes, false},
    {"enable", do_choose, false},
    {"disable", do_choose, false},
    {"unchosen", do_choose, false},
    {"set", do_set, false},
    {"alloc", do_alloc, false},
    {"rename", do_rename, false},
    {"provider", do_provider, false},
    {"unprovider", do_unprovider, false},
    {"undetailed", do_undetailed, false},
    {"newroot", do_newroot, false},
    {"noroot", do_noroot, false},
    {"renameroot", do_renameroot, false},
    {"known", do_known, false},
    {"traits", do_traits, false},
    {"inventory", do_inventory, false},
    {"noinventory", do_noinventory, false},
    {"drain", do_drain, false},
    {"undrain", do_undrain, false},
    {"journal", do_journal, false},
    {"adopt", do_adopt, false},
    {"unbind", do_unbind, false},
    {"settle", do_settle, false},
    {"then", do_then, true},
};

const struct script_command *script_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
