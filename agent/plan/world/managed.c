#include "agent/plan/world/managed.h"

#include <string.h>

#include "agent/desired/type_traits.h"
#include "lib/xalloc.h"

/* ---- finding the managed providers ---- */

static bool is_root(const struct observed *observed,
                    const struct observed_provider *provider)
{
    return strcmp(provider->provider.uuid, observed->root_uuid) == 0;
}

static void add_managed(struct world *world, const struct desired_provider *desired,
                        const struct observed_provider *observed)
{
    struct managed *managed = array_add(world->managed, world->managed_count);
    managed->desired = desired;
    managed->observed = observed;
    managed->uuid = observed ? observed->provider.uuid : desired->uuid;
    managed->name = observed ? observed->provider.name : desired->name;
    managed->noted = journal_find_provider(world->in->journal, managed->uuid);
    managed->read = observed ? observed->detailed
                             : world->in->config->agent.mode == MODE_NOVA_PCI ||
                                   !managed_is_new(managed);
    managed->hands_off = world->owner && observed &&
                         strlist_contains(&observed->traits, TRAIT_OWNER_NOVA);
}

static bool is_of_card(const struct managed *managed)
{
    return managed->desired && managed->desired->card_name;
}

/* Joins the providers of a card's types with the card's: what is somebody else's there
 * is so with all below it. Afterwards the array does not move any more. */
static void join_cards(struct world *world)
{
    struct managed *card = NULL;
    for (size_t i = 0; i < world->managed_count; i++) {
        struct managed *managed = &world->managed[i];
        if (managed->desired && managed->desired->is_card)
            card = managed;
        if (!is_of_card(managed) || !card ||
            strcmp(managed->desired->card_name, card->desired->name) != 0)
            continue;
        managed->card = card;
        managed->hands_off |= card->hands_off;
        if (!managed->observed)
            managed->read = !managed_is_new(managed);
    }
}

static void add_desired(struct world *world)
{
    const struct plan_input *in = world->in;
    for (size_t i = 0; i < in->desired->provider_count; i++) {
        const struct desired_provider *desired = &in->desired->providers[i];
        const struct observed_provider *observed =
            desired_observe(in->observed, desired);
        /* The agent never writes to the root provider. */
        if (observed && is_root(in->observed, observed))
            continue;
        add_managed(world, desired, observed);
        world->managed[world->managed_count - 1].gpu = desired->gpu_name;
    }
}

/* A provider whose traits were not read still has the uuid that the agent alone
 * computes. */
static bool was_ours(const struct world *world,
                     const struct observed_provider *provider)
{
    char computed[UUID_TEXT_SIZE];
    if (journal_find_provider(world->in->journal, provider->provider.uuid))
        return true;
    if (provider->detailed)
        return strlist_contains(&provider->traits, TRAIT_OWNER_AGENT);
    uuid5_text(world->in->observed->root_uuid, provider->provider.name, computed);
    return strcmp(provider->provider.uuid, computed) == 0;
}

/* The part of a provider's name that tells the card, also with one of its types. */
static bool is_node_name_of(const struct gpu *gpu, const char *node_name)
{
    size_t length = strlen(gpu->node_name);
    return strncmp(node_name, gpu->node_name, length) == 0 &&
           (!node_name[length] || node_name[length] == '_');
}

/* The card of a retired provider. Where neither the journal nor the host knows it any
 * more, it is taken from the provider's name. */
static const char *retired_gpu(const struct world *world, const struct managed *managed)
{
    if (managed->noted)
        return managed->noted->gpu;
    const char *root = world->in->desired->root_name;
    size_t length = strlen(root);
    if (strncmp(managed->name, root, length) != 0 || managed->name[length] != '_')
        return managed->name;
    const char *node_name = managed->name + length + 1;
    for (size_t i = 0; i < world->in->host->gpu_count; i++)
        if (is_node_name_of(&world->in->host->gpus[i], node_name))
            return world->in->host->gpus[i].name;
    return node_name;
}

static bool is_below_root(const struct observed *observed,
                          const struct observed_provider *provider)
{
    return !*provider->provider.parent ||
           strcmp(provider->provider.parent, observed->root_uuid) == 0;
}

/* Those of a card's types come before the card's: it cannot be deleted before them. */
static void add_retired(struct world *world, bool below_root)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        if (is_root(observed, provider) || managed_of(world, provider) ||
            !was_ours(world, provider) ||
            is_below_root(observed, provider) != below_root)
            continue;
        add_managed(world, NULL, provider);
        struct managed *managed = &world->managed[world->managed_count - 1];
        managed->gpu = retired_gpu(world, managed);
    }
}

/* The provider of a card, whether it has several types now or one. */
static bool is_cards_own(const struct managed *managed)
{
    return managed->observed && managed->desired && managed->desired->gpu &&
           !managed->desired->card_name;
}

static void find_left(struct world *world)
{
    const struct strlist *unlisted = &world->in->desired->unlisted;
    for (size_t i = 0; i < world->managed_count; i++) {
        struct managed *managed = &world->managed[i];
        managed->unlisted =
            !managed->desired && strlist_contains(unlisted, managed->name);
        for (size_t j = 0; world->owner && !managed->desired && !managed->unlisted &&
                           j < world->managed_count;
             j++)
            managed->left |=
                is_cards_own(&world->managed[j]) &&
                strcmp(world->managed[j].uuid, managed->observed->provider.parent) == 0;
    }
}

