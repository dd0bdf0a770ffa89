#include "agent/state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/state/journal_read.h"
#include "agent/state/journal_write.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define MAX_SIZE (16 << 20)

/* ---- entries ---- */

void journal_device_clear(struct journal_device *device)
{
    free(device->resource_class);
    free(device->gpu);
    free(device->parent);
    free(device->type_id);
    free(device->type_name);
    free(device->parameters);
    free(device->former);
    *device = (struct journal_device){0};
}

static void clear_inventories(struct journal_provider *provider)
{
    for (size_t i = 0; i < provider->inventory_count; i++)
        free(provider->inventories[i].resource_class);
    free(provider->inventories);
}

void journal_provider_clear(struct journal_provider *provider)
{
    free(provider->name);
    free(provider->gpu);
    strlist_clear(&provider->traits);
    clear_inventories(provider);
    *provider = (struct journal_provider){0};
}

struct journal_device journal_device_copy(const struct journal_device *device)
{
    struct journal_device copy = *device;
    copy.resource_class = xstrdup(device->resource_class);
    copy.gpu = xstrdup(device->gpu);
    copy.parent = xstrdup(device->parent);
    copy.type_id = xstrdup(device->type_id);
    copy.type_name = xstrdup(device->type_name);
    copy.parameters = xstrdup(device->parameters);
    copy.former = xstrdup(device->former);
    return copy;
}

