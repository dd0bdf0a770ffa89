/* /resource_classes and what is below it. */
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/handlers/handlers.h"

/* Smaller ids are those of standard classes, which cannot be changed. */
#define FIRST_CUSTOM_CLASS 10000

static const struct schema name_schema = {
    .type = SCHEMA_STRING, .pattern = &schema_custom_name, .max_length = 255};
static const struct schema body_schema = {
    .type = SCHEMA_OBJECT,
    .properties = (const struct schema_property[]){{"name", &name_schema, true}, {0}},
};

static void write_class(struct json_writer *w, const struct resource_class *class)
{
    _cleanup_free_ char *href = xasprintf("/resource_classes/%s", class->name);
    json_write_begin_object(w);
    json_write_string_member(w, "name", class->name);
    json_write_key(w, "links");
    json_write_begin_array(w);
    json_write_begin_object(w);
    json_write_string_member(w, "rel", "self");
    json_write_string_member(w, "href", href);
    json_write_end_object(w);
    json_write_end_array(w);
    json_write_end_object(w);
}

/* The class that the path names, or NULL with 404. */
static struct resource_class *
named_class(struct store *store, const struct request *request, struct reply *reply)
{
    struct resource_class *class = graph_class(&store->graph, request->path_items[0]);
    if (!class)
        reply_problem(reply, 404, NULL, "No such resource class %s.",
                      request->path_items[0]);
    return class;
}

int resource_classes_list(struct store *store, const struct request *request,
                          struct reply *reply)
{
    const struct graph *graph = &store->graph;
    int64_t modified = 0;
    json_write_begin_object(&reply->body);
    json_write_key(&reply->body, "resource_classes");
    json_write_begin_array(&reply->body);
    for (size_t i = 0; i < graph->class_count; i++) {
        write_class(&reply->body, graph->classes[i]);
        if (graph->classes[i]->modified > modified)
            modified = graph->classes[i]->modified;
    }
    json_write_end_array(&reply->body);
    json_write_end_object(&reply->body);
    reply_last_modified(reply, request, modified);
    return 0;
}

int resource_class_get(struct store *store, const struct request *request,
                       struct reply *reply)
{
    const struct resource_class *class = named_class(store, request, reply);
    if (!class)
        return -1;
    write_class(&reply->body, class);
    reply_last_modified(reply, request, class->modified);
    return 0;
}

static int create(struct store *store, const char *name, struct reply *reply)
{
    struct resource_class *class;
    struct error err;
    if (store_create_class(store, name, &class, &err) != 0)
        return handler_failed(reply, &err);
    reply->status = 201;
    reply->location = xasprintf("/resource_classes/%s", name);
    return 0;
}

int resource_class_create(struct store *store, const struct request *request,
                          struct reply *reply)
{
    _cleanup_json_ struct json_object *body = NULL;
    if (schema_read_body(&body_schema, request, &body, reply) != 0)
        return -1;
    const char *name = json_object_get_string(json_member(body, "name"));
    if (graph_class(&store->graph, name))
        return reply_problem(reply, 409, NULL,
                             "Conflicting resource class already exists: %s", name);
    return create(store, name, reply);
}

int resource_class_rename(struct store *store, const struct request *request,
                          struct reply *reply)
{
    _cleanup_json_ struct json_object *body = NULL;
    struct error err;
    if (schema_read_body(&body_schema, request, &body, reply) != 0)
        return -1;
    struct resource_class *class = named_class(store, request, reply);
    if (!class)
        return -1;
    const char *name = json_object_get_string(json_member(body, "name"));
    if (class->id < FIRST_CUSTOM_CLASS)
        return reply_problem(reply, 400, NULL,
                             "Cannot update standard resource class %s", class->name);
    const struct resource_class *other = graph_class(&store->graph, name);
    if (other && other != class)
        return reply_problem(reply, 409, NULL, "Resource class already exists: %s",
                             name);
    if (store_rename_class(store, class, name, &err) != 0)
        return handler_failed(reply, &err);
    write_class(&reply->body, class);
    return 0;
}

int resource_class_ensure(struct store *store, const struct request *request,
                          struct reply *reply)
{
    const char *name = request->path_items[0];
    _cleanup_json_ struct json_object *body = json_object_new_object();
    json_object_object_add(body, "name", json_object_new_string(name));
    if (schema_check(&body_schema, body, reply) != 0)
        return -1;
    if (!graph_class(&store->graph, name))
        return create(store, name, reply);
    reply->location = xasprintf("/resource_classes/%s", name);
    return handler_no_content(reply);
}

int resource_class_delete(struct store *store, const struct request *request,
                          struct reply *reply)
{
    struct resource_class *class = named_class(store, request, reply);
    struct error err;
    if (!class)
        return -1;
    if (class->id < FIRST_CUSTOM_CLASS)
        return reply_problem(reply, 400, NULL,
                             "Error in delete resource class: Cannot delete standard "
                             "resource class %s.",
                             class->name);
    if (class->inventories.count > 0)
        return reply_problem(reply, 409, NULL,
                             "Error in delete resource class: Cannot delete resource "
                             "class %s. Class is in use in inventory.",
                             class->name);
    if (store_delete_class(store, class, &err) != 0)
        return handler_failed(reply, &err);
    return handler_no_content(reply);
}
