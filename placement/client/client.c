#include "placement/client/client.h"

#include <curl/curl.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/client/session.h"
#include "placement/codec.h"

/* uwsgi reads 4 KiB of request line and headers by default. */
#define LONGEST_TRAIT_LIST 2048

static struct call call_of(const char *method, char *path)
{
    return (struct call){.method = method, .path = path};
}

static void set_body(struct call *call, struct json_writer *w)
{
    call->body = json_writer_take(w, &call->length);
}

void placement_client_take_large(struct placement_client *client)
{
    http_take_large(client->http);
    client->bounds = &http_large_bounds;
}

int placement_client_call(struct placement_client *client, const char *method,
                          const char *path, const char *body, unsigned minor,
                          struct json_object **reply, struct error *err)
{
    _cleanup_call_ struct call call = call_of(method, xstrdup(path));
    call.body = xstrdup(body);
    call.length = body ? strlen(body) : 0;
    call.minor = minor;
    return session_call(client, &call, reply, err);
}

static int get_providers(struct placement_client *client, char *path,
                         struct provider **out, size_t *count, struct error *err)
{
    _cleanup_call_ struct call call = call_of("GET", path);
    _cleanup_json_ struct json_object *json = NULL;
    if (session_call(client, &call, &json, err) != 0)
        return -1;
    if (codec_read_providers(json, out, count, err) != 0)
        return session_bad_reply(client, &call, err);
    return 0;
}

int placement_get_tree(struct placement_client *client, const char *root,
                       struct provider **out, size_t *count, struct error *err)
{
    return get_providers(client, xasprintf("/resource_providers?in_tree=%s", root), out,
                         count, err);
}

int placement_get_by_name(struct placement_client *client, const char *name,
                          struct provider **out, size_t *count, struct error *err)
{
    char *escaped = curl_easy_escape(NULL, name, 0);
    if (!escaped)
        abort();
    char *path = xasprintf("/resource_providers?name=%s", escaped);
    curl_free(escaped);
    return get_providers(client, path, out, count, err);
}

int placement_create_provider(struct placement_client *client, const char *uuid,
                              const char *name, const char *parent, struct error *err)
{
    _cleanup_call_ struct call call = call_of("POST", xstrdup("/resource_providers"));
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_string_member(&w, "uuid", uuid);
    json_write_string_member(&w, "name", name);
    if (parent)
        json_write_string_member(&w, "parent_provider_uuid", parent);
    json_write_end_object(&w);
    set_body(&call, &w);
    return session_call(client, &call, NULL, err);
}

int placement_delete_provider(struct placement_client *client, const char *uuid,
                              struct error *err)
{
    _cleanup_call_ struct call call =
        call_of("DELETE", xasprintf("/resource_providers/%s", uuid));
    return session_call(client, &call, NULL, err);
}

/* GET of one part of a provider. */
static int get_part(struct placement_client *client, struct call *call,
                    const char *uuid, const char *part, struct json_object **json,
                    struct error *err)
{
    *call = call_of("GET", xasprintf("/resource_providers/%s/%s", uuid, part));
    return session_call(client, call, json, err);
}

int placement_get_inventories(struct placement_client *client, const char *uuid,
                              struct class_inventory **out, size_t *count,
                              int64_t *generation, struct error *err)
{
    _cleanup_call_ struct call call = {0};
    _cleanup_json_ struct json_object *json = NULL;
    if (get_part(client, &call, uuid, "inventories", &json, err) != 0)
        return -1;
    if (codec_read_inventories(json, out, count, generation, err) != 0)
        return session_bad_reply(client, &call, err);
    return 0;
}

int placement_get_provider_traits(struct placement_client *client, const char *uuid,
                                  struct strlist *out, int64_t *generation,
                                  struct error *err)
{
    _cleanup_call_ struct call call = {0};
    _cleanup_json_ struct json_object *json = NULL;
    if (get_part(client, &call, uuid, "traits", &json, err) != 0)
        return -1;
    if (codec_read_traits(json, out, generation, err) != 0)
        return session_bad_reply(client, &call, err);
    return 0;
}

int placement_get_usages(struct placement_client *client, const char *uuid,
                         struct class_usage **out, size_t *count, struct error *err)
{
    _cleanup_call_ struct call call = {0};
    _cleanup_json_ struct json_object *json = NULL;
    if (get_part(client, &call, uuid, "usages", &json, err) != 0)
        return -1;
    if (codec_read_usages(json, out, count, err) != 0)
        return session_bad_reply(client, &call, err);
    return 0;
}

int placement_get_provider_allocations(struct placement_client *client,
                                       const char *uuid,
                                       struct provider_allocation **out, size_t *count,
                                       int64_t *generation, struct error *err)
{
    _cleanup_call_ struct call call = {0};
    _cleanup_json_ struct json_object *json = NULL;
    if (get_part(client, &call, uuid, "allocations", &json, err) != 0)
        return -1;
    if (codec_read_provider_allocations(json, out, count, generation, err) != 0)
        return session_bad_reply(client, &call, err);
    return 0;
}

