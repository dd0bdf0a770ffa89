#include "placement/server/route.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strlist.h"
#include "placement/server/message/accept.h"

#define PROVIDER "/resource_providers/{uuid}"
#define TAKES ROUTE_TAKES_JSON
#define GIVES ROUTE_GIVES_JSON

/* Rows of one path stand together, in the order that Allow lists the methods. */
const struct route routes[] = {
    {"GET", "/", 0, version_document_get, POLICY_OPEN},

    {"GET", "/resource_classes", MICROVERSION_RESOURCE_CLASSES, resource_classes_list,
     POLICY_RESOURCE_CLASSES_LIST, GIVES},
    {"POST", "/resource_classes", MICROVERSION_RESOURCE_CLASSES, resource_class_create,
     POLICY_RESOURCE_CLASSES_CREATE, TAKES},

    {"GET", "/resource_classes/{name}", MICROVERSION_RESOURCE_CLASSES,
     resource_class_get, POLICY_RESOURCE_CLASSES_SHOW, GIVES},
    {"PUT", "/resource_classes/{name}", MICROVERSION_RESOURCE_CLASSES,
     resource_class_rename, POLICY_RESOURCE_CLASSES_UPDATE, TAKES,
     .until = MICROVERSION_ENSURE_CLASS - 1},
    {"PUT", "/resource_classes/{name}", MICROVERSION_ENSURE_CLASS,
     resource_class_ensure, POLICY_RESOURCE_CLASSES_UPDATE},
    {"DELETE", "/resource_classes/{name}", MICROVERSION_RESOURCE_CLASSES,
     resource_class_delete, POLICY_RESOURCE_CLASSES_DELETE},

    {"GET", "/resource_providers", 0, resource_providers_list,
     POLICY_RESOURCE_PROVIDERS_LIST, GIVES},
    {"POST", "/resource_providers", 0, resource_provider_create,
     POLICY_RESOURCE_PROVIDERS_CREATE, TAKES},

    {"GET", PROVIDER, 0, resource_provider_get, POLICY_RESOURCE_PROVIDERS_SHOW, GIVES},
    {"DELETE", PROVIDER, 0, resource_provider_delete, POLICY_RESOURCE_PROVIDERS_DELETE},
    {"PUT", PROVIDER, 0, resource_provider_update, POLICY_RESOURCE_PROVIDERS_UPDATE,
     TAKES},

    {"GET", PROVIDER "/inventories", 0, inventories_get,
     POLICY_RESOURCE_PROVIDERS_INVENTORIES_LIST, GIVES},
    {"POST", PROVIDER "/inventories", 0, inventory_create,
     POLICY_RESOURCE_PROVIDERS_INVENTORIES_CREATE, TAKES},
    {"PUT", PROVIDER "/inventories", 0, inventories_set,
     POLICY_RESOURCE_PROVIDERS_INVENTORIES_UPDATE, TAKES},
    {"DELETE", PROVIDER "/inventories", MICROVERSION_DELETE_INVENTORIES,
     inventories_delete, POLICY_RESOURCE_PROVIDERS_INVENTORIES_DELETE,
     ROUTE_TOO_OLD_IS_405},

    {"GET", PROVIDER "/inventories/{resource_class}", 0, inventory_get,
     POLICY_RESOURCE_PROVIDERS_INVENTORIES_SHOW, GIVES},
    {"PUT", PROVIDER "/inventories/{resource_class}", 0, inventory_update,
     POLICY_RESOURCE_PROVIDERS_INVENTORIES_UPDATE, TAKES},
    {"DELETE", PROVIDER "/inventories/{resource_class}", 0, inventory_delete,
     POLICY_RESOURCE_PROVIDERS_INVENTORIES_DELETE},

    {"GET", PROVIDER "/usages", 0, usages_get_of_provider,
     POLICY_RESOURCE_PROVIDERS_USAGES, GIVES},

    {"GET", PROVIDER "/aggregates", MICROVERSION_AGGREGATES, aggregates_get,
     POLICY_RESOURCE_PROVIDERS_AGGREGATES_LIST, GIVES | ROUTE_MEDIA_FIRST},
    {"PUT", PROVIDER "/aggregates", MICROVERSION_AGGREGATES, aggregates_set,
     POLICY_RESOURCE_PROVIDERS_AGGREGATES_UPDATE, TAKES | ROUTE_MEDIA_FIRST},

    {"GET", PROVIDER "/allocations", 0, provider_allocations_get,
     POLICY_RESOURCE_PROVIDERS_ALLOCATIONS_LIST, GIVES},

    {"POST", "/allocations", MICROVERSION_POST_ALLOCATIONS, allocations_post,
     POLICY_ALLOCATIONS_MANAGE, TAKES},

    {"GET", "/allocations/{consumer_uuid}", 0, allocations_get, POLICY_ALLOCATIONS_LIST,
     GIVES},
    {"PUT", "/allocations/{consumer_uuid}", 0, allocations_set,
     POLICY_ALLOCATIONS_UPDATE, TAKES},
    {"DELETE", "/allocations/{consumer_uuid}", 0, allocations_delete,
     POLICY_ALLOCATIONS_DELETE},

    {"GET", "/allocation_candidates", MICROVERSION_CANDIDATES,
     allocation_candidates_list, POLICY_ALLOCATION_CANDIDATES_LIST, GIVES},

    {"GET", "/traits", MICROVERSION_TRAITS, traits_list, POLICY_TRAITS_LIST, GIVES},

    {"GET", "/traits/{name}", MICROVERSION_TRAITS, trait_get, POLICY_TRAITS_SHOW},
    {"PUT", "/traits/{name}", MICROVERSION_TRAITS, trait_ensure, POLICY_TRAITS_UPDATE},
    {"DELETE", "/traits/{name}", MICROVERSION_TRAITS, trait_delete,
     POLICY_TRAITS_DELETE},

    {"GET", PROVIDER "/traits", MICROVERSION_TRAITS, provider_traits_get,
     POLICY_RESOURCE_PROVIDERS_TRAITS_LIST, GIVES},
    {"PUT", PROVIDER "/traits", MICROVERSION_TRAITS, provider_traits_set,
     POLICY_RESOURCE_PROVIDERS_TRAITS_UPDATE, TAKES},
    {"DELETE", PROVIDER "/traits", MICROVERSION_TRAITS, provider_traits_delete,
     POLICY_RESOURCE_PROVIDERS_TRAITS_DELETE},

    {"GET", "/usages", MICROVERSION_USAGES, usages_get_of_project, POLICY_USAGES,
     GIVES | ROUTE_OF_ASKED_PROJECT},

    {"POST", "/reshaper", MICROVERSION_RESHAPER, reshaper_post, POLICY_RESHAPER_RESHAPE,
     TAKES},
    {0},
};

