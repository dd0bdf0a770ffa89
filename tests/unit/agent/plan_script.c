#include "tests/unit/agent/plan_script.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/plan_text.h"
#include "lib/xalloc.h"
#include "tests/unit/agent/plan_model_execute.h"
#include "tests/unit/agent/plan_model_look.h"
#include "tests/unit/test.h"

#define MAX_WORDS 16

struct script {
    const struct plan_case *running;
    int line;
    struct model model;
    struct plan *seen; /* the last plan; its steps have been executed when `spent` */
    bool spent;
    struct strlist expected; /* "=>" lines since the last other line */
    struct strlist labels, label_uuids;
    int word_count;
    char *words[MAX_WORDS];
};

static void wrong(const struct script *s, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

static void wrong(const struct script *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "case \"%s\", line %d: ", s->running->name, s->line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    fail();
    abort();
}

static int integer(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

/* ---- names for uuids ---- */

static void label(struct script *s, const char *uuid, const char *text)
{
    for (size_t i = 0; i < s->label_uuids.count; i++)
        if (strcmp(s->label_uuids.items[i], uuid) == 0)
            return;
    strlist_add(&s->label_uuids, uuid);
    strlist_add(&s->labels, text);
}

static const char *label_of(const struct script *s, const char *uuid)
{
    for (size_t i = 0; i < s->label_uuids.count; i++)
        if (strcmp(s->label_uuids.items[i], uuid) == 0)
            return s->labels.items[i];
    return uuid;
}

/* Its first digits are the name's own, so that uuids sort as names do. */
static void named_uuid(struct script *s, const char *name, char out[UUID_TEXT_SIZE])
{
    uuid5_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8", name, out);
    char digits[8];
    snprintf(digits, sizeof digits, "%02x%02x", name[0], name[1]);
    memcpy(out, digits, 4);
    label(s, out, name);
}

/* "84", "84.2" for a VF; "old:84" below the root's former name. */
static char *provider_name(const struct script *s, const char *gpu)
{
    const char *root = s->model.root_name;
    if (strncmp(gpu, "old:", 4) == 0) {
        root = "host";
        gpu += 4;
    }
    return strlen(gpu) == 2
               ? xasprintf("%s_pci_0000_%s_00_0", root, gpu)
               : xasprintf("%s_pci_0000_%.2s_00_%d", root, gpu, integer(gpu + 3) + 1);
}

static char *gpu_of_provider(const struct script *s, const char *name)
{
    const char *digits = strstr(name, "_pci_0000_");
    if (!digits)
        return xstrdup(name);
    digits += strlen("_pci_0000_");
    size_t length = strlen(s->model.root_name);
    bool old = strncmp(name, s->model.root_name, length) != 0 || name[length] != '_';
    int function = digits[6] - '0';
    return function ? xasprintf("%s%.2s.%d", old ? "old:" : "", digits, function - 1)
                    : xasprintf("%s%.2s", old ? "old:" : "", digits);
}

static struct model_provider *provider(struct script *s, const char *gpu)
{
    _cleanup_free_ char *name = provider_name(s, gpu);
    struct model_provider *found = model_provider_named(&s->model, name);
    if (!found)
        wrong(s, "no provider %s", name);
    return found;
}

/* A device by its name: "d1", or "c1.0@84". */
static void device_uuid(struct script *s, const char *name, char out[UUID_TEXT_SIZE])
{
    const char *dot = strchr(name, '.'), *at = strchr(name, '@');
    if (!dot || !at) {
        named_uuid(s, name, out);
        return;
    }
    _cleanup_free_ char *consumer = xstrndup(name, (size_t)(dot - name));
    char consumer_uuid[UUID_TEXT_SIZE];
    named_uuid(s, consumer, consumer_uuid);
    _cleanup_free_ char *parent = provider_name(s, at + 1);
    struct model_provider *owner = model_provider_named(&s->model, parent);
    char space[UUID_TEXT_SIZE];
    if (owner)
        stpcpy(space, owner->uuid);
    else
        uuid5_text(s->model.root_uuid, parent, space);
    _cleanup_free_ char *text =
        xasprintf("%s:VGPU:%d", consumer_uuid, integer(dot + 1));
    uuid5_text(space, text, out);
    label(s, out, name);
}

static struct model_device *device(struct script *s, const char *name)
{
    char uuid[UUID_TEXT_SIZE];
    device_uuid(s, name, uuid);
    struct model_device *found = model_device(&s->model, uuid);
    if (!found)
        wrong(s, "no device %s", name);
    return found;
}

/* ---- words ---- */

static const char *word(const struct script *s, int index)
{
    if (index >= s->word_count)
        wrong(s, "too few words");
    return s->words[index];
}

/* The value of "key=value" among the words, or NULL. */
static const char *value(const struct script *s, const char *key)
{
    size_t length = strlen(key);
    for (int i = 1; i < s->word_count; i++)
        if (strncmp(s->words[i], key, length) == 0 && s->words[i][length] == '=')
            return s->words[i] + length + 1;
    return NULL;
}

static int number(const struct script *s, const char *key, int otherwise)
{
    const char *text = value(s, key);
    return text ? integer(text) : otherwise;
}

static bool has_word(const struct script *s, const char *text)
{
    for (int i = 1; i < s->word_count; i++)
        if (strcmp(s->words[i], text) == 0)
            return true;
    return false;
}

static int type_index(const struct script *s, int gpu, const char *type)
{
    for (int i = 0; i < s->model.gpus[gpu].type_count; i++)
        if (strcmp(s->model.gpus[gpu].types[i].id + strlen("nvidia-"), type) == 0)
            return i;
    wrong(s, "no type %s", type);
}

/* ---- commands: the host ---- */

static void do_gpu(struct script *s)
{
    struct model_gpu *gpu = &s->model.gpus[s->model.gpu_count++];
    *gpu =
        (struct model_gpu){.vfs = number(s, "vfs", 0), .mixed = has_word(s, "mixed")};
    stpcpy(gpu->name, word(s, 1));
    for (int i = 2; i < s->word_count; i++) {
        const char *colon = strchr(s->words[i], ':');
        if (!colon)
            continue;
        struct model_type *type = &gpu->types[gpu->type_count++];
        int length = (int)(colon - s->words[i]);
        snprintf(type->id, sizeof type->id, "nvidia-%.*s", length, s->words[i]);
        snprintf(type->name, sizeof type->name, "GRID T-%.*s", length, s->words[i]);
        type->capacity = integer(colon + 1);
    }
}

static void do_mdev(struct script *s)
{
    char uuid[UUID_TEXT_SIZE];
    named_uuid(s, word(s, 1), uuid);
    int gpu = model_gpu(&s->model, word(s, 2));
    if (!model_add_device(&s->model, uuid, gpu, number(s, "vf", -1),
                          type_index(s, gpu, word(s, 3))))
        wrong(s, "no room for it");
}

static void do_domain(struct script *s)
{
    char uuid[UUID_TEXT_SIZE], named[UUID_TEXT_SIZE];
    named_uuid(s, word(s, 1), uuid);
    device_uuid(s, word(s, 2), named);
    model_add_domain(&s->model, uuid, named, strcmp(s->words[0], "running") == 0);
}

static void do_undomain(struct script *s)
{
    char uuid[UUID_TEXT_SIZE];
    device_uuid(s, word(s, 1), uuid);
    model_drop_domain(&s->model, uuid);
}

static void do_hold(struct script *s)
{
    device(s, word(s, 1))->group_open = true;
}

static void do_drop(struct script *s)
{
    device(s, word(s, 1))->group_open = false;
}

static void do_mdevctl(struct script *s)
{
    device(s, word(s, 1))->defined = true;
}

static void do_lose(struct script *s)
{
    model_remove_device(&s->model, device(s, word(s, 1))->uuid);
}

static void do_transit(struct script *s)
{
    struct model_device *d = device(s, word(s, 1));
    d->in_transition = true;
    d->uncounted = has_word(s, "uncounted");
    d->leaving = has_word(s, "leaving");
}

static void do_stray(struct script *s)
{
    do_transit(s);
    device(s, word(s, 1))->stray = true;
}

static void do_settled(struct script *s)
{
    struct model_device *d = device(s, word(s, 1));
    d->in_transition = d->stray = d->uncounted = d->leaving = false;
}

/* Domains stay defined. */
static void do_reboot(struct script *s)
{
    s->model.device_count = 0;
    for (int i = 0; i < s->model.domain_count; i++)
        s->model.domains[i].running = false;
}

static void do_health(struct script *s)
{
    for (int i = GPU_OK; i <= GPU_UNREADABLE; i++)
        if (strcmp(word(s, 2), gpu_health_name(i)) == 0)
            s->model.gpus[model_gpu(&s->model, word(s, 1))].health = i;
}

static void do_absent(struct script *s)
{
    s->model.gpus[model_gpu(&s->model, word(s, 1))].absent = true;
}

static void do_present(struct script *s)
{
    s->model.gpus[model_gpu(&s->model, word(s, 1))].absent = false;
}

static void do_counts(struct script *s)
{
    s->model.gpus[model_gpu(&s->model, word(s, 1))].unreadable_count =
        has_word(s, "unreadable");
}

static void do_retype(struct script *s)
{
    int gpu = model_gpu(&s->model, word(s, 1));
    struct model_type *type = &s->model.gpus[gpu].types[type_index(s, gpu, word(s, 2))];
    snprintf(type->id, sizeof type->id, "nvidia-%s", word(s, 4));
}

/* ---- commands: configuration ---- */

static void add_address(struct model_config_type *type, const char *gpu)
{
    _cleanup_free_ char *address =
        xasprintf("0000:%.2s:00.%d", gpu, strlen(gpu) > 2 ? integer(gpu + 3) + 1 : 0);
    stpcpy(type->addresses[type->address_count++], address);
}

static void do_type(struct script *s)
{
    struct model_config_type *type = &s->model.types[s->model.type_count++];
    *type = (struct model_config_type){.max_instances = (unsigned)number(s, "max", 0)};
    const char *name = word(s, 1);
    snprintf(type->type, sizeof type->type, name[0] == 'T' ? "GRID %s" : "nvidia-%s",
             name);
    stpcpy(type->mdev_class, value(s, "class") ? value(s, "class") : "VGPU");
    if (value(s, "traits")) {
        _cleanup_strlist_ struct strlist traits =
            strlist_split(value(s, "traits"), ',');
        for (size_t i = 0; i < traits.count; i++)
            stpcpy(type->traits[type->trait_count++], traits.items[i]);
    }
    for (int i = 2; i < s->word_count; i++)
        if (!strchr(s->words[i], '='))
            add_address(type, s->words[i]);
}

static void do_notypes(struct script *s)
{
    s->model.type_count = 0;
}

static void do_set(struct script *s)
{
    struct model *m = &s->model;
    if (value(s, "mode"))
        m->mode = strcmp(value(s, "mode"), "nova") == 0 ? MODE_NOVA : MODE_OWNER;
    m->create_root = number(s, "create_root", m->create_root);
    m->take_over = number(s, "take_over", m->take_over);
    m->prune = number(s, "prune", m->prune);
    m->old_server = number(s, "old_server", m->old_server);
    m->grace = (unsigned)number(s, "grace", (int)m->grace);
    m->unreachable = number(s, "blind", m->unreachable);
    m->use_unknown = number(s, "unknown", m->use_unknown);
    const char *now = value(s, "now");
    if (now)
        m->now = strchr("+-", *now) ? m->now + integer(now) : integer(now);
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
    struct model_provider *p = provider(s, word(s, 1));
    const char *resource_class = value(s, "class") ? value(s, "class") : "VGPU";
    char consumer[UUID_TEXT_SIZE];
    named_uuid(s, word(s, 2), consumer);
    struct model_allocation *allocation = find_allocation(p, consumer, resource_class);
    if (!allocation) {
        allocation = &p->allocations[p->allocation_count++];
        stpcpy(allocation->consumer, consumer);
        stpcpy(allocation->resource_class, resource_class);
    }
    allocation->amount = integer(word(s, 3));
    if (!allocation->amount)
        *allocation = p->allocations[--p->allocation_count];
    p->generation++;
}

static void do_rename(struct script *s)
{
    char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
    named_uuid(s, word(s, 1), from);
    named_uuid(s, word(s, 2), to);
    for (int i = 0; i < s->model.provider_count; i++)
        for (int j = 0; j < s->model.providers[i].allocation_count; j++) {
            char *consumer = s->model.providers[i].allocations[j].consumer;
            if (strcmp(consumer, from) == 0) {
                stpcpy(consumer, to);
                s->model.providers[i].generation++;
            }
        }
}

static void do_provider(struct script *s)
{
    struct model_provider *p = &s->model.providers[s->model.provider_count++];
    *p = (struct model_provider){.generation = 3};
    _cleanup_free_ char *name = provider_name(s, word(s, 1));
    stpcpy(p->name, name);
    if (s->word_count > 2)
        named_uuid(s, word(s, 2), p->uuid);
    else
        uuid5_text(s->model.root_uuid, name, p->uuid);
}

static void do_unprovider(struct script *s)
{
    *provider(s, word(s, 1)) = s->model.providers[s->model.provider_count - 1];
    s->model.provider_count--;
}

static void do_undetailed(struct script *s)
{
    provider(s, word(s, 1))->undetailed = !has_word(s, "no");
}

static void do_newroot(struct script *s)
{
    named_uuid(s, "another root", s->model.root_uuid);
    s->model.provider_count = 0;
}

static void do_renameroot(struct script *s)
{
    stpcpy(s->model.root_name, word(s, 1));
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
    know(&s->model, word(s, 1));
}

static void do_traits(struct script *s)
{
    struct model_provider *p = provider(s, word(s, 1));
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
    struct model_provider *p = provider(s, word(s, 1));
    struct model_inventory *inventory = model_inventory(p, word(s, 2));
    if (!inventory) {
        inventory = &p->inventories[p->inventory_count++];
        stpcpy(inventory->resource_class, word(s, 2));
        inventory->inventory = (struct inventory){1, 0, 1, 1, 1, 1.0};
    }
    struct inventory *i = &inventory->inventory;
    i->total = number(s, "total", (int)i->total);
    i->max_unit = number(s, "max_unit", (int)i->max_unit);
    i->reserved = number(s, "reserved", (int)i->reserved);
    if (value(s, "ratio"))
        i->allocation_ratio = strtod(value(s, "ratio"), NULL);
    p->generation++;
}

static void do_noinventory(struct script *s)
{
    struct model_provider *p = provider(s, word(s, 1));
    struct model_inventory *inventory = model_inventory(p, word(s, 2));
    *inventory = p->inventories[--p->inventory_count];
    p->generation++;
}

/* ---- commands: the journal ---- */

static void drain(struct script *s, bool drained)
{
    s->model.gpus[model_gpu(&s->model, word(s, 1))].drained = drained;
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
    s->model.journal->rebuilding = has_word(s, "lost");
}

static void do_then(struct script *s)
{
    (void)s;
}

static void do_settle(struct script *s)
{
    model_settle(&s->model);
}

/* ---- a plan in words ---- */

static char *gpu_text(const struct script *s, const struct step *step)
{
    return step->provider_name ? gpu_of_provider(s, step->provider_name) : xstrdup("-");
}

static char *traits_text(const struct script *s, const struct step *step)
{
    _cleanup_strlist_ struct strlist parts = {0};
    struct model_provider nothing = {0};
    struct model_provider *p =
        model_provider((struct model *)&s->model, step->provider);
    if (!p)
        p = &nothing;
    for (size_t i = 0; i < step->traits.count; i++)
        if (!model_has_trait(p, step->traits.items[i]))
            strlist_add_take(&parts, xasprintf("+%s", step->traits.items[i]));
    for (int i = 0; i < p->trait_count; i++)
        if (!strlist_contains(&step->traits, p->traits[i]))
            strlist_add_take(&parts, xasprintf("-%s", p->traits[i]));
    strlist_sort(&parts);
    return strlist_join(&parts, " ");
}

static char *inventory_text(const struct step *step)
{
    _cleanup_strlist_ struct strlist parts = {0};
    for (size_t i = 0; i < step->inventory_count; i++) {
        const struct inventory *inventory = &step->inventories[i].inventory;
        _cleanup_free_ char *reserved =
            inventory->reserved ? xasprintf("/%ld", (long)inventory->reserved)
                                : xstrdup("");
        _cleanup_free_ char *ratio = inventory->allocation_ratio != 1.0
                                         ? xasprintf("*%g", inventory->allocation_ratio)
                                         : xstrdup("");
        strlist_add_take(&parts,
                         xasprintf("%s=%ld%s%s", step->inventories[i].resource_class,
                                   (long)inventory->total, reserved, ratio));
    }
    return parts.count ? strlist_join(&parts, " ") : xstrdup("none");
}

/* Finds the name "c1.0@84" of a computed uuid, of whatever consumer and provider. */
static void label_device(struct script *s, const char *uuid)
{
    for (size_t i = 0; i < s->labels.count; i++)
        for (int p = 0; p < s->model.provider_count; p++)
            for (int index = 0; index < 4; index++) {
                _cleanup_free_ char *gpu =
                    gpu_of_provider(s, s->model.providers[p].name);
                _cleanup_free_ char *name =
                    xasprintf("%s.%d@%s", s->labels.items[i], index, gpu);
                char computed[UUID_TEXT_SIZE];
                _cleanup_free_ char *text =
                    xasprintf("%s:VGPU:%d", s->label_uuids.items[i], index);
                uuid5_text(s->model.providers[p].uuid, text, computed);
                if (strcmp(computed, uuid) == 0)
                    label(s, uuid, name);
            }
}

static char *step_words(struct script *s, const struct step *step)
{
    _cleanup_free_ char *gpu = gpu_text(s, step), *detail = NULL;
    const struct journal_device *d = &step->device;
    if (d->uuid[0])
        label_device(s, d->uuid);
    const char *name = d->uuid[0] ? label_of(s, d->uuid) : "";
    switch (step->kind) {
    case STEP_CREATE_TRAIT:
        return xasprintf("trait %s", step->name);
    case STEP_CREATE_CLASS:
        return xasprintf("class %s", step->name);
    case STEP_CREATE_ROOT:
        return xstrdup("root");
    case STEP_CREATE_PROVIDER:
        return xasprintf("provider %s", gpu);
    case STEP_DELETE_PROVIDER:
        return xasprintf("delete %s", gpu);
    case STEP_NOTE_PROVIDER:
        return xasprintf("note %s", gpu);
    case STEP_FORGET_PROVIDER:
        return xasprintf("forgetprovider %s", gpu);
    case STEP_END_REBUILD:
        return xstrdup("rebuilt");
    case STEP_SET_TRAITS:
        detail = traits_text(s, step);
        return xasprintf("traits %s %s", gpu, detail);
    case STEP_SET_INVENTORY:
        detail = inventory_text(step);
        return xasprintf("inventory %s %s", gpu, detail);
    case STEP_CREATE_DEVICE:
        detail = d->parent[11] != '0' ? xasprintf(" vf=%d", d->parent[11] - '1')
                                      : xstrdup("");
        return xasprintf("create %s %s%s", name, d->type_id + strlen("nvidia-"),
                         detail);
    case STEP_REMOVE_DEVICE:
        return xasprintf("remove %s", name);
    case STEP_MARK_RELEASED:
        return xasprintf("release %s", name);
    case STEP_FORGET_DEVICE:
        return xasprintf("forget %s", name);
    case STEP_TAKE_DEVICE:
        return xasprintf("take %s %s.%u%s", name, label_of(s, d->consumer), d->index,
                         d->adopted ? " adopted" : "");
    }
    return NULL;
}

/* ---- expectations ---- */

/* The plan for the world as it is; kept until a command changes the world. */
static struct plan *look(struct script *s)
{
    if (!s->seen)
        s->seen = model_plan(&s->model);
    return s->seen;
}

static void forget_plan(struct script *s)
{
    if (s->seen)
        plan_free(s->seen);
    s->seen = NULL;
}

static void check_steps(struct script *s)
{
    if (!s->expected.count)
        return;
    forget_plan(s);
    struct plan *next = look(s);
    _cleanup_strlist_ struct strlist steps = {0};
    for (size_t i = 0; i < next->step_count; i++)
        strlist_add_take(&steps, step_words(s, &next->steps[i]));
    if (!steps.count)
        strlist_add(&steps, "nothing");
    if (!strlist_equal(&steps, &s->expected)) {
        _cleanup_free_ char *got = strlist_join(&steps, "\n  => ");
        _cleanup_free_ char *wanted = strlist_join(&s->expected, "\n  => ");
        wrong(s, "planned\n  => %s\nbut expected\n  => %s", got, wanted);
    }
    model_execute(&s->model, next, next->step_count);
    strlist_clear(&s->expected);
}

static void check_allocation(struct script *s, const char *text)
{
    char consumer[16] = "", state[16] = "", reason[80] = "";
    sscanf(text, "%15s %15s %79[^\n]", consumer, state, reason);
    char uuid[UUID_TEXT_SIZE];
    named_uuid(s, consumer, uuid);
    const struct plan *next = look(s);
    for (size_t i = 0; i < next->allocation_count; i++) {
        const struct allocation_status *a = &next->allocations[i];
        _cleanup_free_ char *name = xstrdup(allocation_state_name(a->state));
        if (strchr(name, ' '))
            *strchr(name, ' ') = '-';
        if (strcmp(a->consumer, uuid) != 0)
            continue;
        if (strcmp(name, state) == 0 &&
            (!*reason || (a->reason && strstr(a->reason, reason))))
            return;
        wrong(s, "%s is %s (%s)", consumer, name, a->reason ? a->reason : "");
    }
    if (strcmp(state, "unknown") != 0)
        wrong(s, "%s has no allocation", consumer);
}

static void check_problem(struct script *s, const char *text)
{
    const struct plan *next = look(s);
    for (size_t i = 0; i < next->problems.count; i++)
        if (strstr(next->problems.items[i], text))
            return;
    if (strcmp(text, "none") == 0 && !next->problems.count)
        return;
    _cleanup_free_ char *all = strlist_join(&next->problems, "\n  ");
    wrong(s, "no problem \"%s\" in\n  %s", text, all);
}

static void do_use(struct script *s)
{
    forget_plan(s);
    look(s);
    if (s->model.use_was_needed != has_word(s, "needed"))
        wrong(s, "use was %sneeded", s->model.use_was_needed ? "" : "not ");
}

static void do_whose(struct script *s)
{
    char uuid[UUID_TEXT_SIZE], consumer[UUID_TEXT_SIZE];
    device_uuid(s, word(s, 1), uuid);
    named_uuid(s, word(s, 2), consumer);
    const struct journal_device *entry = journal_find_device(s->model.journal, uuid);
    if (!entry || strcmp(entry->consumer, consumer) != 0)
        wrong(s, "it is %s's", entry ? label_of(s, entry->consumer) : "nobody");
}

static void do_wake(struct script *s)
{
    int64_t wake_at = look(s)->wake_at;
    if (wake_at != (has_word(s, "none") ? 0 : integer(word(s, 1))))
        wrong(s, "wakes at %ld", (long)wake_at);
}

/* ---- the interpreter ---- */

static const struct command_of_script {
    const char *name;
    void (*run)(struct script *s);
    bool looks; /* it leaves the world as it is */
} commands[] = {
    {"gpu", do_gpu, false},
    {"mdev", do_mdev, false},
    {"domain", do_domain, false},
    {"running", do_domain, false},
    {"undomain", do_undomain, false},
    {"hold", do_hold, false},
    {"drop", do_drop, false},
    {"mdevctl", do_mdevctl, false},
    {"lose", do_lose, false},
    {"transit", do_transit, false},
    {"stray", do_stray, false},
    {"settled", do_settled, false},
    {"reboot", do_reboot, false},
    {"health", do_health, false},
    {"absent", do_absent, false},
    {"present", do_present, false},
    {"counts", do_counts, false},
    {"retype", do_retype, false},
    {"type", do_type, false},
    {"notypes", do_notypes, false},
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
    {"settle", do_settle, false},
    {"then", do_then, true},
    {"use", do_use, true},
    {"wake", do_wake, true},
    {"whose", do_whose, true},
};

static void run_command(struct script *s)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, s->words[0]) != 0)
            continue;
        if (!commands[i].looks)
            forget_plan(s);
        commands[i].run(s);
        return;
    }
    wrong(s, "no command %s", s->words[0]);
}

