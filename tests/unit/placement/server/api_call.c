#include "tests/unit/placement/server/api_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

static const struct store_options store_options = {
    .incomplete_project_id = "no-project",
    .incomplete_user_id = "no-user",
    .max_allocation_candidates = -1,
};

void api_world_open(struct api_world *world)
{
    const struct policy_options options = {0};
    struct error err;
    /* In memory, where there is such a place: thousands of commits wait for no disk. */
    snprintf(world->folder, sizeof world->folder, "%s/placementd-unit-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/db", world->folder);
    world->now = 1700000000;
    assert_ok(policy_new(&options, &world->api.policy, &err), &err);
    assert_ok(store_open(world->path, &store_options, &world->api.store, &err), &err);
    world->api.cors = (struct cors){.origins = &world->origins,
                                    .headers = &world->headers,
                                    .methods = &world->methods,
                                    .exposed = &world->exposed};
}

void api_world_reopen(struct api_world *world)
{
    struct error err;
    store_close(world->api.store);
    assert_ok(store_open(world->path, &store_options, &world->api.store, &err), &err);
}

void api_world_close(struct api_world *world)
{
    static const char *const names[] = {"db", "db-wal", "db-shm"};
    char path[128];
    store_close(world->api.store);
    policy_free(world->api.policy);
    strlist_clear(&world->origins);
    strlist_clear(&world->methods);
    strlist_clear(&world->headers);
    strlist_clear(&world->exposed);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", world->folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(world->folder), 0);
}

static void fill(struct request *request, const char *body,
                 const struct api_extra *extra)
{
    static const struct api_extra none;
    extra = extra ? extra : &none;
    request->body = body ? body : "";
    request->body_length = strlen(request->body);
    request->content_length = body ? "1" : NULL;
    request->content_type = extra->content_type ? extra->content_type
                            : body              ? "application/json"
                                                : NULL;
    request->accept = extra->accept;
    request->token = extra->token ? extra->token : "admin";
    request->roles = extra->roles;
    request->system_scope = extra->scope;
    request->origin = extra->origin;
    request->cors_method = extra->cors_method;
}

int api_call(struct api_world *world, int minor, const char *method, const char *target,
             const char *body, const struct api_extra *extra, struct reply *reply)
{
    char version[64];
    struct request request = {.method = method, .raw_target = target};
    _cleanup_free_ char *raw = xstrdup(target);
    char *question = strchr(raw, '?');
    snprintf(version, sizeof version, "placement 1.%d", minor);
    fill(&request, body, extra);
    request.api_version = extra && extra->version ? extra->version : version;
    memcpy(request.id, "req-00000000-0000-4000-8000-000000000000", sizeof request.id);
    request.now = world->now++;
    if (question)
        *question++ = 0;
    _cleanup_free_ char *path = query_decode_path(raw);
    request.path = path;
    if (query_parse(question, &request.query, NULL) != 0)
        request.query_problem = "no UTF-8";
    *reply = (struct reply){0};
    if (dispatch_admit(&world->api, &request, reply) == 0)
        dispatch_answer(&world->api, &request, reply);
    if (store_commit(world->api.store, &world->commit_error) != 0) {
        reply_clear(reply);
        dispatch_answer_again(&world->api, &request, reply, &world->commit_error);
    }
    query_clear(&request.query);
    identity_clear(&request.identity);
    *buffer_reserve(&reply->body.out, 1) = 0; /* tests read it as a string */
    return reply->status;
}

void api_expect(struct api_world *world, int minor, const char *method,
                const char *target, const char *body, int status, const char *text)
{
    struct reply reply;
    int got = api_call(world, minor, method, target, body, NULL, &reply);
    if (got != status || (text && !strstr(reply.body.out.text, text)))
        fail_msg("1.%d %s %s %s: expected %d with '%s', got %d %s", minor, method,
                 target, body ? body : "", status, text ? text : "", got,
                 reply.body.out.text);
    reply_clear(&reply);
}

/* ---- a graph as text ---- */

static void write_inventory(FILE *out, const struct provider_inventory *inventory)
{
    const struct inventory *limits = &inventory->limits;
    fprintf(out,
            "  inventory %s %lld %lld %lld %lld %lld %.17g at %lld used %lld of %zu\n",
            inventory->class->name, (long long)limits->total,
            (long long)limits->reserved, (long long)limits->min_unit,
            (long long)limits->max_unit, (long long)limits->step_size,
            limits->allocation_ratio, (long long)inventory->modified,
            (long long)inventory->used, inventory->allocation_count);
    int64_t used = 0;
    size_t count = 0;
    for (const struct allocation *a = inventory->allocations; a;
         a = a->next_of_inventory) {
        used += a->used;
        count++;
    }
    if (used != inventory->used || count != inventory->allocation_count)
        fprintf(out, "  NOT THE SUM\n");
}

