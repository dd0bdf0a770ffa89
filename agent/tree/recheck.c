#include "agent/tree/recheck.h"

#include "agent/tree/provider_read.h"

static struct observed_provider *next_with_allocations(struct recheck *recheck,
                                                       struct observed *observed)
{
    while (recheck->turn < observed->provider_count) {
        struct observed_provider *provider = &observed->providers[recheck->turn++];
        if (provider->allocation_count)
            return provider;
    }
    recheck->turn = 0;
    return NULL;
}

/* The next provider and the part of it to read, in order to check the tree. NULL:
 * there is no provider. */
static struct observed_provider *next_to_compare(struct recheck *recheck,
                                                 struct observed *observed,
                                                 enum provider_part *part)
{
    size_t parts = PROVIDER_PARTS * observed->provider_count;
    for (size_t i = 0; i < parts; i++) {
        size_t number = recheck->compared++ % parts;
        *part = number % PROVIDER_PARTS;
        if (observed->providers[number / PROVIDER_PARTS].detailed)
            return &observed->providers[number / PROVIDER_PARTS];
    }
    return NULL;
}

/* Returns 0 also where the provider was deleted or has another generation: *current
 * says whether the result is of the known generation. */
static int read_one(struct placement_client *client,
                    const struct observed_provider *old, enum provider_part part,
                    struct observed_provider *out, bool *current, struct error *err)
{
    int64_t generation = 0;
    struct error why;
    *current = false;
    if (provider_read_part(client, old->provider.uuid, part, out, &generation, &why) !=
        0) {
        if (why.code == ERROR_NOT_FOUND)
            return 0;
        if (err)
            *err = why;
        return -1;
    }
    *current = generation == old->provider.generation;
    return 0;
}

static int check_allocations(struct placement_client *client,
                             struct observed_provider *provider, bool *same,
                             struct error *err)
{
    struct observed_provider read = {0};
    bool current;
    int rc = read_one(client, provider, PART_ALLOCATIONS, &read, &current, err);
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

static int compare_part(struct recheck *recheck, struct placement_client *client,
                        struct observed *observed, enum recheck_result *result,
                        struct error *err)
{
    struct observed_provider read = {0};
    enum provider_part part;
    struct observed_provider *provider = next_to_compare(recheck, observed, &part);
    *result = RECHECK_CHANGED;
    if (!provider)
        return 0;
    bool current;
    int rc = read_one(client, provider, part, &read, &current, err);
    if (current)
        *result =
            provider_same_part(provider, &read, part) ? RECHECK_SAME : RECHECK_OTHER;
    provider_clear_details(&read);
    return rc;
}

/* The turn ends with a comparison. */
void recheck_compare_next(struct recheck *recheck)
{
    recheck->turn = SIZE_MAX;
}

int recheck_one(struct recheck *recheck, struct placement_client *client,
                struct observed *observed, enum recheck_result *result,
                struct error *err)
{
    struct observed_provider *provider = next_with_allocations(recheck, observed);
    if (!provider)
        return compare_part(recheck, client, observed, result, err);
    bool same;
    int rc = check_allocations(client, provider, &same, err);
    *result = same ? RECHECK_SAME : RECHECK_CHANGED;
    return rc;
}

int recheck_departures(struct placement_client *client, struct observed *observed,
                       const struct strlist *providers, struct error *err)
{
    for (size_t i = 0; i < observed->provider_count; i++) {
        struct observed_provider *provider = &observed->providers[i];
        bool same;
        if (provider->allocation_count &&
            strlist_contains(providers, provider->provider.uuid) &&
            check_allocations(client, provider, &same, err) != 0)
            return -1;
    }
    return 0;
}
