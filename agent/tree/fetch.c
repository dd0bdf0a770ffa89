#include "agent/tree/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "agent/tree/provider_read.h"
#include "agent/tree/root_identity.h"
#include "agent/tree/seen.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"
#include "placement/microversion.h"

struct placement_fetch {
    struct placement_client *client;
    const struct config *config;
    struct observed *observed; /* NULL: nothing is cached */
    /* traits that were asked for and that the server does not have */
    struct strlist missing_traits;
    bool root_asked; /* its inventories were read */
    bool moved;      /* a part of the last tree was read anew */
    struct seen seen;
    int64_t replaced_at; /* when an older view had to be accepted; 0: never */
    /* The position of placement_fetch_one() among the providers with allocations, and
     * among all parts of all providers. */
    size_t turn, compared;
};

struct placement_fetch *placement_fetch_new(struct placement_client *client,
                                            const struct config *config)
{
    struct placement_fetch *fetch = xcalloc(1, sizeof *fetch);
    fetch->client = client;
    fetch->config = config;
    return fetch;
}

void placement_fetch_forget(struct placement_fetch *fetch)
{
    observed_free(fetch->observed);
    fetch->observed = NULL;
    strlist_clear(&fetch->missing_traits);
    fetch->root_asked = false;
}

void placement_fetch_free(struct placement_fetch *fetch)
{
    if (!fetch)
        return;
    placement_fetch_forget(fetch);
    seen_clear(&fetch->seen);
    free(fetch);
}

/* ---- which providers are read in detail ---- */

/* Whether the name is the root's name, '_', and a libvirt device name
 * (pci_0000_84_00_0, mtty_mtty). The children of other services have ':' or '.' in that
 * part. */
static bool has_gpu_name(const char *name, const char *root_name)
{
    size_t length = strlen(root_name);
    if (strncmp(name, root_name, length) != 0 || name[length] != '_')
        return false;
    const char *device = name + length + 1;
    size_t letters = strspn(device, "abcdefghijklmnopqrstuvwxyz"
                                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return letters > 0 && device[letters] == 0;
}

/* Whether the name is the root's name, '_', and a PCI address in upper case, as Nova
 * names its providers of [pci]. */
static bool has_pci_name(const char *name, const char *root_name)
{
    size_t length = strlen(root_name);
    char address[PCI_ADDRESS_SIZE];
    return strncmp(name, root_name, length) == 0 && name[length] == '_' &&
           !strpbrk(name + length + 1, "abcdef") &&
           pci_address_normalise(name + length + 1, address);
}

static bool is_wanted(const struct placement_fetch *fetch,
                      const struct provider *provider, const struct provider *root)
{
    char computed[UUID_TEXT_SIZE];
    if (provider == root)
        return false;
    uuid5_text(root->uuid, provider->name, computed);
    return strcmp(provider->uuid, computed) == 0 ||
           has_gpu_name(provider->name, root->name) ||
           (fetch->config->agent.mode == MODE_NOVA_PCI &&
            has_pci_name(provider->name, root->name));
}

/* ---- the tree ---- */

static bool same_provider(const struct provider *a, const struct provider *b)
{
    return a->generation == b->generation && strcmp(a->name, b->name) == 0 &&
           strcmp(a->parent, b->parent) == 0;
}

/* The cached provider, if it is still current. */
static struct observed_provider *remembered(const struct placement_fetch *fetch,
                                            const struct provider *provider,
                                            bool wanted)
{
    struct observed *old = fetch->observed;
    for (size_t i = 0; old && i < old->provider_count; i++) {
        struct observed_provider *item = &old->providers[i];
        if (strcmp(item->provider.uuid, provider->uuid) == 0)
            return item->detailed == wanted && same_provider(&item->provider, provider)
                       ? item
                       : NULL;
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct provider *)a)->name,
                  ((const struct provider *)b)->name);
}

/* Moves the root to the front and sorts the others by name. NULL when the root is not
 * in the list. */
