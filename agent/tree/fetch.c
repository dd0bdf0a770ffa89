#include "agent/tree/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "agent/tree/root_identity.h"
#include "lib/xalloc.h"

/* A provider that changes while it is read is read again, but not for ever. */
#define MOST_READS 5

#define RESERVES_ALL_MINOR 26

struct placement_fetch {
    struct placement_client *client;
    const struct config *config;
    struct observed *observed;     /* NULL: nothing is remembered */
    struct strlist missing_traits; /* asked for, and not there */
    size_t turn;                   /* who was asked last for its allocations */
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
}

void placement_fetch_free(struct placement_fetch *fetch)
{
    if (!fetch)
        return;
    placement_fetch_forget(fetch);
    free(fetch);
}

/* ---- which providers matter ---- */

/* The root's name, '_', and what libvirt calls a device: pci_0000_84_00_0, mtty_mtty.
 * Other services' children have ':' or '.' in that part. */
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

static bool is_wanted(const struct provider *provider, const struct provider *root)
{
    char computed[UUID_TEXT_SIZE];
    if (provider == root)
        return false;
    uuid5_text(root->uuid, provider->name, computed);
    return strcmp(provider->uuid, computed) == 0 ||
           has_gpu_name(provider->name, root->name);
}

/* ---- reading one provider ---- */

static void clear_details(struct observed_provider *provider)
{
    class_inventories_free(provider->inventories, provider->inventory_count);
    strlist_clear(&provider->traits);
    provider_allocations_free(provider->allocations, provider->allocation_count);
    provider->inventories = NULL;
    provider->allocations = NULL;
    provider->inventory_count = provider->allocation_count = 0;
}

/* The three parts, each with the generation that it was true at. */
static int read_parts(struct placement_client *client, struct observed_provider *out,
                      int64_t generations[3], struct error *err)
{
    const char *uuid = out->provider.uuid;
    clear_details(out);
    if (placement_get_inventories(client, uuid, &out->inventories,
                                  &out->inventory_count, &generations[0], err) != 0 ||
        placement_get_provider_traits(client, uuid, &out->traits, &generations[1],
                                      err) != 0)
        return -1;
    return placement_get_provider_allocations(
        client, uuid, &out->allocations, &out->allocation_count, &generations[2], err);
}

static int read_details(struct placement_client *client, struct observed_provider *out,
                        struct error *err)
{
    for (unsigned i = 0; i < MOST_READS; i++) {
        int64_t generations[3];
        if (read_parts(client, out, generations, err) != 0)
            return -1;
        if (generations[0] == generations[1] && generations[0] == generations[2]) {
            out->provider.generation = generations[0];
            out->detailed = true;
            return 0;
        }
    }
    return error_set(err, ERROR_CONFLICT,
                     "provider %s changed each of the %u times that it was read",
                     out->provider.name, MOST_READS);
}

/* ---- the tree ---- */

static bool same_provider(const struct provider *a, const struct provider *b)
{
    return a->generation == b->generation && strcmp(a->name, b->name) == 0 &&
           strcmp(a->parent, b->parent) == 0;
}

/* What is remembered of this provider, if that is still true. */
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

/* The root to the front, the others by name. NULL when it is not among them. */
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

/* A tree under construction. What can be kept of the old one is only noted, so that a
 * failure leaves that whole. */
struct build {
    struct observed *observed;
    struct observed_provider *
        *kept; /* by index of observed->providers; NULL: read anew */
    bool changed;
};

static void build_clear(struct build *build)
{
    observed_free(build->observed);
    free(build->kept);
}

/* Takes `provider` into the tree. One that is gone by now is left out. */
static int add_provider(struct placement_fetch *fetch, struct build *build,
                        struct provider *provider, bool wanted, struct error *err)
{
    struct observed *tree = build->observed;
    struct observed_provider item = {.provider = *provider};
    struct observed_provider *old = remembered(fetch, provider, wanted);
    provider->name = NULL;
    if (!old && wanted)
        build->changed = true;
    if (!old && wanted && read_details(fetch->client, &item, err) != 0) {
        clear_details(&item);
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
    memcpy(tree->root_uuid, list[0].uuid, UUID_TEXT_SIZE);
    tree->root_name = xstrdup(list[0].name);
    tree->providers = xcalloc(count, sizeof *tree->providers);
    build->changed = !fetch->observed || fetch->observed->provider_count != count;
    _cleanup_free_ bool *wanted = xcalloc(count, sizeof *wanted);
    for (size_t i = 0; i < count; i++)
        wanted[i] = is_wanted(&list[i], &list[0]);
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

/* The new tree takes from the old one what is still true, and its place. */
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
    }
    if (build->changed)
        strlist_clear(&fetch->missing_traits);
    observed_free(old);
    fetch->observed = steal(build->observed);
}

/* ---- the root ---- */