/* Whether `path` has the form of `pattern`. The items are copied, NUL-terminated, into
 * `storage`, which is as large as the path. */
static bool match(const char *pattern, const char *path, char *storage,
                  const char **items)
{
    for (size_t item = 0; *pattern; item++) {
        size_t same = strcspn(pattern, "{");
        if (strncmp(pattern, path, same) != 0)
            return false;
        pattern += same;
        path += same;
        if (!*pattern)
            break;
        size_t length = strcspn(path, "/");
        if (length == 0)
            return false;
        memcpy(storage, path, length);
        storage[length] = 0;
        items[item] = storage;
        storage += length + 1;
        path += length;
        pattern += strcspn(pattern, "}") + 1;
    }
    return !*path;
}

static bool in_range(const struct route *route, int microversion)
{
    return microversion >= route->since &&
           (route->until == 0 || microversion <= route->until);
}

static int check_media(const struct route *route, const struct request *request,
                       struct reply *reply)
{
    static const char *const json_only[] = {"application/json", NULL};
    const char *type = request->content_type ? request->content_type : "";
    /* As in upstream, parameters such as charset are ignored, and upper case does not
     * match. */
    size_t length = strcspn(type, ";");
    if ((route->flags & ROUTE_TAKES_JSON) &&
        (length != strlen(*json_only) || strncmp(type, *json_only, length) != 0))
        return reply_problem(
            reply, 415, NULL, "The media type %.*s is not supported, use %s",
            length ? (int)length : 4, length ? type : "None", *json_only);
    if ((route->flags & ROUTE_GIVES_JSON) && !accept_best(request->accept, json_only))
        return reply_problem(reply, 406, NULL, "Only %s is provided", *json_only);
    return 0;
}

/* The value of the Allow header, "GET, POST": the methods of the rows from `route` on
 * that have the same path. The caller frees. */
static char *allowed(const struct route *route)
{
    struct strlist methods = {0};
    const char *path = route->path;
    for (; route->path && strcmp(route->path, path) == 0; route++)
        strlist_add_unique(&methods, route->method);
    char *text = strlist_join(&methods, ", ");
    strlist_clear(&methods);
    return text;
}

static int refuse_method(const struct route *first, struct reply *reply)
{
    reply_problem(reply, 405, NULL,
                  "The method specified is not allowed for this resource.");
    reply->allow = allowed(first);
    return -1;
}

static const struct route *first_of_path(struct request *request, char *storage)
{
    const struct route *route = routes;
    while (route->path &&
           !match(route->path, request->path, storage, request->path_items))
        route++;
    return route->path ? route : NULL;
}

/* Upstream checks content-length before it looks for the route. */
static int check_length(const struct request *request, struct reply *reply)
{
    if (!request->content_length)
        return 0;
    char *end;
    long long length = strtoll(request->content_length, &end, 10);
    if (*end || end == request->content_length)
        return reply_problem(reply, 400, NULL,
                             "content-length header must be an integer");
    if (length > 0 && !(request->content_type && *request->content_type))
        return reply_problem(reply, 400, NULL,
                             "content-type header required when content-length > 0");
    return 0;
}

const struct route *route_find(struct request *request, char *path_storage,
                               struct reply *reply)
{
    if (check_length(request, reply) != 0)
        return NULL;
    const struct route *first = first_of_path(request, path_storage), *found = NULL;
    if (!first) {
        reply_problem(reply, 404, NULL, "%s", "");
        return NULL;
    }
    for (const struct route *route = first;
         route->path && strcmp(route->path, first->path) == 0; route++)
        if (strcmp(route->method, request->method) == 0 &&
            (!found || in_range(route, request->microversion)))
            found = route;
    if (!found) {
        refuse_method(first, reply);
        return NULL;
    }
    if ((found->flags & ROUTE_MEDIA_FIRST) && check_media(found, request, reply) != 0)
        return NULL;
    if (!in_range(found, request->microversion)) {
        reply_problem(reply, found->flags & ROUTE_TOO_OLD_IS_405 ? 405 : 404, NULL,
                      "%s", "");
        return NULL;
    }
    return check_media(found, request, reply) == 0 ? found : NULL;
}
