#include "tests/bench/cloud_script.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "lib/uuid.h"

#define TYPE "CUSTOM_BENCH_TYPE"
#define DRIVER "CUSTOM_BENCH_DRIVER"
#define NEXT_DRIVER "CUSTOM_BENCH_DRIVER_2"
#define OWNER "CUSTOM_OWNER_VGPU_AGENT"

/* uuid.NAMESPACE_URL of Python's. */
static const char space[] = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

enum kind {
    VERSIONS,
    ROOT,
    TREE,
    KNOWN_TRAITS,
    ROOT_INVENTORIES,
    PARTS, /* three of each GPU */
    NEW_TRAIT,
    CREATE,
    SET_TRAITS,
    SET_INVENTORIES,
};

struct part {
    enum kind kind;
    unsigned count;
};

#define ALL SCRIPT_GPUS
#define FIRST_TREE 2 /* requests before it */

static const struct part idle[] = {{TREE, 1}, {0}};
static const struct part start[] = {
    {VERSIONS, 1}, {ROOT, 1}, {TREE, 1}, {PARTS, 3 * ALL}, {ROOT_INVENTORIES, 1}, {0}};
static const struct part anew[] = {
    {VERSIONS, 1},          {ROOT, 1},      {TREE, 1},        {KNOWN_TRAITS, 1},
    {ROOT_INVENTORIES, 1},  {NEW_TRAIT, 3}, {CREATE, ALL},    {SET_TRAITS, ALL},
    {SET_INVENTORIES, ALL}, {TREE, 1},      {PARTS, 3 * ALL}, {0}};
static const struct part change[] = {
    {PARTS, 1},     {KNOWN_TRAITS, 1},      {TREE, 1},
    {NEW_TRAIT, 1}, {SET_INVENTORIES, ALL}, {SET_TRAITS, ALL},
    {TREE, 1},      {PARTS, 3 * ALL},       {0}};

struct step {
    enum kind kind;
    unsigned index;
};

static struct step step_of(const struct cloud_host *host)
{
    const struct part *part = host->known  ? host->changed ? change : idle
                              : host->anew ? anew
                                           : start;
    unsigned left = host->sent;
    while (part[1].count && left >= part->count)
        left -= part++->count;
    return (struct step){part->kind, left};
}

static bool is_write(enum kind kind)
{
    return kind >= NEW_TRAIT;
}

static bool is_done(const struct script *script, struct step step)
{
    return script->once & 1u << step.kind ||
           (step.kind == NEW_TRAIT && step.index < script->traits) ||
           (step.kind == CREATE && script->generations[step.index] >= 0) ||
           (step.kind == SET_TRAITS && script->has_traits & 1u << step.index) ||
           (step.kind == SET_INVENTORIES &&
            script->has_inventories & 1u << step.index) ||
           (step.kind == PARTS && step.index / 3 < script->read);
}

/* The last request of a cycle is always sent: its answer ends the cycle. */
void script_advance(const struct script *script, struct cloud_host *host)
{
    while (host->sent + 1 < cloud_requests(host) && is_done(script, step_of(host)))
        host->sent++;
}

bool script_writes(const struct cloud_host *host)
{
    return is_write(step_of(host).kind);
}

bool script_reads(const struct cloud_host *host)
{
    return (!host->known || host->changed) && step_of(host).kind == TREE;
}

/* ---- names ---- */

static void name_of(size_t node, unsigned gpu, char *out, size_t size)
{
    snprintf(out, size, "node%zu_pci_0000_%02x_00_0", node, 0x84 + gpu);
}

static void root_uuid(size_t node, char out[UUID_TEXT_SIZE])
{
    char text[64];
    snprintf(text, sizeof text, "bench/node%zu", node);
    uuid5_text(space, text, out);
}

static void gpu_uuid(size_t node, unsigned gpu, char out[UUID_TEXT_SIZE])
{
    char text[80] = "bench/";
    name_of(node, gpu, text + sizeof "bench/" - 1, sizeof text - sizeof "bench/");
    uuid5_text(space, text, out);
}

/* ---- requests ---- */

/* Of `uuid`, which is the provider that the step is about. */
static void path_of(const struct cloud_host *host, size_t node, const char *uuid,
                    char *out, size_t size)
{
    static const char *const parts[] = {"inventories", "traits", "allocations"};
    static const char *const traits[] = {TYPE, DRIVER, OWNER};
    struct step step = step_of(host);
    unsigned part = step.kind == SET_TRAITS ? 1
                    : step.kind == PARTS    ? step.index % 3
                                            : 0;
    switch (step.kind) {
    case VERSIONS:
        snprintf(out, size, "/");
        break;
    case ROOT:
        snprintf(out, size, "/resource_providers?name=node%zu", node);
        break;
    case TREE:
        snprintf(out, size, "/resource_providers?in_tree=%s", uuid);
        break;
    case KNOWN_TRAITS:
        snprintf(out, size, "/traits?name=in:" TYPE "," DRIVER "," NEXT_DRIVER);
        break;
    case NEW_TRAIT:
        snprintf(out, size, "/traits/%s",
                 host->changed ? NEXT_DRIVER : traits[step.index]);
        break;
    case CREATE:
        snprintf(out, size, "/resource_providers");
        break;
    default:
        snprintf(out, size, "/resource_providers/%s/%s", uuid, parts[part]);
    }
}