/* Without a root there is nothing to keep. */
static void set_rootless(struct placement_fetch *fetch,
                         const struct root_identity *identity)
{
    struct observed *observed = xcalloc(1, sizeof *observed);
    observed->root_name =
        identity->name ? xstrdup(identity->name) : root_identity_host_name();
    if (identity->uuid[0])
        memcpy(observed->root_uuid, identity->uuid, UUID_TEXT_SIZE);
    else
        root_identity_computed_uuid(observed->root_name, observed->root_uuid);
    placement_fetch_forget(fetch);
    fetch->observed = observed;
}

/* The uuid of the root by its name; stays "" when there is none. */
static int look_up(struct placement_client *client, struct root_identity *identity,
                   struct error *err)
{
    struct provider *list = NULL;
    size_t count = 0;
    if (placement_get_by_name(client, identity->name, &list, &count, err) != 0)
        return -1;
    if (count > 0)
        memcpy(identity->uuid, list[0].uuid, UUID_TEXT_SIZE);
    providers_free(list, count);
    return 0;
}

static int fetch_below(struct placement_fetch *fetch, const char *root, bool *found,
                       struct error *err)
{
    struct provider *list = NULL;
    size_t count = 0;
    _cleanup_(build_clear) struct build build = {0};
    if (placement_get_tree(fetch->client, root, &list, &count, err) != 0)
        return -1;
    int rc = 0;
    *found = order(list, count, root) != NULL;
    if (*found && list[0].parent[0])
        rc = error_set(err, ERROR_INVALID,
                       "provider %s (%s) is to be this host's root, but is a child",
                       list[0].name, root);
    else if (*found && (rc = build_tree(fetch, list, count, &build, err)) == 0)
        take_over(fetch, &build);
    providers_free(list, count);
    return rc;
}

static int find_root(struct placement_fetch *fetch, bool *found, struct error *err)
{
    struct root_identity identity = {0};
    if (root_identity_find(fetch->config, &identity, err) != 0)
        return -1;
    int rc = 0;
    *found = false;
    if (!identity.uuid[0])
        rc = look_up(fetch->client, &identity, err);
    if (rc == 0 && identity.uuid[0])
        rc = fetch_below(fetch, identity.uuid, found, err);
    if (rc == 0 && !*found)
        set_rootless(fetch, &identity);
    root_identity_clear(&identity);
    return rc;
}

int placement_fetch_tree(struct placement_fetch *fetch, const struct observed **out,
                         struct error *err)
{
    bool found = false;
    if (fetch->observed && fetch->observed->root_found) {
        char root[UUID_TEXT_SIZE];
        memcpy(root, fetch->observed->root_uuid, sizeof root);
        if (fetch_below(fetch, root, &found, err) != 0)
            return -1;
    }
    if (!found && find_root(fetch, &found, err) != 0)
        return -1;
    fetch->observed->keeps_some_free =
        placement_client_minor(fetch->client) < RESERVES_ALL_MINOR;
    *out = fetch->observed;
    return 0;
}

/* ---- allocations ---- */

static struct observed_provider *next_with_allocations(struct placement_fetch *fetch)
{
    struct observed *observed = fetch->observed;
    for (size_t i = 0; observed && i < observed->provider_count; i++) {
        fetch->turn = (fetch->turn + 1) % observed->provider_count;
        if (observed->providers[fetch->turn].allocation_count)
            return &observed->providers[fetch->turn];
    }
    return NULL;
}

static bool same_allocations(const struct observed_provider *provider,
                             const struct provider_allocation *list, size_t count)
{
    if (provider->allocation_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct provider_allocation *old = &provider->allocations[i];
        if (strcmp(old->consumer, list[i].consumer) != 0 ||
            strcmp(old->resource_class, list[i].resource_class) != 0 ||
            old->amount != list[i].amount)
            return false;
    }
    return true;
}

int placement_fetch_allocations(struct placement_fetch *fetch,
                                const struct observed **out, struct error *err)
{
    struct observed_provider *provider = next_with_allocations(fetch);
    struct provider_allocation *list = NULL;
    size_t count = 0;
    int64_t generation = 0;
    struct error why;
    *out = NULL;
    if (!provider)
        return 0;
    if (placement_get_provider_allocations(fetch->client, provider->provider.uuid,
                                           &list, &count, &generation, &why) != 0) {
        if (why.code == ERROR_NOT_FOUND)
            return 0;
        if (err)
            *err = why;
        return -1;
    }
    if (generation != provider->provider.generation) {
        provider_allocations_free(list, count);
        return 0;
    }
    if (same_allocations(provider, list, count))
        *out = fetch->observed;
    provider_allocations_free(provider->allocations, provider->allocation_count);
    provider->allocations = list;
    provider->allocation_count = count;
    return 0;
}

/* ---- traits ---- */

/* What a provider has is there. */
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
