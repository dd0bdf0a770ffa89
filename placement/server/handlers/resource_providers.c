/* /resource_providers and /resource_providers/{uuid}, except for the list. */
#include <stdio.h>
#include <string.h>

#include "lib/uuid.h"
#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"
#include "placement/server/handlers/resource_providers.h"
#include "placement/server/message/uuid_like.h"

static const struct schema name_schema = {.type = SCHEMA_STRING, .max_length = 200};
static const struct schema uuid_schema = {.type = SCHEMA_STRING, .uuid = true};
static const struct schema parent_schema = {.type = SCHEMA_UUID_OR_NULL};

static const struct schema post_schema = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"name", &name_schema, true},
                                                   {"uuid", &uuid_schema},
                                                   {0}},
};
static const struct schema post_schema_14 = {
    .type = SCHEMA_OBJECT,
    .properties =
        (const struct schema_property[]){{"name", &name_schema, true},
                                         {"uuid", &uuid_schema},
                                         {"parent_provider_uuid", &parent_schema},
                                         {0}},
};
static const struct schema put_schema = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"name", &name_schema, true}, {0}},
};
static const struct schema put_schema_14 = {
    .type = SCHEMA_OBJECT,
    .properties =
        (const struct schema_property[]){{"name", &name_schema, true},
                                         {"parent_provider_uuid", &parent_schema},
                                         {0}},
};

/* ---- as JSON ---- */

/* The sub-resources of a provider, by the last part of their URL. */
static const struct link {
    const char *rel, *end;
    int since;
} links[] = {{"self", "", 0},
             {"inventories", "/inventories", 0},
             {"usages", "/usages", 0},
             {"aggregates", "/aggregates", MICROVERSION_AGGREGATES},
             {"traits", "/traits", MICROVERSION_TRAITS},
             {"allocations", "/allocations", MICROVERSION_ALLOCATIONS_LINK}};

/* Written without printf(): a list of providers has thousands of links. */
static void write_link(struct json_writer *w, const char *uuid, const struct link *link)
{
    static const char prefix[] = "/resource_providers/";
    char href[sizeof prefix + UUID_TEXT_SIZE + sizeof "/inventories"];
    char *at = mempcpy(href, prefix, sizeof prefix - 1);
    at = mempcpy(at, uuid, UUID_TEXT_SIZE - 1);
    memcpy(at, link->end, strlen(link->end) + 1);
    json_write_begin_object(w);
    json_write_string_member(w, "rel", link->rel);
    json_write_string_member(w, "href", href);
    json_write_end_object(w);
}

void resource_provider_write(struct json_writer *w,
                             const struct resource_provider *provider, int microversion)
{
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", provider->uuid);
    json_write_string_member(w, "name", provider->name);
    json_write_int_member(w, "generation", provider->generation);
    json_write_key(w, "links");
    json_write_begin_array(w);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (microversion >= links[i].since)
            write_link(w, provider->uuid, &links[i]);
    json_write_end_array(w);
    if (microversion >= MICROVERSION_NESTED_PROVIDERS) {
        json_write_string_member(w, "parent_provider_uuid",
                                 provider->parent ? provider->parent->uuid : NULL);
        json_write_string_member(w, "root_provider_uuid", provider->root->uuid);
    }
    json_write_end_object(w);
}

static int give_provider(struct reply *reply, const struct request *request,
                         const struct resource_provider *provider)
{
    resource_provider_write(&reply->body, provider, request->microversion);
    reply_last_modified(reply, request, provider->modified);
    return 0;
}

/* ---- create ---- */

/* Which of the two is already in use, as "uuid: ..." or "name: ..."; NULL when neither
 * is. */
static char *taken(const struct graph *graph, const char *uuid, const char *name)
{
    if (graph_provider(graph, uuid))
        return xasprintf("uuid: %s", uuid);
    return graph_provider_by_name(graph, name) ? xasprintf("name: %s", name) : NULL;
}

static int refuse_creation(struct reply *reply, const char *name, const char *uuid,
                           const char *reason)
{
    return reply_problem(reply, 400, NULL,
                         "Unable to create resource provider \"%s\", %s: Object action "
                         "create failed because: %s",
                         name, uuid, reason);
}

/* Finds the parent that the body of a POST names. *out is NULL when the provider is to
 * be a root. */
static int find_new_parent(const struct graph *graph, struct json_object *body,
                           const char *name, const char *uuid,
                           struct resource_provider **out, struct reply *reply)
{
    struct json_object *member = json_member(body, "parent_provider_uuid");
    *out = NULL;
    if (!member)
        return 0;
    const char *parent = json_object_get_string(member);
    if (strcmp(parent, uuid) == 0)
        return refuse_creation(
            reply, name, uuid,
            "parent provider UUID cannot be same as UUID. Please set "
            "parent provider UUID to None if there is no parent.");
    *out = graph_provider(graph, parent);
    if (!*out)
        return refuse_creation(reply, name, uuid,
                               "parent provider UUID does not exist.");
    return 0;
}

static int give_created(struct reply *reply, const struct request *request,
                        const struct resource_provider *provider)
{
    reply->location = xasprintf("/resource_providers/%s", provider->uuid);
    if (request_at_least(request, MICROVERSION_CREATED_PROVIDER))
        return give_provider(reply, request, provider);
    reply->status = 201;
    return 0;
}

