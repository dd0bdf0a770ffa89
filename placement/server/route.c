#include "placement/server/route.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strlist.h"
#include "placement/server/message/accept.h"

#define PROVIDER "/resource_providers/{uuid}"
#define TAKES ROUTE_TAKES_JSON
#define GIVES ROUTE_GIVES_JSON
#define RULE(name) "placement:" name

/* Rows of one path stand together, in the order that Allow lists the methods. */
const struct route routes[] = {
    {"GET", "/", 0, 0, root_get},

    {"GET", "/resource_classes", 2, 0, resource_classes_list,
     RULE("resource_classes:list"), GIVES},
    {"POST", "/resource_classes", 2, 0, resource_class_create,
     RULE("resource_classes:create"), TAKES},

    {"GET", "/resource_classes/{name}", 2, 0, resource_class_get,
     RULE("resource_classes:show"), GIVES},
    {"PUT", "/resource_classes/{name}", 2, 6, resource_class_rename,
     RULE("resource_classes:update"), TAKES},
    {"PUT", "/resource_classes/{name}", 7, 0, resource_class_ensure,
     RULE("resource_classes:update")},
    {"DELETE", "/resource_classes/{name}", 2, 0, resource_class_delete,
     RULE("resource_classes:delete")},

    {"GET", "/resource_providers", 0, 0, resource_providers_list,
     RULE("resource_providers:list"), GIVES},
    {"POST", "/resource_providers", 0, 0, resource_provider_create,
     RULE("resource_providers:create"), TAKES},

    {"GET", PROVIDER, 0, 0, resource_provider_get, RULE("resource_providers:show"),
     GIVES},
    {"DELETE", PROVIDER, 0, 0, resource_provider_delete,
     RULE("resource_providers:delete")},
    {"PUT", PROVIDER, 0, 0, resource_provider_update, RULE("resource_providers:update"),
     TAKES},

    {"GET", PROVIDER "/inventories", 0, 0, inventories_get,
     RULE("resource_providers:inventories:list"), GIVES},
    {"POST", PROVIDER "/inventories", 0, 0, inventory_create,
     RULE("resource_providers:inventories:create"), TAKES},
    {"PUT", PROVIDER "/inventories", 0, 0, inventories_set,
     RULE("resource_providers:inventories:update"), TAKES},
    {"DELETE", PROVIDER "/inventories", 5, 0, inventories_delete,
     RULE("resource_providers:inventories:delete"), ROUTE_TOO_OLD_IS_405},

    {"GET", PROVIDER "/inventories/{resource_class}", 0, 0, inventory_get,
     RULE("resource_providers:inventories:show"), GIVES},
    {"PUT", PROVIDER "/inventories/{resource_class}", 0, 0, inventory_update,
     RULE("resource_providers:inventories:update"), TAKES},
    {"DELETE", PROVIDER "/inventories/{resource_class}", 0, 0, inventory_delete,
     RULE("resource_providers:inventories:delete")},

    {"GET", PROVIDER "/usages", 0, 0, provider_usages_get,
     RULE("resource_providers:usages"), GIVES},

    {"GET", PROVIDER "/aggregates", 1, 0, aggregates_get,
     RULE("resource_providers:aggregates:list"), GIVES | ROUTE_MEDIA_FIRST},
    {"PUT", PROVIDER "/aggregates", 1, 0, aggregates_set,
     RULE("resource_providers:aggregates:update"), TAKES | ROUTE_MEDIA_FIRST},

    {"GET", PROVIDER "/allocations", 0, 0, provider_allocations_get,
     RULE("resource_providers:allocations:list"), GIVES},

    {"POST", "/allocations", 13, 0, allocations_post, RULE("allocations:manage"),
     TAKES},

    {"GET", "/allocations/{consumer_uuid}", 0, 0, allocations_get,
     RULE("allocations:list"), GIVES},
    {"PUT", "/allocations/{consumer_uuid}", 0, 0, allocations_set,
     RULE("allocations:update"), TAKES},
    {"DELETE", "/allocations/{consumer_uuid}", 0, 0, allocations_delete,
     RULE("allocations:delete")},

    {"GET", "/allocation_candidates", 10, 0, allocation_candidates_list,
     RULE("allocation_candidates:list"), GIVES},

    {"GET", "/traits", 6, 0, traits_list, RULE("traits:list"), GIVES},

    {"GET", "/traits/{name}", 6, 0, trait_get, RULE("traits:show")},
    {"PUT", "/traits/{name}", 6, 0, trait_ensure, RULE("traits:update")},
    {"DELETE", "/traits/{name}", 6, 0, trait_delete, RULE("traits:delete")},

    {"GET", PROVIDER "/traits", 6, 0, provider_traits_get,
     RULE("resource_providers:traits:list"), GIVES},
    {"PUT", PROVIDER "/traits", 6, 0, provider_traits_set,
     RULE("resource_providers:traits:update"), TAKES},
    {"DELETE", PROVIDER "/traits", 6, 0, provider_traits_delete,
     RULE("resource_providers:traits:delete")},

    {"GET", "/usages", 9, 0, total_usages_get, RULE("usages"), GIVES},

    {"POST", "/reshaper", 30, 0, reshape, RULE("reshaper:reshape"), TAKES},
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
    /* Parameters, such as charset, do not matter; case does. */
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

/* "GET, POST": each method of the rows from `route` on that have its path. */
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

/* content-length is looked at before the route, as upstream does. */
static int check_length(const struct request *request, struct reply *reply)
{
    if (!request->content_length || (request->content_type && *request->content_type))
        return 0;
    char *end;
    long long length = strtoll(request->content_length, &end, 10);
    if (*end || end == request->content_length)
        return reply_problem(reply, 400, NULL,
                             "content-length header must be an integer");
    if (length > 0)
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