static struct provider *order(struct provider *list, size_t count, const char *root)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].uuid, root) == 0) {
            struct provider moved = list[i];
            list[i] = list[0];
            list[0] = moved;
            qsort(list + 1, count - 1, sizeof *list, by_name);
            return list;
        }
    return NULL;
}

/* A tree under construction. What can be kept of the old tree is only noted, so that
 * the old tree stays intact when the construction fails. */
struct build {
    struct observed *observed;
    /* By index of observed->providers; NULL: this provider was read anew. */
    struct observed_provider **kept;
    bool changed;
};

static void build_clear(struct build *build)
{
    observed_free(build->observed);
    free(build->kept);
}

/* Adds `provider` to the tree, unless it was deleted meanwhile. */
static int add_provider(struct placement_fetch *fetch, struct build *build,
                        struct provider *provider, bool wanted, struct error *err)
{
    struct observed *tree = build->observed;
    struct observed_provider item = {.provider = *provider};
    struct observed_provider *old = remembered(fetch, provider, wanted);
    provider->name = NULL;
    if (!old && wanted)
        build->changed = true;
    if (!old && wanted && provider_read_details(fetch->client, &item, err) != 0) {
        provider_clear_details(&item);
        provider_clear(&item.provider);
        return -1;
    }
    build->kept[tree->provider_count] = old;
    tree->providers[tree->provider_count++] = item;
    return 0;
}

static int build_tree(struct placement_fetch *fetch, struct provider *list,
                      size_t count, struct build *build, struct error *err)
{
    struct observed *tree = xcalloc(1, sizeof *tree);
    build->observed = tree;
    build->kept = xcalloc(count, sizeof *build->kept);
    tree->root_found = true;
    uuid_text_copy(tree->root_uuid, list[0].uuid);
    tree->root_name = xstrdup(list[0].name);
    tree->providers = xcalloc(count, sizeof *tree->providers);
    build->changed = !fetch->observed || fetch->observed->provider_count != count;
    _cleanup_free_ bool *wanted = xcalloc(count, sizeof *wanted);
    for (size_t i = 0; i < count; i++)
        wanted[i] = is_wanted(fetch, &list[i], &list[0]);
    for (size_t i = 0; i < count; i++) {
        struct error why = {0};
        if (add_provider(fetch, build, &list[i], wanted[i], &why) == 0 ||
            why.code == ERROR_NOT_FOUND)
            continue;
        if (err)
            *err = why;
        return -1;
    }
    return 0;
}

/* Moves what is still current from the old tree to the new one, which then replaces
 * it. */
static void take_over(struct placement_fetch *fetch, struct build *build)
{
    struct observed *tree = build->observed, *old = fetch->observed;
    for (size_t i = 0; i < tree->provider_count; i++) {
        struct observed_provider *from = build->kept[i];
        if (!from)
            continue;
        struct observed_provider *to = &tree->providers[i];
        struct provider provider = to->provider;
        *to = *from;
        to->provider = provider;
        *from = (struct observed_provider){.provider = from->provider};
    }
    if (old) {
        tree->known_traits = old->known_traits;
        old->known_traits = (struct strlist){0};
        tree->root_classes = old->root_classes;
        old->root_classes = (struct strlist){0};
    }
    if (build->changed)
        strlist_clear(&fetch->missing_traits);
    observed_free(old);
    fetch->observed = steal(build->observed);
}

/* ---- the root ---- */

/* Caches that there is no root. Nothing of an old tree can be kept then. */
static void set_rootless(struct placement_fetch *fetch,
                         const struct root_identity *identity)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_name =
        identity->name ? xstrdup(identity->name) : root_identity_host_name();
    if (identity->uuid[0])
        uuid_text_copy(observed->root_uuid, identity->uuid);
    else
        root_identity_computed_uuid(observed->root_name, observed->root_uuid);
    placement_fetch_forget(fetch);
    fetch->observed = observed;
}

