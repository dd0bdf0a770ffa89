/* libFuzzer: requests that are well formed, and ask for more than is usual: each byte
 * of an input chooses one turn of a grammar of query strings and bodies, about a graph
 * that has something of everything. fuzz_placementd_request takes any bytes; hardly any
 * of them get as far into a search, a plan of allocations or a reshaping as these. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_read.h"
#include "lib/xalloc.h"
#include "tests/fuzz/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dispatch api;

/* ---- the choices ---- */

struct choices {
    const uint8_t *at, *end;
};

/* 0 to limit - 1; 0 where there are no more bytes. */
static unsigned choose(struct choices *choices, unsigned limit)
{
    return choices->at < choices->end ? *choices->at++ % limit : 0;
}

#define ONE_OF(choices, array) \
    ((array)[choose((choices), sizeof(array) / sizeof *(array))])

static const char *const traits[] = {"CUSTOM_A", "CUSTOM_B", "COMPUTE_NODE",
                                     "MISC_SHARES_VIA_AGGREGATE", "CUSTOM_NONE"};
static const char *const classes[] = {"VCPU", "VGPU", "DISK_GB", "CUSTOM_C",
                                      "CUSTOM_NONE"};
static const char *const numbers[] = {
    "1",          "2",          "8",   "0",   "-1",
    "2147483647", "2147483648", "1.5", "1e3", "9223372036854775808"};
static const char *const ratios[] = {"1.0",     "16",    "0",      "-1.5", "3.4e38",
                                     "-3.4e38", "1e400", "-1e400", "NaN"};
static const char *const suffixes[] = {"", "1", "_A", "_B", "2", "_no"};

static const char *provider(struct choices *choices)
{
    static char uuids[4][UUID_TEXT_SIZE];
    static unsigned next;
    char *uuid = uuids[next++ % 4];
    snprintf(uuid, UUID_TEXT_SIZE, "a0000000-0000-4000-8000-00000000000%u",
             choose(choices, 8));
    return uuid;
}

static const char *aggregate(struct choices *choices)
{
    static const char *const spellings[] = {"b0000000-0000-4000-8000-000000000000",
                                            "b0000000000040008000000000000000",
                                            "b0000000-0000-4000-8000-000000000001"};
    return ONE_OF(choices, spellings);
}

/* ---- query strings ---- */

static void write_traits(FILE *out, struct choices *choices)
{
    fputs(choose(choices, 4) == 0 ? "in:" : "", out);
    for (unsigned i = 0, count = 1 + choose(choices, 4); i < count; i++)
        fprintf(out, "%s%s%s", i ? "," : "", choose(choices, 4) == 0 ? "!" : "",
                ONE_OF(choices, traits));
}

static void write_parameter(FILE *out, struct choices *choices)
{
    static const char *const whole[] = {"limit=",
                                        "group_policy=isolate",
                                        "group_policy=none",
                                        "same_subtree=_A,_B",
                                        "same_subtree=1,2",
                                        "root_required="};
    const char *suffix = ONE_OF(choices, suffixes);
    switch (choose(choices, 7)) {
    case 0:
    case 1:
        fprintf(out, "resources%s=%s:%s", suffix, ONE_OF(choices, classes),
                ONE_OF(choices, numbers));
        if (choose(choices, 2))
            fprintf(out, ",%s:1", ONE_OF(choices, classes));
        break;
    case 2:
        fprintf(out, "required%s=", suffix);
        write_traits(out, choices);
        break;
    case 3:
        fprintf(out, "member_of%s=%s%s,%s", suffix,
                choose(choices, 3) ? "in:" : "!in:", aggregate(choices),
                aggregate(choices));
        break;
    case 4:
        fprintf(out, "in_tree%s=%s", suffix, provider(choices));
        break;
    default: {
        const char *parameter = ONE_OF(choices, whole);
        fputs(parameter, out);
        if (strcmp(parameter, "limit=") == 0)
            fputs(ONE_OF(choices, numbers), out);
        else if (parameter[strlen(parameter) - 1] == '=')
            write_traits(out, choices);
    }
    }
}

static void write_query(FILE *out, struct choices *choices)
{
    static const char *const paths[] = {"/allocation_candidates",
                                        "/resource_providers"};
    fputs(ONE_OF(choices, paths), out);
    for (unsigned i = 0, count = 1 + choose(choices, 12); i < count; i++) {
        fputc(i ? '&' : '?', out);
        write_parameter(out, choices);
    }
}

