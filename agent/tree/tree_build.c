#include "agent/tree/tree_build.h"

#include <stdlib.h>
#include <string.h>

#include "agent/tree/ours.h"
#include "agent/tree/provider_read.h"
#include "lib/xalloc.h"

void tree_build_clear(struct tree_build *build)
{
    observed_free(build->observed);
    free(build->kept);
    *build = (struct tree_build){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct provider *)a)->name,
                  ((const struct provider *)b)->name);
}

bool tree_build_order(struct provider *list, size_t count, const char *root)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].uuid, root) == 0) {
            struct provider moved = list[i];
            list[i] = list[0];
            list[0] = moved;
            qsort(list + 1, count - 1, sizeof *list, by_name);
            return true;
        }
    return false;
}

static bool same_provider(const struct provider *a, const struct provider *b)
{
    return a->generation == b->generation && strcmp(a->name, b->name) == 0 &&
           strcmp(a->parent, b->parent) == 0;
}

/* The provider as it was read, if it is still current. */
static struct observed_provider *remembered(const struct tree_build *build,
                                            struct observed *old,
                                            const struct provider *provider,
                                            bool wanted)
{
    struct observed_provider *items[] = {
        pieces_find(build->pieces, provider->uuid),
        old ? (struct observed_provider *)observed_by_uuid(old, provider->uuid) : NULL};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        if (items[i] && items[i]->detailed == wanted &&
            same_provider(&items[i]->provider, provider))
            return items[i];
    return NULL;
}

/* Adds `provider` to the tree. `kept` is as it was read; NULL: it is read. One that is
 * listed and not found when it is read was deleted meanwhile, or another server of the
 * database does not have it yet: which of both, the next list tells, and until then
 * nothing is known of it. */
static int add_provider(struct tree_build *build, struct placement_client *client,
                        struct observed_provider *kept, struct provider *provider,
                        bool wanted, struct error *err)
{
    struct observed *tree = build->observed;
    struct observed_provider item = {.provider = *provider};
    provider->name = NULL;
    if (!kept && wanted)
        build->changed = true;
    if (!kept && wanted && provider_read_details(client, &item, err) != 0) {
        provider_clear_details(&item);
        if (err->code != ERROR_NOT_FOUND) {
            provider_clear(&item.provider);
            return -1;
        }
    }
    build->kept[tree->provider_count] = kept;
    tree->providers[tree->provider_count++] = item;
    return 0;
}

static void begin(struct tree_build *build, const struct provider *root,
                  const struct observed *old, size_t count)
{
    struct observed *tree = xcalloc(1, sizeof *tree);
    build->observed = tree;
    build->kept = xcalloc(count, sizeof *build->kept);
    tree->root_found = true;
    uuid_text_copy(tree->root_uuid, root->uuid);
    tree->root_name = xstrdup(root->name);
    tree->providers = xcalloc(count, sizeof *tree->providers);
    build->changed = !old || old->provider_count != count;
}

void tree_build_keep(struct tree_build *build)
{
    struct observed *tree = build->observed;
    for (size_t i = 0; i < tree->provider_count; i++)
        if (!build->kept[i] && tree->providers[i].detailed)
            pieces_take(build->pieces, &tree->providers[i]);
}

int tree_build_make(struct tree_build *build, struct placement_client *client,
                    const struct config *config, const struct strlist *expected,
                    struct observed *old, struct provider *list, size_t count,
                    struct error *err)
{
    begin(build, &list[0], old, count);
    /* Before any is added, since the tree takes their names. */
    _cleanup_free_ bool *wanted = xcalloc(count, sizeof *wanted);
    for (size_t i = 1; i < count; i++)
        wanted[i] = provider_is_ours(&list[i], &list[0], config->agent.mode) ||
                    strlist_contains(expected, list[i].uuid);
    for (size_t i = 0; i < count; i++) {
        struct error why = {0};
        struct observed_provider *kept = remembered(build, old, &list[i], wanted[i]);
        if (add_provider(build, client, kept, &list[i], wanted[i], &why) == 0)
            continue;
        if (err)
            *err = why;
        tree_build_keep(build);
        return -1;
    }
    return 0;
}

struct observed *tree_build_take_over(struct tree_build *build, struct observed *old)
{
    struct observed *tree = build->observed;
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
    observed_free(old);
    pieces_clear(build->pieces);
    return steal(build->observed);
}