static void split_words(struct script *s, char *line)
{
    s->word_count = 0;
    char *state = NULL;
    for (char *w = strtok_r(line, " ", &state); w && s->word_count < MAX_WORDS;
         w = strtok_r(NULL, " ", &state))
        s->words[s->word_count++] = w;
}

static void run_line(struct script *s, char *line)
{
    if (strcmp(line, "=> nothing") == 0)
        check_steps(s);
    if (strncmp(line, "=> ", 3) == 0) {
        strlist_add(&s->expected, line + 3);
        return;
    }
    check_steps(s);
    if (strncmp(line, "? ", 2) == 0)
        check_allocation(s, line + 2);
    else if (strncmp(line, "! ", 2) == 0)
        check_problem(s, line + 2);
    else {
        split_words(s, line);
        run_command(s);
    }
}

static void run_case(const struct plan_case *running)
{
    struct script s = {.running = running};
    model_init(&s.model);
    _cleanup_free_ char *text = xstrdup(running->script);
    char *state = NULL;
    for (char *line = strtok_r(text, "\n", &state); line;
         line = strtok_r(NULL, "\n", &state)) {
        s.line++;
        line += strspn(line, " ");
        run_line(&s, line);
    }
    check_steps(&s);
    forget_plan(&s);
    model_settle(&s.model);
    model_clear(&s.model);
    strlist_clear(&s.labels);
    strlist_clear(&s.label_uuids);
}

void plan_cases_run(const struct plan_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_case(&cases[i]);
}