/* ---- bodies ---- */

static void write_inventories(FILE *out, struct choices *choices)
{
    fprintf(out, "{\"resource_provider_generation\": %u, \"inventories\": {",
            choose(choices, 3));
    for (unsigned i = 0, count = choose(choices, 4); i < count; i++)
        fprintf(out,
                "%s\"%s\": {\"total\": %s, \"reserved\": %s, \"max_unit\": %s, "
                "\"step_size\": %s, \"allocation_ratio\": %s}",
                i ? ", " : "", ONE_OF(choices, classes), ONE_OF(choices, numbers),
                ONE_OF(choices, numbers), ONE_OF(choices, numbers),
                ONE_OF(choices, numbers), ONE_OF(choices, ratios));
    fputs("}}", out);
}

static void write_allocations(FILE *out, struct choices *choices)
{
    fputs("{\"project_id\": \"p\", \"user_id\": \"u\", \"consumer_type\": \"T\", "
          "\"consumer_generation\": null, \"allocations\": {",
          out);
    for (unsigned i = 0, count = choose(choices, 4); i < count; i++)
        fprintf(out, "%s\"%s\": {\"resources\": {\"%s\": %s}}", i ? ", " : "",
                provider(choices), ONE_OF(choices, classes), ONE_OF(choices, numbers));
    fputs("}}", out);
}

static void write_consumers(FILE *out, struct choices *choices)
{
    fputc('{', out);
    for (unsigned i = 0, count = choose(choices, 3); i < count; i++) {
        fprintf(out, "%s\"c0000000-0000-4000-8000-00000000000%u\": ", i ? ", " : "",
                choose(choices, 3));
        write_allocations(out, choices);
    }
    fputc('}', out);
}

static void write_shape(FILE *out, struct choices *choices)
{
    fputs("{\"inventories\": {", out);
    for (unsigned i = 0, count = choose(choices, 4); i < count; i++) {
        fprintf(out, "%s\"%s\": ", i ? ", " : "", provider(choices));
        write_inventories(out, choices);
    }
    fputs("}, \"allocations\": ", out);
    write_consumers(out, choices);
    fputc('}', out);
}

static void write_names(FILE *out, struct choices *choices, bool of_traits)
{
    fprintf(out, "{\"resource_provider_generation\": %u, \"%s\": [", choose(choices, 3),
            of_traits ? "traits" : "aggregates");
    for (unsigned i = 0, count = choose(choices, 5); i < count; i++)
        fprintf(out, "%s\"%s\"", i ? ", " : "",
                of_traits ? ONE_OF(choices, traits) : aggregate(choices));
    fputs("]}", out);
}

static void write_provider(FILE *out, struct choices *choices)
{
    unsigned parent = choose(choices, 3);
    fprintf(out, "{\"name\": \"n%u\"", choose(choices, 8));
    if (parent)
        fprintf(out, ", \"parent_provider_uuid\": %s%s%s", parent == 1 ? "\"" : "",
                parent == 1 ? provider(choices) : "null", parent == 1 ? "\"" : "");
    fputc('}', out);
}

/* ---- asking ---- */

static void check_json(struct reply *reply)
{
    struct json_object *document = NULL;
    struct error err;
    if (reply->body.out.length == 0)
        return;
    if (json_parse(reply->body.out.text, reply->body.out.length, &document, &err) != 0)
        abort();
    json_object_put(document);
}

static void ask(const char *method, char *target, const char *body)
{
    struct request request = {.method = method,
                              .token = "admin",
                              .client = "-",
                              .now = 1700000000,
                              .api_version = "placement 1.39",
                              .content_type = body ? "application/json" : NULL,
                              .body = body ? body : "",
                              .body_length = body ? strlen(body) : 0};
    struct reply reply = {0};
    struct error err;
    char *query = strchr(target, '?');
    if (query)
        *query++ = 0;
    request.path = request.raw_target = target;
    if (query_parse(query, &request.query, &err) != 0)
        abort();
    if (dispatch_admit(&api, &request, &reply) == 0)
        dispatch_answer(&api, &request, &reply);
    /* No request may end in an error that is nobody's, and none of these costs much. */
    if (reply.status == 500 || reply.status == 503)
        abort();
    check_json(&reply);
    query_clear(&request.query);
    identity_clear(&request.identity);
    reply_clear(&reply);
}