struct journal_provider journal_provider_copy(const struct journal_provider *provider)
{
    struct journal_provider copy = *provider;
    copy.name = xstrdup(provider->name);
    copy.gpu = xstrdup(provider->gpu);
    copy.traits = strlist_copy(&provider->traits);
    copy.inventories = NULL;
    copy.inventory_count = 0;
    for (size_t i = 0; i < provider->inventory_count; i++)
        journal_put_inventory(&copy, &provider->inventories[i]);
    return copy;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool journal_device_equal(const struct journal_device *a,
                          const struct journal_device *b)
{
    return same(a->uuid, b->uuid) && same(a->backend, b->backend) &&
           same(a->address, b->address) && same(a->provider, b->provider) &&
           same(a->consumer, b->consumer) &&
           same(a->resource_class, b->resource_class) && a->index == b->index &&
           same(a->gpu, b->gpu) && same(a->parent, b->parent) &&
           same(a->type_id, b->type_id) && same(a->type_name, b->type_name) &&
           same(a->migration, b->migration) && a->adopted == b->adopted &&
           a->by_hand == b->by_hand && same(a->parameters, b->parameters) &&
           same(a->former, b->former) && a->parameters_due == b->parameters_due &&
           a->released_at == b->released_at;
}

static bool inventories_equal(const struct journal_provider *a,
                              const struct journal_provider *b)
{
    if (a->inventory_count != b->inventory_count)
        return false;
    for (size_t i = 0; i < a->inventory_count; i++) {
        const struct journal_inventory *x = &a->inventories[i];
        const struct journal_inventory *y =
            journal_find_inventory(b, x->resource_class);
        if (!y || x->overruled != y->overruled || x->follows_use != y->follows_use ||
            x->operators_reserved != y->operators_reserved ||
            x->operators_ratio != y->operators_ratio ||
            x->operators_max_unit != y->operators_max_unit ||
            x->files_max_unit != y->files_max_unit)
            return false;
    }
    return true;
}

bool journal_provider_equal(const struct journal_provider *a,
                            const struct journal_provider *b)
{
    return same(a->uuid, b->uuid) && same(a->name, b->name) && same(a->gpu, b->gpu) &&
           strlist_equal(&a->traits, &b->traits) && inventories_equal(a, b);
}

struct journal_inventory *
journal_find_inventory(const struct journal_provider *provider,
                       const char *resource_class)
{
    for (size_t i = 0; i < provider->inventory_count; i++)
        if (same(provider->inventories[i].resource_class, resource_class))
            return &provider->inventories[i];
    return NULL;
}

void journal_put_inventory(struct journal_provider *provider,
                           const struct journal_inventory *inventory)
{
    struct journal_inventory *entry =
        journal_find_inventory(provider, inventory->resource_class);
    if (!entry) {
        entry = array_add(provider->inventories, provider->inventory_count);
        entry->resource_class = xstrdup(inventory->resource_class);
    }
    entry->overruled = inventory->overruled;
    entry->follows_use = inventory->follows_use;
    entry->operators_reserved = inventory->operators_reserved;
    entry->operators_ratio = inventory->operators_ratio;
    entry->operators_max_unit = inventory->operators_max_unit;
    entry->files_max_unit = inventory->files_max_unit;
}

/* ---- the journal ---- */

struct journal *journal_new(void)
{
    return xcalloc(1, sizeof(struct journal));
}

static void clear_type(struct journal_type *type)
{
    free(type->id);
    free(type->name);
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    for (size_t i = 0; i < journal->provider_count; i++)
        journal_provider_clear(&journal->providers[i]);
    free(journal->providers);
    for (size_t i = 0; i < journal->device_count; i++)
        journal_device_clear(&journal->devices[i]);
    free(journal->devices);
    for (size_t i = 0; i < journal->type_count; i++)
        clear_type(&journal->types[i]);
    free(journal->types);
    strlist_clear(&journal->made_traits);
    strlist_clear(&journal->made_classes);
    for (size_t i = 0; i < journal->spent_count; i++)
        free(journal->spent[i].gpu);
    free(journal->spent);
    free(journal->seen);
    free(journal->root_name);
    free(journal);
}

bool journal_put_root(struct journal *journal, const char *uuid, const char *name)
{
    if (same(journal->root, uuid) && same(journal->root_name, name))
        return false;
    if (*journal->root && !same(journal->root, uuid)) {
        free(journal->seen);
        journal->seen = NULL;
        journal->seen_count = 0;
        journal->doubted_since = 0;
    }
    uuid_text_copy(journal->root, uuid);
    char *copy = xstrdup(name);
    free(journal->root_name);
    journal->root_name = copy;
    return true;
}

struct journal_device *journal_find_device(const struct journal *journal,
                                           const char *uuid)
{
    for (size_t i = 0; i < journal->device_count; i++)
        if (strcmp(journal->devices[i].uuid, uuid) == 0)
            return &journal->devices[i];
    return NULL;
}

struct journal_device *journal_find_device_at(const struct journal *journal,
                                              const char *backend, const char *address)
{
    for (size_t i = 0; *address && i < journal->device_count; i++)
        if (strcmp(journal->devices[i].address, address) == 0 &&
            strcmp(journal->devices[i].backend, backend) == 0)
            return &journal->devices[i];
    return NULL;
}

/* A type that has another id by now, with a new driver or another configuration, still
 * has its name. */
static bool is_of_type(const struct device *device, const struct parent *parent,
                       const struct journal_device *entry)
{
    const struct device_type *type =
        parent ? parent_type(parent, device->type_id) : NULL;
    return strcmp(device->type_id, entry->type_id) == 0 ||
           (type && type->name && entry->type_name &&
            strcmp(type->name, entry->type_name) == 0);
}

bool journal_device_may_be(const struct journal_device *entry,
                           const struct device *device, const struct parent *parent)
{
    return *device->uuid || !device->type_id || is_of_type(device, parent, entry);
}

bool journal_device_is_cut(const struct journal_device *entry)
{
    return !entry->adopted && strcmp(entry->consumer, CUT_CONSUMER) == 0;
}

struct journal_provider *journal_find_provider(const struct journal *journal,
                                               const char *uuid)
{
    for (size_t i = 0; i < journal->provider_count; i++)
        if (strcmp(journal->providers[i].uuid, uuid) == 0)
            return &journal->providers[i];
    return NULL;
}

bool journal_put_device(struct journal *journal, const struct journal_device *device)
{
    struct journal_device *old = journal_find_device(journal, device->uuid);
    if (old && journal_device_equal(old, device))
        return false;
    struct journal_device copy = journal_device_copy(device);
    if (old)
        journal_device_clear(old);
    else
        old = array_add(journal->devices, journal->device_count);
    *old = copy;
    return true;
}

bool journal_drop_device(struct journal *journal, const char *uuid)
{
    struct journal_device *old = journal_find_device(journal, uuid);
    if (!old)
        return false;
    journal_device_clear(old);
    size_t after = journal->device_count - (size_t)(old - journal->devices) - 1;
    memmove(old, old + 1, after * sizeof *old);
    journal->device_count--;
    return true;
}

bool journal_put_provider(struct journal *journal,
                          const struct journal_provider *provider)
{
    struct journal_provider *old = journal_find_provider(journal, provider->uuid);
    if (old && journal_provider_equal(old, provider))
        return false;
    struct journal_provider copy = journal_provider_copy(provider);
    if (old)
        journal_provider_clear(old);
    else
        old = array_add(journal->providers, journal->provider_count);
    *old = copy;
    return true;
}

bool journal_drop_provider(struct journal *journal, const char *uuid)
{
    struct journal_provider *old = journal_find_provider(journal, uuid);
    if (!old)
        return false;
    journal_provider_clear(old);
    size_t after = journal->provider_count - (size_t)(old - journal->providers) - 1;
    memmove(old, old + 1, after * sizeof *old);
    journal->provider_count--;
    return true;
}

struct journal_type *journal_find_type(const struct journal *journal,
                                       const char *backend, const char *model,
                                       const char *id)
{
    for (size_t i = 0; i < journal->type_count; i++) {
        struct journal_type *type = &journal->types[i];
        if (strcmp(type->id, id) == 0 && strcmp(type->model, model) == 0 &&
            strcmp(type->backend, backend) == 0)
            return type;
    }
    return NULL;
}

void journal_drop_types(struct journal *journal, const char *backend, const char *model)
{
    size_t kept = 0;
    for (size_t i = 0; i < journal->type_count; i++) {
        struct journal_type *type = &journal->types[i];
        if (strcmp(type->model, model) == 0 && strcmp(type->backend, backend) == 0)
            clear_type(type);
        else
            journal->types[kept++] = *type;
    }
    journal->type_count = kept;
}

/* ---- units that were used ---- */

static struct journal_spent *find_spent(const struct journal *journal, const char *gpu)
{
    for (size_t i = 0; i < journal->spent_count; i++)
        if (strcmp(journal->spent[i].gpu, gpu) == 0)
            return &journal->spent[i];
    return NULL;
}

int64_t journal_spent_of(const struct journal *journal, const char *gpu)
{
    const struct journal_spent *spent = find_spent(journal, gpu);
    return spent ? spent->units : 0;
}

void journal_spend(struct journal *journal, const char *gpu, int64_t units)
{
    struct journal_spent *spent = find_spent(journal, gpu);
    if (!spent) {
        spent = array_add(journal->spent, journal->spent_count);
        spent->gpu = xstrdup(gpu);
    }
    spent->units += units;
}

bool journal_clean(struct journal *journal, const char *gpu)
{
    struct journal_spent *spent = find_spent(journal, gpu);
    if (!spent)
        return false;
    free(spent->gpu);
    *spent = journal->spent[--journal->spent_count];
    return true;
}

/* ---- the file ---- */

/* Why the file cannot be used. All zero: it can. */
struct fault {
    const char *suffix; /* of the file name under which it is kept */
    char *text;
};

static void fault_clear(struct fault *fault)
{
    free(fault->text);
}

/* Gives an empty journal when there is no file, and an empty one that is rebuilding
 * when the file has a fault. */
static int read_file(const char *path, const char *machine, struct journal **out,
                     struct fault *fault, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    struct error why = {0};
    _cleanup_(journal_freep) struct journal *journal = NULL;
    if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, &length, &why) != 0) {
        if (why.errnum != ENOENT)
            return error_set(err, why.code, "the state file: %s", why.text);
        journal = journal_new();
    } else if (journal_read(text, length, &journal, &why) != 0) {
        if (why.code == ERROR_UNSUPPORTED)
            return error_set(err, why.code, "the state file %s: %s", path, why.text);
        fault->suffix = "damaged";
        fault->text = xasprintf("the state file %s is damaged (%s)", path, why.text);
    } else if (*machine && *journal->machine && !same(machine, journal->machine)) {
        fault->suffix = "other-host";
        fault->text = xasprintf("the state file %s is another host's: it was written "
                                "under another machine-id, and nothing that it lists "
                                "is touched",
                                path);
    }
    if (fault->text) {
        journal_free(journal);
        journal = journal_new();
        journal->rebuilding = true;
    }
    if (!*journal->machine)
        uuid_text_copy(journal->machine, machine);
    *out = steal(journal);
    return 0;
}