/* Looks up the root's uuid by its name; it stays "" when there is no such root. */
static int look_up(struct placement_client *client, struct root_identity *identity,
                   struct error *err)
{
    struct provider *list = NULL;
    size_t count = 0;
    if (placement_get_by_name(client, identity->name, &list, &count, err) != 0)
        return -1;
    if (count > 0)
        uuid_text_copy(identity->uuid, list[0].uuid);
    providers_free(list, count);
    return 0;
}

/* Refuses a view that is older than what was seen. When an older view has to be
 * accepted, the whole cache is dropped. */
static int judge(struct placement_fetch *fetch, const struct provider *list,
                 size_t count, const char *root, int64_t now, struct error *err)
{
    bool reset = false;
    if (seen_judge(&fetch->seen, list, count, root, now, &reset, err) != 0)
        return -1;
    if (reset) {
        placement_fetch_forget(fetch);
        fetch->replaced_at = now;
    }
    return 0;
}

static int take_tree(struct placement_fetch *fetch, struct provider *list, size_t count,
                     const char *root, int64_t now, struct error *err)
{
    _cleanup_(build_clear) struct build build = {0};
    if (list[0].parent[0])
        return error_set(err, ERROR_INVALID,
                         "provider %s (%s) is to be this host's root, but is a child",
                         list[0].name, root);
    if (judge(fetch, list, count, root, now, err) != 0 ||
        build_tree(fetch, list, count, &build, err) != 0)
        return -1;
    fetch->moved = fetch->observed && build.changed;
    take_over(fetch, &build);
    for (size_t i = 0; i < fetch->observed->provider_count; i++)
        seen_note(&fetch->seen, fetch->observed->providers[i].provider.uuid,
                  fetch->observed->providers[i].provider.generation);
    return 0;
}

static int fetch_below(struct placement_fetch *fetch, const char *root, int64_t now,
                       bool *found, struct error *err)
{
    struct provider *list = NULL;
    size_t count = 0;
    if (placement_get_tree(fetch->client, root, &list, &count, err) != 0)
        return -1;
    *found = order(list, count, root) != NULL;
    int rc = *found ? take_tree(fetch, list, count, root, now, err) : 0;
    providers_free(list, count);
    return rc;
}

static int find_root(struct placement_fetch *fetch, int64_t now, bool *found,
                     struct error *err)
{
    struct root_identity identity = {0};
    if (root_identity_find(fetch->config, &identity, err) != 0)
        return -1;
    int rc = 0;
    *found = false;
    if (!identity.uuid[0])
        rc = look_up(fetch->client, &identity, err);
    if (rc == 0 && identity.uuid[0])
        rc = fetch_below(fetch, identity.uuid, now, found, err);
    if (rc == 0 && !*found)
        rc = judge(fetch, NULL, 0, "", now, err);
    if (rc == 0 && !*found)
        set_rootless(fetch, &identity);
    root_identity_clear(&identity);
    return rc;
}

int placement_fetch_tree(struct placement_fetch *fetch, int64_t now,
                         const struct observed **out, struct error *err)
{
    bool found = false;
    fetch->moved = false;
    if (fetch->observed && fetch->observed->root_found) {
        char root[UUID_TEXT_SIZE];
        memcpy(root, fetch->observed->root_uuid, sizeof root);
        if (fetch_below(fetch, root, now, &found, err) != 0)
            return -1;
    }
    if (!found && find_root(fetch, now, &found, err) != 0)
        return -1;
    fetch->observed->keeps_some_free =
        placement_client_minor(fetch->client) < MICROVERSION_ALL_RESERVED;
    *out = fetch->observed;
    return 0;
}