static void body_of(const struct script *script, const struct cloud_host *host,
                    size_t node, char *out, size_t size)
{
    struct step step = step_of(host);
    char uuid[UUID_TEXT_SIZE], root[UUID_TEXT_SIZE], name[64];
    out[0] = 0;
    if (step.kind != CREATE && step.kind != SET_TRAITS && step.kind != SET_INVENTORIES)
        return;
    int generation = script->generations[step.index];
    if (step.kind == CREATE) {
        gpu_uuid(node, step.index, uuid);
        root_uuid(node, root);
        name_of(node, step.index, name, sizeof name);
        snprintf(out, size,
                 "{\"name\":\"%s\",\"uuid\":\"%s\",\"parent_provider_uuid\":\"%s\"}",
                 name, uuid, root);
    } else if (step.kind == SET_TRAITS)
        snprintf(out, size,
                 "{\"resource_provider_generation\":%d,\"traits\":[\"" TYPE
                 "\",\"%s\"]}",
                 generation, host->changed ? NEXT_DRIVER : DRIVER);
    else
        snprintf(out, size,
                 "{\"resource_provider_generation\":%d,\"inventories\":{\"VGPU\":"
                 "{\"total\":%d,\"max_unit\":%d}}}",
                 generation, host->changed ? 8 : 4, host->changed ? 8 : 4);
}

size_t script_request(const struct script *script, const struct cloud_host *host,
                      size_t node, char *out, size_t size)
{
    struct step step = step_of(host);
    char uuid[UUID_TEXT_SIZE], path[160], body[512], length[96] = "";
    if (step.kind == SET_TRAITS || step.kind == SET_INVENTORIES)
        gpu_uuid(node, step.index, uuid);
    else if (step.kind == PARTS)
        gpu_uuid(node, step.index / 3, uuid);
    else
        root_uuid(node, uuid);
    path_of(host, node, uuid, path, sizeof path);
    body_of(script, host, node, body, sizeof body);
    if (is_write(step.kind))
        snprintf(length, sizeof length,
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 strlen(body));
    return (size_t)snprintf(
        out, size,
        "%s %s HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: admin\r\n"
        "Accept: application/json\r\n"
        "OpenStack-API-Version: placement 1.39\r\n%s\r\n%s",
        step.kind == CREATE   ? "POST"
        : is_write(step.kind) ? "PUT"
                              : "GET",
        path, length, body);
}

/* ---- answers ---- */

static void note_provider(struct script *script, size_t node, json_object *provider)
{
    json_object *found, *generation;
    char uuid[UUID_TEXT_SIZE];
    if (!json_object_object_get_ex(provider, "uuid", &found) ||
        !json_object_object_get_ex(provider, "generation", &generation))
        return;
    for (unsigned i = 0; i < SCRIPT_GPUS; i++) {
        gpu_uuid(node, i, uuid);
        if (strcmp(uuid, json_object_get_string(found)) == 0)
            script->generations[i] = json_object_get_int(generation);
    }
}

static bool note_tree(struct script *script, size_t node, const char *body)
{
    json_object *answer = json_tokener_parse(body), *list;
    bool good = json_object_object_get_ex(answer, "resource_providers", &list) &&
                json_object_is_type(list, json_type_array);
    for (unsigned i = 0; i < SCRIPT_GPUS; i++)
        script->generations[i] = -1;
    for (size_t i = 0; good && i < json_object_array_length(list); i++)
        note_provider(script, node, json_object_array_get_idx(list, i));
    json_object_put(answer);
    return good;
}

/* What a host has made itself lacks what it has not written. */
static bool has_all(const struct script *script)
{
    for (unsigned i = 0; i < SCRIPT_GPUS; i++)
        if (script->generations[i] < 0)
            return false;
    return !(script->made & ~(script->has_traits & script->has_inventories));
}

bool script_take(struct script *script, struct cloud *cloud, struct cloud_host *host,
                 const char *body)
{
    struct step step = step_of(host);
    if (is_write(step.kind))
        script->read = 0;
    if (step.kind == VERSIONS || step.kind == KNOWN_TRAITS ||
        step.kind == ROOT_INVENTORIES)
        script->once |= 1u << step.kind;
    else if (step.kind == NEW_TRAIT)
        script->traits = step.index + 1;
    else if (step.kind == PARTS && step.index % 3 == 2)
        script->read = step.index / 3 + 1;
    else if (step.kind == CREATE) {
        script->generations[step.index] = 0;
        script->made |= 1u << step.index;
    } else if (step.kind == SET_TRAITS || step.kind == SET_INVENTORIES) {
        script->generations[step.index]++;
        *(step.kind == SET_TRAITS ? &script->has_traits : &script->has_inventories) |=
            1u << step.index;
    } else if (script_reads(host)) {
        if (!body || !note_tree(script, (size_t)(host - cloud->hosts), body))
            return false;
        /* The kinds of cycles have that request in common, and what is before it. */
        if (host->sent == FIRST_TREE)
            cloud_found(cloud, host, has_all(script));
    }
    return true;
}