/* The faulty file first gets a second name, and is then replaced. So there is a file at
 * every moment: without one, a restart would look like a first start. */
static int start_over(const char *path, int64_t now, const struct fault *fault,
                      const struct journal *journal, char **note, struct error *err)
{
    _cleanup_free_ char *aside =
        xasprintf("%s.%s-%lld", path, fault->suffix, (long long)now);
    if (link(path, aside) != 0 && errno != EEXIST)
        return error_set_errno(err, errno, "%s; it cannot be kept as %s", fault->text,
                               aside);
    if (journal_save(journal, path, err) != 0)
        return -1;
    *note = xasprintf("%s: kept as %s; no device is removed until it is rebuilt",
                      fault->text, aside);
    return 0;
}

int journal_load(const char *path, const char *machine, int64_t now,
                 struct journal **out, char **note, struct error *err)
{
    _cleanup_(fault_clear) struct fault fault = {0};
    _cleanup_(journal_freep) struct journal *journal = NULL;
    if (read_file(path, machine, &journal, &fault, err) != 0 ||
        (fault.text && start_over(path, now, &fault, journal, note, err) != 0))
        return -1;
    *out = steal(journal);
    return 0;
}

int journal_look(const char *path, const char *machine, struct journal **out,
                 char **note, struct error *err)
{
    _cleanup_(fault_clear) struct fault fault = {0};
    if (read_file(path, machine, out, &fault, err) != 0)
        return -1;
    if (fault.text)
        *note = xasprintf("%s; no device is removed until it is rebuilt", fault.text);
    return 0;
}

int journal_save(const struct journal *journal, const char *path, struct error *err)
{
    const char *name;
    _cleanup_close_ int fd = file_open_folder(path, &name, err);
    if (fd < 0)
        return error_prefix(err, "the state file's directory");
    size_t length;
    _cleanup_free_ char *text = journal_write(journal, &length);
    if (file_replace_at(fd, name, text, length, 0600, err) != 0)
        return error_prefix(err, "the state file %s", path);
    return 0;
}