int placement_get_consumer_allocations(struct placement_client *client,
                                       const char *consumer,
                                       struct consumer_allocations *out,
                                       struct error *err)
{
    _cleanup_call_ struct call call =
        call_of("GET", xasprintf("/allocations/%s", consumer));
    _cleanup_json_ struct json_object *json = NULL;
    if (session_call(client, &call, &json, err) != 0)
        return -1;
    if (codec_read_consumer_allocations(json, out, err) != 0)
        return session_bad_reply(client, &call, err);
    uuid_text_copy(out->consumer, consumer);
    return 0;
}

/* PUT of a whole set, whose reply gives the provider's new generation. */
static int put_part(struct placement_client *client, const char *uuid, const char *part,
                    struct json_writer *w, int64_t *generation, struct error *err)
{
    _cleanup_call_ struct call call =
        call_of("PUT", xasprintf("/resource_providers/%s/%s", uuid, part));
    _cleanup_json_ struct json_object *json = NULL;
    set_body(&call, w);
    if (session_call(client, &call, &json, err) != 0)
        return -1;
    if (json_get_int64(json, "resource_provider_generation", generation, err) != 0)
        return session_bad_reply(client, &call, err);
    return 0;
}

int placement_put_inventories(struct placement_client *client, const char *uuid,
                              const struct class_inventory *items, size_t count,
                              int64_t *generation, struct error *err)
{
    struct json_writer w = {0};
    codec_write_inventories(&w, items, count, *generation);
    return put_part(client, uuid, "inventories", &w, generation, err);
}

int placement_put_provider_traits(struct placement_client *client, const char *uuid,
                                  const struct strlist *traits, int64_t *generation,
                                  struct error *err)
{
    struct json_writer w = {0};
    codec_write_traits(&w, traits, generation);
    return put_part(client, uuid, "traits", &w, generation, err);
}

static int get_some_traits(struct placement_client *client, const struct strlist *names,
                           struct strlist *found, struct error *err)
{
    _cleanup_free_ char *joined = strlist_join(names, ",");
    _cleanup_call_ struct call call =
        call_of("GET", xasprintf("/traits?name=in:%s", joined));
    _cleanup_json_ struct json_object *json = NULL;
    _cleanup_strlist_ struct strlist traits = {0};
    if (session_call(client, &call, &json, err) != 0)
        return -1;
    if (codec_read_traits(json, &traits, NULL, err) != 0)
        return session_bad_reply(client, &call, err);
    for (size_t i = 0; i < traits.count; i++)
        strlist_add(found, traits.items[i]);
    return 0;
}

/* How many names fit into one request, counted from `first`: at least one. */
static size_t fitting(const struct strlist *names, size_t first)
{
    size_t length = strlen(names->items[first]), n = 1;
    while (first + n < names->count) {
        length += 1 + strlen(names->items[first + n]);
        if (length > LONGEST_TRAIT_LIST)
            break;
        n++;
    }
    return n;
}

int placement_get_traits(struct placement_client *client, const struct strlist *names,
                         struct strlist *out, struct error *err)
{
    _cleanup_strlist_ struct strlist found = {0};
    for (size_t i = 0, n; i < names->count; i += n) {
        n = fitting(names, i);
        const struct strlist some = {names->items + i, n};
        if (get_some_traits(client, &some, &found, err) != 0)
            return -1;
    }
    strlist_sort(&found);
    *out = found;
    found = (struct strlist){0};
    return 0;
}

static int create_name(struct placement_client *client, char *path, bool *made,
                       struct error *err)
{
    _cleanup_call_ struct call call = call_of("PUT", path);
    long status = 0;
    call.status = &status;
    if (session_call(client, &call, NULL, err) != 0)
        return -1;
    *made = status == 201; /* 204: it was there */
    return 0;
}

int placement_create_trait(struct placement_client *client, const char *name,
                           bool *made, struct error *err)
{
    return create_name(client, xasprintf("/traits/%s", name), made, err);
}

int placement_create_class(struct placement_client *client, const char *name,
                           bool *made, struct error *err)
{
    return create_name(client, xasprintf("/resource_classes/%s", name), made, err);
}

int placement_delete_trait(struct placement_client *client, const char *name,
                           struct error *err)
{
    _cleanup_call_ struct call call = call_of("DELETE", xasprintf("/traits/%s", name));
    return session_call(client, &call, NULL, err);
}

int placement_delete_class(struct placement_client *client, const char *name,
                           struct error *err)
{
    _cleanup_call_ struct call call =
        call_of("DELETE", xasprintf("/resource_classes/%s", name));
    return session_call(client, &call, NULL, err);
}