void managed_find(struct world *world)
{
    const struct observed *observed = world->in->observed;
    if (!observed || (!observed->root_found && !world_creates_root(world)))
        return;
    add_desired(world);
    add_retired(world, false);
    add_retired(world, true);
    join_cards(world);
    find_left(world);
}

/* ---- questions ---- */

const struct managed *managed_of(const struct world *world,
                                 const struct observed_provider *provider)
{
    for (size_t i = 0; i < world->managed_count; i++)
        if (world->managed[i].observed == provider)
            return &world->managed[i];
    return NULL;
}

bool managed_is_nova_name(const struct world *world, const char *name,
                          const struct gpu *gpu)
{
    const char *root = world->in->desired->root_name;
    size_t length = strlen(root);
    if (strncmp(name, root, length) != 0 || name[length] != '_')
        return false;
    for (size_t i = 0; i < gpu->parent_count; i++) {
        _cleanup_free_ char *node_name =
            gpu->is_pci ? node_device_name("pci", gpu->parents[i].name)
                        : xstrdup(gpu->node_name);
        if (strcmp(name + length + 1, node_name) == 0)
            return true;
    }
    return false;
}

bool managed_is_of_our_making(const struct world *world, const struct managed *managed)
{
    char uuid[UUID_TEXT_SIZE];
    uuid5_text(world->in->desired->root_uuid, managed->name, uuid);
    return strcmp(uuid, managed->uuid) == 0;
}

void managed_problem(struct world *world, const struct managed *managed,
                     const char *text)
{
    char *problem = xasprintf("%s: %s", managed->name, text);
    strlist_add_unique(&world->plan->problems, problem);
    free(problem);
}

static bool is_makeable(const struct desired_provider *desired)
{
    return !desired->sick && !desired->disabled &&
           (desired->type_id || desired->is_card);
}

bool managed_is_new(const struct managed *managed)
{
    return !managed->observed && is_makeable(managed->desired) &&
           (!managed->card || managed->card->observed ||
            is_makeable(managed->card->desired));
}

int64_t managed_allocated(const struct managed *managed, const char *resource_class)
{
    int64_t sum = 0;
    for (size_t i = 0; managed->observed && i < managed->observed->allocation_count;
         i++)
        if (strcmp(managed->observed->allocations[i].resource_class, resource_class) ==
            0)
            sum += managed->observed->allocations[i].amount;
    return sum;
}

bool managed_is_for_one_use(const struct managed *managed)
{
    return managed->desired && managed->desired->type_config->one_time_use;
}

static bool is_of_class(const struct managed *managed,
                        const struct journal_device *entry)
{
    return strcmp(entry->resource_class, managed->desired->resource_class) == 0;
}

/* Its unit stays spent after it was removed. */
static bool is_spent(const struct managed *managed, const struct present *present)
{
    return !present->want && present->entry && is_of_class(managed, present->entry);
}

bool managed_has_spent(const struct managed *managed, const struct present *present)
{
    return managed_is_for_one_use(managed) && is_spent(managed, present);
}

int64_t managed_spent(const struct world *world, const struct managed *managed)
{
    const struct group *group = managed->group;
    int64_t count = journal_spent_of(world->in->journal, managed->gpu);
    for (size_t i = 0; group && i < group->present_count; i++)
        count += is_spent(managed, &group->present[i]);
    for (size_t i = 0; group && i < group->lost_count; i++)
        count += !group->lost[i].want && is_of_class(managed, group->lost[i].entry);
    return count;
}

int64_t managed_given_once(const struct world *world, const struct managed *managed)
{
    return managed_allocated(managed, managed->desired->resource_class) +
           managed_spent(world, managed);
}

static bool is_class_of_config(const struct config *config, const char *resource_class)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (strcmp(config->types[i].mdev_class, resource_class) == 0)
            return true;
    return strcmp(resource_class, "VGPU") == 0 || strcmp(resource_class, "PGPU") == 0;
}

bool managed_has_class(const struct world *world, const struct managed *managed,
                       const char *resource_class)
{
    /* All of Nova's provider of a card is about its functions; the class may be one that
     * the files do not say any more. */
    if (managed->desired && !managed->desired->is_card &&
        (world->in->config->agent.mode == MODE_NOVA_PCI ||
         strcmp(managed->desired->resource_class, resource_class) == 0))
        return true;
    if (managed->noted)
        return journal_find_inventory(managed->noted, resource_class);
    /* The provider has the agent's mark but no journal entry, so the journal is lost:
     * every class that the agent could have set counts as its own. */
    return strlist_contains(&managed->observed->traits, TRAIT_OWNER_AGENT) &&
           is_class_of_config(world->in->config, resource_class);
}

const char *managed_find_class(const struct world *world, const struct managed *managed,
                               bool ours)
{
    const struct observed_provider *observed = managed->observed;
    for (size_t i = 0; observed && i < observed->inventory_count; i++) {
        const char *resource_class = observed->inventories[i].resource_class;
        if (managed_has_class(world, managed, resource_class) == ours)
            return resource_class;
    }
    return NULL;
}
