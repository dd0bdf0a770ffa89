#include "placement/server/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lower_bound.h"

/* A reply that has so many bytes gets no further provider. */
#define ENOUGH 32768
/* Of each provider; the counts beside the lists tell of more. */
#define MOST_IN_LIST 32
#define MOST_TRAITS_READ 256

#define CUSTOM "CUSTOM_"

static void write_inventories(struct json_writer *w,
                              const struct resource_provider *provider)
{
    const struct inventory_list *list = &provider->inventories;
    json_write_int_member(w, "inventory_count", (int64_t)list->count);
    json_write_key(w, "inventories");
    json_write_begin_object(w);
    for (size_t i = 0; i < list->count && i < MOST_IN_LIST; i++) {
        const struct provider_inventory *inventory = list->items[i];
        json_write_key(w, inventory->class->name);
        json_write_begin_object(w);
        json_write_int_member(w, "total", inventory->limits.total);
        json_write_int_member(w, "used", inventory->used);
        json_write_int_member(w, "reserved", inventory->limits.reserved);
        json_write_key(w, "allocation_ratio");
        json_write_double(w, inventory->limits.allocation_ratio);
        json_write_int_member(w, "allocations", (int64_t)inventory->allocation_count);
        json_write_end_object(w);
    }
    json_write_end_object(w);
}

/* The custom ones, which flavors ask for by name: a type has some twenty standard ones.
 * They mostly have the higher ids. */
static void write_traits(struct json_writer *w,
                         const struct resource_provider *provider)
{
    size_t count = provider->trait_count, shown = 0;
    size_t least = count > MOST_TRAITS_READ ? count - MOST_TRAITS_READ : 0;
    json_write_int_member(w, "trait_count", (int64_t)count);
    json_write_key(w, "traits");
    json_write_begin_array(w);
    for (size_t i = count; i-- > least && shown < MOST_IN_LIST;) {
        const char *name = provider->traits[i]->name;
        if (strncmp(name, CUSTOM, strlen(CUSTOM)) != 0)
            continue;
        json_write_string(w, name);
        shown++;
    }
    json_write_end_array(w);
}

static void write_provider(struct json_writer *w,
                           const struct resource_provider *provider)
{
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", provider->uuid);
    json_write_string_member(w, "name", provider->name);
    json_write_string_member(w, "parent",
                             provider->parent ? provider->parent->uuid : NULL);
    json_write_int_member(w, "generation", provider->generation);
    write_inventories(w, provider);
    write_traits(w, provider);
    json_write_end_object(w);
}

static void write_counts(struct json_writer *w, const struct graph *graph)
{
    json_write_key(w, "counts");
    json_write_begin_object(w);
    json_write_int_member(w, "providers", (int64_t)graph->providers.count);
    json_write_int_member(w, "trees", (int64_t)graph->roots.count);
    json_write_int_member(w, "consumers", (int64_t)graph->consumers.count);
    json_write_end_object(w);
}

static void write_problems(struct json_writer *w, bool writable)
{
    json_write_key(w, "problems");
    json_write_begin_array(w);
    if (!writable)
        json_write_string(
            w, "changes are refused with 503: the disk does not take them, or the "
               "file of the database was deleted or replaced (the log says which); "
               "make room, put the file back, or restart `placementd` on a backup");
    json_write_end_array(w);
}

/* The place behind the provider of that id, which may be gone by now. */
static size_t first_after(const struct provider_list *list, int64_t after)
{
    return lower_bound(i, list->count, list->items[i]->id <= after);
}

static void write_providers(struct json_writer *w, const struct provider_list *list,
                            int64_t after)
{
    size_t at = first_after(list, after);
    json_write_key(w, "providers");
    json_write_begin_array(w);
    for (; at < list->count && w->out.length < ENOUGH; at++)
        write_provider(w, list->items[at]);
    json_write_end_array(w);
    /* A path as it is to be asked for. */
    char next[64];
    snprintf(next, sizeof next, "/status.json?after=%lld",
             at > 0 ? (long long)list->items[at - 1]->id : 0LL);
    json_write_string_member(w, "next", at < list->count ? next : NULL);
}

/* The value of `after`; 0 without it, -1 where it is none. */
static int64_t after_of(const struct request *request)
{
    const char *text = query_last(&request->query, "after");
    char *end;
    if (!text)
        return 0;
    errno = 0;
    long long after = strtoll(text, &end, 10);
    return errno || end == text || *end || after < 0 ? -1 : after;
}

void status_answer(const struct store *store, const struct request *request,
                   struct reply *reply)
{
    int64_t after = after_of(request);
    if (after < 0 || request->query_problem) {
        reply_problem(reply, 400, NULL, "after: expected a number, as `next` has it");
        return;
    }
    struct json_writer *w = &reply->body;
    bool writable = store_is_writable(store);
    json_write_begin_object(w);
    json_write_string_member(w, "program", "placementd");
    json_write_string_member(w, "version", VERSION);
    json_write_int_member(w, "time", request->now);
    json_write_bool_member(w, "well", writable);
    json_write_bool_member(w, "writable", writable);
    write_counts(w, &store->graph);
    write_problems(w, writable);
    write_providers(w, &store->graph.providers, after);
    json_write_end_object(w);
    reply->status = 200;
}