static void step(struct choices *choices)
{
    char *target, *body = NULL;
    size_t target_size, body_size;
    FILE *path = open_memstream(&target, &target_size);
    FILE *out = open_memstream(&body, &body_size);
    const char *method = "PUT";
    unsigned kind = choose(choices, 8);
    if (!path || !out)
        abort();
    switch (kind) {
    case 0:
        fprintf(path, "/resource_providers/%s/inventories", provider(choices));
        write_inventories(out, choices);
        break;
    case 1:
        fprintf(path, "/allocations/c0000000-0000-4000-8000-00000000000%u",
                choose(choices, 3));
        write_allocations(out, choices);
        break;
    case 2:
        method = "POST";
        fputs("/allocations", path);
        write_consumers(out, choices);
        break;
    case 3:
        method = "POST";
        fputs("/reshaper", path);
        write_shape(out, choices);
        break;
    case 4:
    case 5:
        fprintf(path, "/resource_providers/%s/%s", provider(choices),
                kind == 4 ? "traits" : "aggregates");
        write_names(out, choices, kind == 4);
        break;
    case 6:
        fprintf(path, "/resource_providers/%s", provider(choices));
        write_provider(out, choices);
        break;
    default:
        method = "GET";
        write_query(path, choices);
    }
    fclose(path);
    fclose(out);
    ask(method, target, strcmp(method, "GET") == 0 ? NULL : body);
    free(target);
    free(body);
}

/* ---- the graph that is there before ---- */

static void make(const char *method, const char *path, const char *body)
{
    char *target = xstrdup(path);
    ask(method, target, body);
    free(target);
}

/* Two trees of three and two that share. */
static void make_graph(void)
{
    for (unsigned i = 0; i < 8; i++) {
        char uuid[UUID_TEXT_SIZE], parent[100] = "", body[400], path[100];
        snprintf(uuid, sizeof uuid, "a0000000-0000-4000-8000-00000000000%u", i);
        if (i < 6 && i % 3)
            snprintf(parent, sizeof parent,
                     ", \"parent_provider_uuid\": \"a0000000-0000-4000-8000-"
                     "00000000000%u\"",
                     i - i % 3);
        snprintf(body, sizeof body, "{\"name\": \"n%u\", \"uuid\": \"%s\"%s}", i, uuid,
                 parent);
        make("POST", "/resource_providers", body);
        snprintf(path, sizeof path, "/resource_providers/%s/inventories", uuid);
        snprintf(body, sizeof body,
                 "{\"resource_provider_generation\": 0, \"inventories\": {\"%s\": "
                 "{\"total\": 8}, \"CUSTOM_C\": {\"total\": 2}}}",
                 i > 5   ? "DISK_GB"
                 : i % 3 ? "VGPU"
                         : "VCPU");
        make("PUT", path, body);
        snprintf(path, sizeof path, "/resource_providers/%s/traits", uuid);
        snprintf(body, sizeof body,
                 "{\"resource_provider_generation\": 1, \"traits\": [\"%s\"]}",
                 i > 5   ? "MISC_SHARES_VIA_AGGREGATE"
                 : i % 2 ? "CUSTOM_A"
                         : "CUSTOM_B");
        make("PUT", path, body);
        snprintf(path, sizeof path, "/resource_providers/%s/aggregates", uuid);
        make("PUT", path,
             "{\"resource_provider_generation\": 2, \"aggregates\": "
             "[\"b0000000-0000-4000-8000-000000000000\"]}");
    }
}

static void start(void)
{
    struct error err;
    fuzz_api_start(&api);
    make("PUT", "/resource_classes/CUSTOM_C", NULL);
    make("PUT", "/traits/CUSTOM_A", NULL);
    make("PUT", "/traits/CUSTOM_B", NULL);
    make_graph();
    if (store_commit(api.store, &err) != 0 || api.store->graph.providers.count != 8 ||
        graph_trait(&api.store->graph, "CUSTOM_A")->providers.count != 3)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!api.store)
        start();
    struct choices choices = {data, data + size};
    for (int steps = 0; choices.at < choices.end && steps < 20; steps++)
        step(&choices);
    fuzz_api_undo(&api);
    return 0;
}