int resource_provider_create(struct store *store, const struct request *request,
                             struct reply *reply)
{
    const struct schema *schema =
        request_at_least(request, MICROVERSION_NESTED_PROVIDERS) ? &post_schema_14
                                                                 : &post_schema;
    _cleanup_json_ struct json_object *body = NULL;
    if (schema_read_body(schema, request, &body, reply) != 0)
        return -1;
    const char *name = json_object_get_string(json_member(body, "name"));
    struct json_object *given = json_member(body, "uuid");
    char uuid[UUID_TEXT_SIZE];
    if (!given || !uuid_like(json_object_get_string(given), uuid))
        uuid4_text(uuid);
    if (!*name)
        return refuse_creation(reply, name, uuid, "name is required");
    struct resource_provider *parent, *provider;
    if (find_new_parent(&store->graph, body, name, uuid, &parent, reply) != 0)
        return -1;
    _cleanup_free_ char *conflict = taken(&store->graph, uuid, name);
    if (conflict)
        return reply_problem(reply, 409, CODE_DUPLICATE_NAME,
                             "Conflicting resource provider %s already exists.",
                             conflict);
    struct error err;
    if (store_create_provider(store, uuid, name, parent, &provider, &err) != 0)
        return handler_failed(reply, &err);
    return give_created(reply, request, provider);
}

/* ---- get, delete ---- */

int resource_provider_get(struct store *store, const struct request *request,
                          struct reply *reply)
{
    const struct resource_provider *provider = handler_provider(store, request, reply);
    return provider ? give_provider(reply, request, provider) : -1;
}

static bool has_allocations(const struct resource_provider *provider)
{
    for (size_t i = 0; i < provider->inventories.count; i++)
        if (provider->inventories.items[i]->allocation_count > 0)
            return true;
    return false;
}

int resource_provider_delete(struct store *store, const struct request *request,
                             struct reply *reply)
{
    const char *uuid = request->path_items[0];
    struct resource_provider *provider = graph_provider(&store->graph, uuid);
    if (!provider)
        return reply_problem(reply, 404, NULL,
                             "No resource provider with uuid %s found for delete",
                             uuid);
    if (provider->child_count > 0)
        return reply_problem(reply, 409, CODE_PROVIDER_IS_PARENT,
                             "Unable to delete parent resource provider %s: It has "
                             "child resource providers.",
                             uuid);
    if (has_allocations(provider))
        return reply_problem(reply, 409, CODE_PROVIDER_INUSE,
                             "Unable to delete resource provider %s: Resource provider "
                             "has allocations.",
                             uuid);
    struct error err;
    if (store_delete_provider(store, provider, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}

/* ---- update ---- */

static int refuse_update(struct reply *reply, const struct resource_provider *provider,
                         const char *action, const char *reason)
{
    return reply_problem(reply, 400, NULL,
                         "Unable to save resource provider %s: Object action %s failed "
                         "because: %s",
                         provider->uuid, action, reason);
}

/* Finds the parent that a PUT gives the provider. Before 1.37 a parent cannot be
 * changed once it is set. */
static int find_changed_parent(const struct graph *graph, struct json_object *body,
                               const struct resource_provider *provider, bool may_move,
                               struct resource_provider **out, struct reply *reply)
{
    struct json_object *member = NULL;
    *out = provider->parent;
    if (!json_object_object_get_ex(body, "parent_provider_uuid", &member))
        return 0;
    if (!member && provider->parent && !may_move)
        return refuse_update(reply, provider, "update",
                             "un-parenting a provider is not currently allowed.");
    *out = member ? graph_provider(graph, json_object_get_string(member)) : NULL;
    if (!member)
        return 0;
    if (!*out)
        return refuse_update(reply, provider, "create",
                             "parent provider UUID does not exist.");
    if (provider->parent && *out != provider->parent && !may_move)
        return refuse_update(reply, provider, "update",
                             "re-parenting a provider is not currently allowed.");
    if (provider_is_below(*out, provider))
        return refuse_update(reply, provider, "update",
                             "creating loop in the provider tree is not allowed.");
    return 0;
}

int resource_provider_update(struct store *store, const struct request *request,
                             struct reply *reply)
{
    struct resource_provider *provider = handler_provider(store, request, reply),
                             *parent;
    if (!provider)
        return -1;
    const struct schema *schema =
        request_at_least(request, MICROVERSION_NESTED_PROVIDERS) ? &put_schema_14
                                                                 : &put_schema;
    _cleanup_json_ struct json_object *body = NULL;
    if (schema_read_body(schema, request, &body, reply) != 0 ||
        find_changed_parent(&store->graph, body, provider,
                            request_at_least(request, MICROVERSION_MOVED_PROVIDERS),
                            &parent, reply) != 0)
        return -1;
    const char *name = json_object_get_string(json_member(body, "name"));
    const struct resource_provider *other = graph_provider_by_name(&store->graph, name);
    if (other && other != provider)
        return reply_problem(reply, 409, CODE_DUPLICATE_NAME,
                             "Conflicting resource provider %s already exists.", name);
    struct error err;
    if (store_update_provider(store, provider, name, parent, &err) != 0)
        return handler_failed(reply, &err);
    return give_provider(reply, request, provider);
}