static void write_provider(FILE *out, const struct resource_provider *provider)
{
    fprintf(
        out,
        "provider %lld %s '%s' generation %lld at %lld root %s parent %s, %zu below\n",
        (long long)provider->id, provider->uuid, provider->name,
        (long long)provider->generation, (long long)provider->modified,
        provider->root->uuid, provider->parent ? provider->parent->uuid : "-",
        provider->child_count);
    for (size_t i = 0; i < provider->tree.count; i++)
        fprintf(out, "  tree %s\n", provider->tree.items[i]->uuid);
    for (size_t i = 0; i < provider->inventories.count; i++)
        write_inventory(out, provider->inventories.items[i]);
    for (size_t i = 0; i < provider->trait_count; i++)
        fprintf(out, "  trait %s\n", provider->traits[i]->name);
    for (size_t i = 0; i < provider->aggregate_count; i++)
        fprintf(out, "  aggregate %s\n", provider->aggregates[i]->uuid);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Maps have no order: each entry becomes a line, and these are sorted. */
static void write_sorted(FILE *out, const struct map *map,
                         char *(*line_of)(struct map_entry *entry))
{
    _cleanup_strlist_ struct strlist lines = {0};
    for (size_t i = 0; i < map->bucket_count; i++)
        for (struct map_entry *entry = map->buckets[i]; entry; entry = entry->next)
            strlist_add_take(&lines, line_of(entry));
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof *lines.items, by_text);
    for (size_t i = 0; i < lines.count; i++)
        fprintf(out, "%s\n", lines.items[i]);
}

static char *consumer_line(struct map_entry *entry)
{
    const struct consumer *c = map_owner(entry, struct consumer, by_uuid);
    _cleanup_strlist_ struct strlist parts = {0};
    for (const struct allocation *a = c->allocations; a; a = a->next_of_consumer)
        strlist_add_take(&parts,
                         xasprintf("%s/%s=%lld at %lld", a->inventory->provider->uuid,
                                   a->inventory->class->name, (long long)a->used,
                                   (long long)a->created));
    strlist_sort(&parts);
    _cleanup_free_ char *all = strlist_join(&parts, ", ");
    return xasprintf("consumer %lld %s generation %lld %s %s %s: %s", (long long)c->id,
                     c->uuid, (long long)c->generation, c->project->name, c->user->name,
                     c->type ? c->type->name : "-", all);
}

static char *aggregate_line(struct map_entry *entry)
{
    const struct aggregate *a = map_owner(entry, struct aggregate, by_uuid);
    return xasprintf("aggregate %lld %s: %zu", (long long)a->id, a->uuid,
                     a->providers.count);
}

static char *project_line(struct map_entry *entry)
{
    const struct external_id *o = map_owner(entry, struct external_id, by_name);
    size_t count = 0;
    for (const struct consumer *c = o->consumers; c; c = c->next)
        count++;
    return xasprintf("external_id %lld %s: %zu", (long long)o->id, o->name, count);
}

char *graph_text(const struct graph *graph)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    for (size_t i = 0; i < graph->providers.count; i++)
        write_provider(out, graph->providers.items[i]);
    for (size_t i = 0; i < graph->roots.count; i++)
        fprintf(out, "root %s\n", graph->roots.items[i]->uuid);
    for (size_t i = 0; i < graph->class_count; i++) {
        const struct resource_class *class = graph->classes[i];
        fprintf(out, "class %lld %s at %lld:", (long long)class->id, class->name,
                (long long)class->modified);
        for (size_t k = 0; k < class->inventories.count; k++)
            fprintf(out, " %lld", (long long)class->inventories.items[k]->provider->id);
        fprintf(out, "\n");
    }
    for (size_t i = 0; i < graph->trait_count; i++) {
        const struct trait *trait = graph->traits[i];
        fprintf(out, "trait %lld %s at %lld:", (long long)trait->id, trait->name,
                (long long)trait->modified);
        for (size_t k = 0; k < trait->providers.count; k++)
            fprintf(out, " %lld", (long long)trait->providers.items[k]->id);
        fprintf(out, "\n");
    }
    write_sorted(out, &graph->aggregates, aggregate_line);
    write_sorted(out, &graph->projects, project_line);
    write_sorted(out, &graph->users, project_line);
    write_sorted(out, &graph->consumer_types, project_line);
    write_sorted(out, &graph->consumers, consumer_line);
    fclose(out);
    return text;
}
