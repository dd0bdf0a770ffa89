#include "agent/plan/managed.h"

#include <string.h>

#include "agent/plan/type_traits.h"
#include "lib/xalloc.h"

/* ---- which providers are ours ---- */

/* Of a child that Placement has: by its name, since Nova gives the same names and other
 * uuids; else by the uuid that we would have given, were it renamed. */
static const struct observed_provider *observe(const struct observed *observed,
                                               const struct desired_provider *desired)
{
    const struct observed_provider *found = observed_by_name(observed, desired->name);
    return found ? found : observed_by_uuid(observed, desired->uuid);
}

static bool is_root(const struct observed *observed,
                    const struct observed_provider *provider)
{
    return strcmp(provider->provider.uuid, observed->root_uuid) == 0;
}

static void add_subject(struct world *world, const struct desired_provider *desired,
                        const struct observed_provider *observed)
{
    struct subject *subject = array_add(world->subjects, world->subject_count);
    subject->desired = desired;
    subject->observed = observed;
    subject->uuid = observed ? observed->provider.uuid : desired->uuid;
    subject->name = observed ? observed->provider.name : desired->name;
    subject->noted = journal_find_provider(world->in->journal, subject->uuid);
    subject->read = observed ? observed->detailed : !subject_is_new(subject);
    subject->hands_off = world->owner && !world->in->take_over && observed &&
                         strlist_contains(&observed->traits, TRAIT_OWNER_NOVA);
}

static void add_desired(struct world *world)
{
    const struct plan_input *in = world->in;
    for (size_t i = 0; i < in->desired->provider_count; i++) {
        const struct desired_provider *desired = &in->desired->providers[i];
        const struct observed_provider *observed = observe(in->observed, desired);
        /* Nothing is ever written to the root. */
        if (observed && is_root(in->observed, observed))
            continue;
        add_subject(world, desired, observed);
        world->subjects[world->subject_count - 1].gpu = desired->gpu_name;
    }
}

static bool was_ours(const struct world *world,
                     const struct observed_provider *provider)
{
    return journal_find_provider(world->in->journal, provider->provider.uuid) ||
           strlist_contains(&provider->traits, TRAIT_OWNER_AGENT);
}

/* The card that a retired provider stood for. Where neither the journal nor the host
 * knows it any more, the provider's name has to do. */
static const char *retired_gpu(const struct world *world, const struct subject *subject)
{
    if (subject->noted)
        return subject->noted->gpu;
    const char *root = world->in->desired->root_name;
    size_t length = strlen(root);
    if (strncmp(subject->name, root, length) != 0 || subject->name[length] != '_')
        return subject->name;
    const char *node_name = subject->name + length + 1;
    for (size_t i = 0; i < world->in->host->gpu_count; i++)
        if (strcmp(world->in->host->gpus[i].node_name, node_name) == 0)
            return world->in->host->gpus[i].name;
    return node_name;
}

static void add_retired(struct world *world)
{
    const struct observed *observed = world->in->observed;
    for (size_t i = 0; i < observed->provider_count; i++) {
        const struct observed_provider *provider = &observed->providers[i];
        if (is_root(observed, provider) || subject_of(world, provider) ||
            !was_ours(world, provider))
            continue;
        add_subject(world, NULL, provider);
        struct subject *subject = &world->subjects[world->subject_count - 1];
        subject->gpu = retired_gpu(world, subject);
    }
}

void subjects_find(struct world *world)
{
    const struct observed *observed = world->in->observed;
    if (!observed || (!observed->root_found && !world_creates_root(world)))
        return;
    add_desired(world);
    add_retired(world);
}

/* ---- questions ---- */

const struct subject *subject_of(const struct world *world,
                                 const struct observed_provider *provider)
{
    for (size_t i = 0; i < world->subject_count; i++)
        if (world->subjects[i].observed == provider)
            return &world->subjects[i];
    return NULL;
}

bool subject_is_nova_name(const struct world *world, const char *name,
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

void subject_complain(struct world *world, const struct subject *subject,
                      const char *text)
{
    char *problem = xasprintf("%s: %s", subject->name, text);
    strlist_add_unique(&world->plan->problems, problem);
    free(problem);
}

bool subject_is_new(const struct subject *subject)
{
    return !subject->observed && !subject->desired->sick && subject->desired->type_id;
}

int64_t subject_allocated(const struct subject *subject, const char *resource_class)
{
    int64_t sum = 0;
    for (size_t i = 0; subject->observed && i < subject->observed->allocation_count;
         i++)
        if (strcmp(subject->observed->allocations[i].resource_class, resource_class) ==
            0)
            sum += subject->observed->allocations[i].amount;
    return sum;
}

static bool is_class_of_config(const struct config *config, const char *resource_class)
{
    for (size_t i = 0; i < config->type_count; i++)
        if (strcmp(config->types[i].mdev_class, resource_class) == 0)
            return true;
    return strcmp(resource_class, "VGPU") == 0;
}

bool subject_has_class(const struct world *world, const struct subject *subject,
                       const char *resource_class)
{
    if (subject->desired &&
        strcmp(subject->desired->resource_class, resource_class) == 0)
        return true;
    if (subject->noted)
        return journal_find_inventory(subject->noted, resource_class);
    /* It carries our mark, and the journal is lost: what we could have set is ours. */
    return strlist_contains(&subject->observed->traits, TRAIT_OWNER_AGENT) &&
           is_class_of_config(world->in->config, resource_class);
}