int placement_fetch_root(struct placement_fetch *fetch, const struct strlist *classes,
                         struct error *err)
{
    struct observed *observed = fetch->observed;
    struct class_inventory *items = NULL;
    size_t count = 0;
    int64_t generation;
    if (fetch->root_asked || !observed->root_found)
        return 0;
    if (placement_get_inventories(fetch->client, observed->root_uuid, &items, &count,
                                  &generation, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (strlist_contains(classes, items[i].resource_class))
            strlist_add_unique(&observed->root_classes, items[i].resource_class);
    class_inventories_free(items, count);
    fetch->root_asked = true;
    return 0;
}

/* ---- one provider ---- */

static struct observed_provider *next_with_allocations(struct placement_fetch *fetch)
{
    struct observed *observed = fetch->observed;
    while (fetch->turn < observed->provider_count) {
        struct observed_provider *provider = &observed->providers[fetch->turn++];
        if (provider->allocation_count)
            return provider;
    }
    fetch->turn = 0;
    return NULL;
}

/* The next provider and the part of it to read, in order to check the cache. NULL:
 * there is no provider. */
static struct observed_provider *next_to_compare(struct placement_fetch *fetch,
                                                 enum provider_part *part)
{
    struct observed *observed = fetch->observed;
    size_t parts = PROVIDER_PARTS * observed->provider_count;
    for (size_t i = 0; i < parts; i++) {
        size_t number = fetch->compared++ % parts;
        *part = number % PROVIDER_PARTS;
        if (observed->providers[number / PROVIDER_PARTS].detailed)
            return &observed->providers[number / PROVIDER_PARTS];
    }
    return NULL;
}

/* Returns 0 also where the provider was deleted or has another generation: *current
 * says whether the result is of the cached generation. */
static int read_one(struct placement_fetch *fetch, const struct observed_provider *old,
                    enum provider_part part, struct observed_provider *out,
                    bool *current, struct error *err)
{
    int64_t generation = 0;
    struct error why;
    *current = false;
    if (provider_read_part(fetch->client, old->provider.uuid, part, out, &generation,
                           &why) != 0) {
        if (why.code == ERROR_NOT_FOUND)
            return 0;
        if (err)
            *err = why;
        return -1;
    }
    *current = generation == old->provider.generation;
    return 0;
}

static int check_allocations(struct placement_fetch *fetch,
                             struct observed_provider *provider, bool *same,
                             struct error *err)
{
    struct observed_provider read = {0};
    bool current;
    int rc = read_one(fetch, provider, PART_ALLOCATIONS, &read, &current, err);
    *same = rc == 0 && current && provider_same_part(provider, &read, PART_ALLOCATIONS);
    if (current && !*same) {
        struct observed_provider old = *provider;
        provider->allocations = read.allocations;
        provider->allocation_count = read.allocation_count;
        read.allocations = old.allocations;
        read.allocation_count = old.allocation_count;
    }
    provider_clear_details(&read);
    return rc;
}

/* When a part differs at the same generation, it was read from another database: then
 * the whole cache is dropped. */
static int compare_part(struct placement_fetch *fetch, bool *same, struct error *err)
{
    struct observed_provider read = {0};
    enum provider_part part;
    struct observed_provider *provider = next_to_compare(fetch, &part);
    *same = false;
    if (!provider)
        return 0;
    bool current;
    int rc = read_one(fetch, provider, part, &read, &current, err);
    *same = rc == 0 && current && provider_same_part(provider, &read, part);
    if (current && !*same)
        placement_fetch_forget(fetch);
    provider_clear_details(&read);
    return rc;
}

int placement_fetch_one(struct placement_fetch *fetch, const struct observed **out,
                        struct error *err)
{
    bool same = false;
    *out = NULL;
    if (!fetch->observed)
        return 0;
    struct observed_provider *provider = next_with_allocations(fetch);
    int rc = provider ? check_allocations(fetch, provider, &same, err)
                      : compare_part(fetch, &same, err);
    if (rc == 0 && same)
        *out = fetch->observed;
    return rc;
}

int placement_fetch_departures(struct placement_fetch *fetch,
                               const struct strlist *providers, struct error *err)
{
    struct observed *observed = fetch->observed;
    for (size_t i = 0; i < observed->provider_count; i++) {
        struct observed_provider *provider = &observed->providers[i];
        bool same;
        if (provider->allocation_count &&
            strlist_contains(providers, provider->provider.uuid) &&
            check_allocations(fetch, provider, &same, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- one consumer ---- */

static int by_consumer(const void *a, const void *b)
{
    const struct provider_allocation *left = a, *right = b;
    int order = strcmp(left->consumer, right->consumer);
    return order ? order : strcmp(left->resource_class, right->resource_class);
}

static void add_allocation(struct observed_provider *provider, const char *consumer,
                           const struct consumer_allocation *have)
{
    struct provider_allocation *added =
        array_add(provider->allocations, provider->allocation_count);
    uuid_text_copy(added->consumer, consumer);
    added->resource_class = xstrdup(have->resource_class);
    added->amount = have->amount;
    qsort(provider->allocations, provider->allocation_count,
          sizeof *provider->allocations, by_consumer);
}

const struct observed *
placement_fetch_add_consumer(struct placement_fetch *fetch,
                             const struct consumer_allocations *have)
{
    struct observed *observed = fetch->observed;
    if (!observed || observed_has_consumer(observed, have->consumer))
        return NULL;
    for (size_t i = 0; i < have->count; i++) {
        struct observed_provider *provider =
            (struct observed_provider *)observed_by_uuid(observed,
                                                         have->items[i].provider);
        if (provider && provider->detailed)
            add_allocation(provider, have->consumer, &have->items[i]);
    }
    return observed;
}

static bool has(const struct consumer_allocations *have, const char *provider,
                const struct provider_allocation *allocation)
{
    for (size_t i = 0; i < have->count; i++)
        if (strcmp(have->items[i].provider, provider) == 0 &&
            strcmp(have->items[i].resource_class, allocation->resource_class) == 0)
            return have->items[i].amount == allocation->amount;
    return false;
}

bool placement_fetch_knows(const struct placement_fetch *fetch,
                           const struct consumer_allocations *have)
{
    const struct observed *observed = fetch->observed;
    size_t known = 0, there = 0;
    for (size_t i = 0; observed && i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        for (size_t j = 0; j < provider->allocation_count; j++) {
            if (strcmp(provider->allocations[j].consumer, have->consumer) != 0)
                continue;
            if (!has(have, provider->provider.uuid, &provider->allocations[j]))
                return false;
            known++;
        }
    }
    for (size_t i = 0; observed && i < have->count; i++) {
        const struct observed_provider *provider =
            observed_by_uuid(observed, have->items[i].provider);
        there += provider && provider->detailed;
    }
    return observed && known == there;
}

int64_t placement_fetch_replaced_at(const struct placement_fetch *fetch)
{
    return fetch->replaced_at;
}

bool placement_fetch_moved(const struct placement_fetch *fetch)
{
    return fetch->moved;
}

void placement_fetch_wrote(struct placement_fetch *fetch, const char *provider,
                           int64_t generation)
{
    seen_note(&fetch->seen, provider, generation);
}

void placement_fetch_remade(struct placement_fetch *fetch, const char *provider)
{
    seen_drop(&fetch->seen, provider);
}

/* ---- traits ---- */

/* A trait that a provider has exists on the server. */
static bool is_in_use(const struct observed *observed, const char *name)
{
    for (size_t i = 0; i < observed->provider_count; i++)
        if (strlist_contains(&observed->providers[i].traits, name))
            return true;
    return false;
}

int placement_fetch_traits(struct placement_fetch *fetch, const struct strlist *names,
                           struct error *err)
{
    struct strlist *known = &fetch->observed->known_traits;
    _cleanup_strlist_ struct strlist asked = {0}, there = {0};
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (strlist_contains(known, name) ||
            strlist_contains(&fetch->missing_traits, name))
            continue;
        if (is_in_use(fetch->observed, name))
            strlist_add(known, name);
        else
            strlist_add_unique(&asked, name);
    }
    if (asked.count && placement_get_traits(fetch->client, &asked, &there, err) != 0)
        return -1;
    for (size_t i = 0; i < asked.count; i++) {
        bool found = strlist_contains(&there, asked.items[i]);
        strlist_add(found ? known : &fetch->missing_traits, asked.items[i]);
    }
    strlist_sort(known);
    return 0;
}
