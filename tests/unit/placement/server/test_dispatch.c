/* The API without sockets: what is before the handlers, and each resource in short.
 * Upstream's own tests go through the whole of it. */
#include "tests/unit/test.h"

#include <string.h>

#include "tests/unit/placement/server/api_call.h"

#define A "aaaaaaaa-0000-4000-8000-000000000001"
#define B "bbbbbbbb-0000-4000-8000-000000000002"
#define C "cccccccc-0000-4000-8000-000000000003"
#define D "dddddddd-0000-4000-8000-000000000004"
#define RPS "/resource_providers"

static int open_world(void **state)
{
    static struct api_world world;
    world = (struct api_world){0};
    api_world_open(&world);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    api_world_close(*state);
    return 0;
}

static void refuses_before_a_handler_is_asked(void **state)
{
    struct api_world *world = *state;
    static const struct {
        const char *method, *target, *body;
        struct api_extra extra;
        int minor, status;
        const char *text;
    } cases[] = {
        {"GET", "/", NULL, {.token = ""}, 39, 200, "\"max_version\":\"1.39\""},
        {"GET",
         "/nothing",
         NULL,
         {0},
         39,
         404,
         "\"code\":\"placement.undefined_code\""},
        {"GET", "/nothing", NULL, {0}, 22, 404, "\"request_id\":\"req-"},
        {"GET", RPS "/", NULL, {0}, 39, 404, NULL},
        {"GET", RPS "/a/b/c/d", NULL, {0}, 39, 404, NULL},
        {"PATCH", RPS, NULL, {0}, 39, 405, "Method Not Allowed"},
        {"DELETE", RPS "/" A "/inventories", NULL, {0}, 4, 405, NULL},
        {"GET", "/traits", NULL, {0}, 5, 404, NULL},
        {"GET", "/usages?project_id=x", NULL, {0}, 8, 404, NULL},
        {"GET",
         RPS,
         NULL,
         {.roles = "member"},
         39,
         403,
         "Policy does not allow placement:resource_providers:list to be performed."},
        {"GET", RPS, NULL, {.accept = "text/plain"}, 39, 406, "406 Not Acceptable"},
        {"GET", RPS, NULL, {.accept = "application/*;q=0.5, text/html"}, 39, 200, NULL},
        {"GET", "/nothing", NULL, {.accept = "text/html"}, 39, 404, "<html>"},
        {"POST",
         RPS,
         "{}",
         {.content_type = "text/plain"},
         39,
         415,
         "The media type text/plain is not supported, use application/json"},
        {"POST",
         RPS,
         "{}",
         {.content_type = ""},
         39,
         400,
         "content-type header required when content-length > 0"},
        {"POST",
         RPS,
         "{}",
         {.content_type = "application/json; charset=utf-8"},
         39,
         400,
         "'name' is a required property"},
        {"GET",
         RPS,
         NULL,
         {.version = "placement 1.99"},
         39,
         406,
         "\"max_version\":\"1.39\",\"min_version\":\"1.0\""},
        {"GET", RPS, NULL, {.version = "placement x"}, 39, 400, "Invalid microversion"},
        {"GET", RPS "?name=%ff", NULL, {0}, 39, 400, "Invalid query string parameters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply;
        int status = api_call(world, cases[i].minor, cases[i].method, cases[i].target,
                              cases[i].body, &cases[i].extra, &reply);
        if (status != cases[i].status ||
            (cases[i].text && !strstr(reply.body.out.text, cases[i].text)))
            fail_msg("case %zu: %d %s", i, status, reply.body.out.text);
        reply_clear(&reply);
    }
}

static void lists_the_methods_of_a_path(void **state)
{
    struct reply reply;
    assert_int_equal(api_call(*state, 39, "PATCH", RPS "/" A, NULL, NULL, &reply), 405);
    assert_string_equal(reply.allow, "GET, DELETE, PUT");
    reply_clear(&reply);
    assert_int_equal(
        api_call(*state, 39, "GET", "/resource_classes/X", NULL, NULL, &reply), 404);
    assert_null(reply.allow);
    reply_clear(&reply);
}

struct step {
    int minor;
    const char *method, *target, *body;
    int status;
    const char *text;
};

static void run(struct api_world *world, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        api_expect(world, steps[i].minor, steps[i].method, steps[i].target,
                   steps[i].body, steps[i].status, steps[i].text);
}
#define RUN(state, ...)                              \
    run((state), (const struct step[]){__VA_ARGS__}, \
        sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static void keeps_trees(void **state)
{
    RUN(*state,
        {39, "POST", RPS, "{\"name\":\"a\",\"uuid\":\"" A "\"}", 200,
         "\"generation\":0"},
        {19, "POST", RPS, "{\"name\":\"b\",\"uuid\":\"" B "\"}", 201, ""},
        {39, "POST", RPS, "{\"name\":\"a\"}", 409,
         "Conflicting resource provider name: a already exists."},
        {39, "POST", RPS,
         "{\"name\":\"c\",\"uuid\":\"" C "\",\"parent_provider_uuid\":\"" C "\"}", 400,
         "parent provider UUID cannot be same as UUID"},
        {39, "POST", RPS,
         "{\"name\":\"c\",\"uuid\":\"" C "\",\"parent_provider_uuid\":\"" A "\"}", 200,
         "\"root_provider_uuid\":\"" A "\""},
        {39, "DELETE", RPS "/" A, NULL, 409, "It has child resource providers."},
        {36, "PUT", RPS "/" C, "{\"name\":\"c\",\"parent_provider_uuid\":\"" B "\"}",
         400, "re-parenting a provider is not currently allowed."},
        {36, "PUT", RPS "/" C, "{\"name\":\"c\",\"parent_provider_uuid\":null}", 400,
         "un-parenting a provider is not currently allowed."},
        {39, "PUT", RPS "/" A, "{\"name\":\"a\",\"parent_provider_uuid\":\"" C "\"}",
         400, "creating loop in the provider tree is not allowed."},
        {39, "PUT", RPS "/" A, "{\"name\":\"a\",\"parent_provider_uuid\":\"" B "\"}",
         200, "\"root_provider_uuid\":\"" B "\""},
        {39, "GET", RPS "?in_tree=" C, NULL, 200, "\"uuid\":\"" B "\""},
        {39, "PUT", RPS "/" C, "{\"name\":\"\",\"parent_provider_uuid\":null}", 200,
         "\"parent_provider_uuid\":null,\"root_provider_uuid\":\"" C "\""},
        {39, "DELETE", RPS "/" A, NULL, 204, ""},
        {39, "GET", RPS "/" A, NULL, 404, "No resource provider with uuid " A " found"},
        {39, "GET", RPS "?in_tree=" A "&required=NO_SUCH", NULL, 200, "[]"},
        {39, "GET", RPS "?required=NO_SUCH", NULL, 400, "No such trait(s): NO_SUCH."},
        {39, "GET", RPS "?required=HW_NUMA_ROOT&resources=NO_SUCH:1", NULL, 200, "[]"},
        {39, "GET", RPS "?resources=NO_SUCH:1", NULL, 400,
         "No such resource class NO_SUCH."});
}

static void keeps_inventories(void **state)
{
    RUN(*state, {39, "POST", RPS, "{\"name\":\"a\",\"uuid\":\"" A "\"}", 200, ""},
        {39, "PUT", RPS "/" A "/inventories",
         "{\"resource_provider_generation\":0,\"inventories\":{\"VGPU\":{\"total\":4}}"
         "}",
         200,
         "\"VGPU\":{\"total\":4,\"reserved\":0,\"min_unit\":1,\"max_unit\":2147483647,"
         "\"step_size\":1,\"allocation_ratio\":1.0}"},
        {39, "PUT", RPS "/" A "/inventories",
         "{\"resource_provider_generation\":0,\"inventories\":{}}", 409,
         "placement.concurrent_update"},
        {39, "PUT", RPS "/" A "/inventories",
         "{\"resource_provider_generation\":1,\"inventories\":{\"X\":{\"total\":4}}}",
         400, "No such resource class X."},
        {25, "PUT", RPS "/" A "/inventories/VGPU",
         "{\"resource_provider_generation\":1,\"total\":4,\"reserved\":4}", 400,
         "The reserved value is greater than or equal to total."},
        {26, "PUT", RPS "/" A "/inventories/VGPU",
         "{\"resource_provider_generation\":1,\"total\":4,\"reserved\":4}", 200, ""},
        {26, "PUT", RPS "/" A "/inventories/VGPU",
         "{\"resource_provider_generation\":2,\"total\":4,\"reserved\":5}", 400,
         "The reserved value is greater than total."},
        {39, "POST", RPS "/" A "/inventories",
         "{\"resource_class\":\"VGPU\",\"total\":4}", 409,
         "placement.concurrent_update"},
        {39, "POST", RPS "/" A "/inventories",
         "{\"resource_class\":\"VCPU\",\"total\":4}", 201,
         "\"resource_provider_generation\":3"},
        {39, "DELETE", RPS "/" A "/inventories/PCPU", NULL, 404,
         "No inventory of class PCPU found for delete"},
        {39, "DELETE", RPS "/" A "/inventories/VCPU", NULL, 204, ""},
        {39, "GET", RPS "/" A "/inventories/VCPU", NULL, 404, "No inventory of class"},
        {39, "DELETE", RPS "/" A "/inventories", NULL, 204, ""},
        {39, "GET", RPS "/" A "/inventories", NULL, 200,
         "{\"resource_provider_generation\":5,\"inventories\":{}}"});
}

#define WHO "\"project_id\":\"p\",\"user_id\":\"u\",\"consumer_type\":\"INSTANCE\""

static void keeps_allocations(void **state)
{
    RUN(*state, {39, "POST", RPS, "{\"name\":\"a\",\"uuid\":\"" A "\"}", 200, ""},
        {39, "PUT", RPS "/" A "/inventories",
         "{\"resource_provider_generation\":0,\"inventories\":{\"VGPU\":{\"total\":4,"
         "\"max_unit\":2},\"VCPU\":{\"total\":8,\"step_size\":2}}}",
         200, ""},
        {39, "PUT", "/allocations/" C,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"VGPU\":2}}},"
         "\"consumer_generation\":0," WHO "}",
         409, "expected null but got 0"},
        {39, "PUT", "/allocations/" C,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"VGPU\":3}}},"
         "\"consumer_generation\":null," WHO "}",
         409, "would violate inventory constraints"},
        {39, "PUT", "/allocations/" C,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"PCPU\":3}}},"
         "\"consumer_generation\":null," WHO "}",
         409, "Inventory for 'PCPU' on resource provider"},
        {39, "PUT", "/allocations/" C,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"NO\":3}}},"
         "\"consumer_generation\":null," WHO "}",
         400, "No such resource class NO."},
        {39, "PUT", "/allocations/" C,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"VGPU\":2,\"VCPU\":4}}},"
         "\"consumer_generation\":null," WHO "}",
         204, ""},
        {39, "GET", "/allocations/" C, NULL, 200, "\"consumer_generation\":1"},
        /* What the consumer had is given back before it is counted. */
        {39, "PUT", "/allocations/" C,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"VCPU\":8}}},"
         "\"consumer_generation\":1," WHO "}",
         204, ""},
        {39, "PUT", "/allocations/" B,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"VCPU\":2}}},"
         "\"consumer_generation\":null," WHO "}",
         409, "would exceed the capacity"},
        {39, "DELETE", RPS "/" A, NULL, 409, "Resource provider has allocations."},
        {39, "DELETE", RPS "/" A "/inventories", NULL, 409,
         "placement.inventory.inuse"},
        /* One gives what the other takes, in one request. */
        {39, "POST", "/allocations",
         "{\"" C "\":{\"allocations\":{},\"consumer_generation\":2," WHO "},"
         "\"" B "\":{\"allocations\":{\"" A "\":{\"resources\":{\"VCPU\":8}}},"
         "\"consumer_generation\":null," WHO "}}",
         204, ""},
        {39, "GET", "/allocations/" C, NULL, 200, "{\"allocations\":{}}"},
        {39, "GET", RPS "/" A "/usages", NULL, 200,
         "\"usages\":{\"VCPU\":8,\"VGPU\":0}"},
        {39, "GET", RPS "/" A "/allocations", NULL, 200,
         "{\"" B "\":{\"resources\":{\"VCPU\":8},\"consumer_generation\":1}}"},
        {39, "GET", "/usages?project_id=p", NULL, 200,
         "{\"usages\":{\"INSTANCE\":{\"VCPU\":8,\"consumer_count\":1}}}"},
        {37, "GET", "/usages?project_id=p", NULL, 200, "{\"usages\":{\"VCPU\":8}}"},
        {39, "GET", RPS "/" A, NULL, 200, "\"generation\":4"},
        {39, "DELETE", "/allocations/" B, NULL, 204, ""},
        {39, "DELETE", "/allocations/" B, NULL, 404, "No allocations for consumer"},
        {39, "GET", RPS "/" A, NULL, 200, "\"generation\":4"});
}

/* The body of PUT /allocations for some units of VGPU on A. */
#define VGPUS(amount, generation)                                  \
    "{\"allocations\":{\"" A "\":{\"resources\":{\"VGPU\":" amount \
    "}}},\"consumer_generation\":" generation "," WHO "}"
#define NO_ALLOCATIONS(generation) \
    "{\"allocations\":{},\"consumer_generation\":" generation "," WHO "}"
/* A provider of four units, of which B has two and C one, and then `reserved`. */
#define FILL_AND_RESERVE(reserved)                                            \
    {39, "POST", RPS, "{\"name\":\"a\",\"uuid\":\"" A "\"}", 200, ""},        \
        {39,                                                                  \
         "PUT",                                                               \
         RPS "/" A "/inventories",                                            \
         "{\"resource_provider_generation\":0,\"inventories\":{\"VGPU\":{"    \
         "\"total\":4,\"max_unit\":3}}}",                                     \
         200,                                                                 \
         ""},                                                                 \
        {39, "PUT", "/allocations/" B, VGPUS("2", "null"), 204, ""},          \
        {39, "PUT", "/allocations/" C, VGPUS("1", "null"), 204, ""},          \
    {                                                                         \
        39, "PUT", RPS "/" A "/inventories",                                  \
            "{\"resource_provider_generation\":3,\"inventories\":{\"VGPU\":{" \
            "\"total\":4,\"max_unit\":3,\"reserved\":" reserved "}}}",        \
            200, ""                                                           \
    }
#define EXCEEDS "would exceed the capacity"

static void an_overfull_provider_takes_what_makes_nothing_worse(void **state)
{
    RUN(*state, FILL_AND_RESERVE("4"),
        /* nobody new, and nobody more; */
        {39, "PUT", "/allocations/" D, VGPUS("1", "null"), 409, EXCEEDS},
        {39, "PUT", "/allocations/" B, VGPUS("3", "1"), 409, EXCEEDS},
        {39, "POST", "/allocations",
         "{\"" B "\":" NO_ALLOCATIONS("1") ",\"" D "\":" VGPUS("3", "null") "}", 409,
         EXCEEDS},
        /* the bounds of an amount hold, also where the sum becomes less; */
        {39, "POST", "/allocations",
         "{\"" B "\":" NO_ALLOCATIONS("1") ",\"" C "\":" NO_ALLOCATIONS(
             "1") ",\"" D "\":" VGPUS("4", "null") "}",
         409, "would violate inventory constraints"},
        /* the same once more, a hand-over, less, and more for one than the other
         * loses at the same time. */
        {39, "PUT", "/allocations/" B, VGPUS("2", "1"), 204, ""},
        {39, "POST", "/allocations",
         "{\"" D "\":" VGPUS("2", "null") ",\"" B "\":" NO_ALLOCATIONS("2") "}", 204,
         ""},
        {39, "GET", RPS "/" A "/usages", NULL, 200, "\"VGPU\":3"},
        {39, "POST", "/allocations",
         "{\"" C "\":" VGPUS("2", "1") ",\"" D "\":" VGPUS("1", "1") "}", 204, ""},
        {39, "POST", "/allocations",
         "{\"" C "\":" VGPUS("2", "2") ",\"" D "\":" VGPUS("2", "2") "}", 409, EXCEEDS},
        {39, "PUT", "/allocations/" C, VGPUS("1", "2"), 204, ""},
        /* What was given back is gone. */
        {39, "PUT", "/allocations/" C, VGPUS("2", "3"), 409, EXCEEDS},
        {39, "POST", "/reshaper",
         "{\"inventories\":{\"" A "\":{\"resource_provider_generation\":8,"
         "\"inventories\":{\"VGPU\":{\"total\":1,\"reserved\":1}}}},\"allocations\":{"
         "\"" C "\":" VGPUS("1", "3") "}}",
         204, ""});
}

static void a_strict_one_takes_nothing_that_leaves_it_overfull(void **state)
{
    struct api_world *world = *state;
    world->api.store->options.strict_capacity = true;
    RUN(world, FILL_AND_RESERVE("3"),
        {39, "PUT", "/allocations/" B, VGPUS("2", "1"), 409, EXCEEDS},
        {39, "POST", "/allocations",
         "{\"" D "\":" VGPUS("2", "null") ",\"" B "\":" NO_ALLOCATIONS("1") "}", 409,
         EXCEEDS},
        {39, "PUT", "/allocations/" C, VGPUS("1", "1"), 409, EXCEEDS},
        /* Only what ends it. */
        {39, "POST", "/allocations",
         "{\"" B "\":" NO_ALLOCATIONS("1") ",\"" C "\":" VGPUS("1", "1") "}", 204, ""});
}

static void reshapes(void **state)
{
    RUN(*state, {39, "POST", RPS, "{\"name\":\"a\",\"uuid\":\"" A "\"}", 200, ""},
        {39, "POST", RPS,
         "{\"name\":\"b\",\"uuid\":\"" B "\",\"parent_provider_uuid\":\"" A "\"}", 200,
         ""},
        {39, "PUT", RPS "/" A "/inventories",
         "{\"resource_provider_generation\":0,\"inventories\":{\"VGPU\":{\"total\":4},"
         "\"VCPU\":{\"total\":8}}}",
         200, ""},
        {39, "PUT", "/allocations/" C,
         "{\"allocations\":{\"" A "\":{\"resources\":{\"VGPU\":2,\"VCPU\":4}}},"
         "\"consumer_generation\":null," WHO "}",
         204, ""},
        /* The old inventory would still be in use. */
        {39, "POST", "/reshaper",
         "{\"inventories\":{\"" A "\":{\"resource_provider_generation\":2,"
         "\"inventories\":{\"VCPU\":{\"total\":8}}},\"" B
         "\":{\"resource_provider_generation\":0,\"inventories\":{\"VGPU\":{\"total\":"
         "4}"
         "}}},\"allocations\":{}}",
         409, "placement.inventory.inuse"},
        {39, "POST", "/reshaper",
         "{\"inventories\":{\"" A "\":{\"resource_provider_generation\":2,"
         "\"inventories\":{\"VCPU\":{\"total\":8}}},\"" B
         "\":{\"resource_provider_generation\":0,\"inventories\":{\"VGPU\":{\"total\":"
         "1}"
         "}}},\"allocations\":{\"" C "\":{\"allocations\":{\"" A
         "\":{\"resources\":{\"VCPU\":4}},\"" B "\":{\"resources\":{\"VGPU\":2}}},"
         "\"consumer_generation\":1," WHO "}}}",
         409, "would exceed the capacity"},
        {39, "GET", RPS "/" A "/inventories", NULL, 200, "\"VGPU\""},
        {39, "POST", "/reshaper",
         "{\"inventories\":{\"" A "\":{\"resource_provider_generation\":2,"
         "\"inventories\":{\"VCPU\":{\"total\":8}}},\"" B
         "\":{\"resource_provider_generation\":0,\"inventories\":{\"VGPU\":{\"total\":"
         "4}"
         "}}},\"allocations\":{\"" C "\":{\"allocations\":{\"" A
         "\":{\"resources\":{\"VCPU\":4}},\"" B "\":{\"resources\":{\"VGPU\":2}}},"
         "\"consumer_generation\":1," WHO "}}}",
         204, ""},
        {39, "GET", RPS "/" A "/usages", NULL, 200,
         "{\"resource_provider_generation\":5,\"usages\":{\"VCPU\":4}}"},
        {39, "GET", RPS "/" B "/usages", NULL, 200,
         "{\"resource_provider_generation\":3,\"usages\":{\"VGPU\":2}}"});
}

static void keeps_traits_classes_and_aggregates(void **state)
{
    RUN(*state, {39, "POST", RPS, "{\"name\":\"a\",\"uuid\":\"" A "\"}", 200, ""},
        {39, "PUT", "/traits/CUSTOM_X", NULL, 201, ""},
        {39, "PUT", "/traits/CUSTOM_X", NULL, 204, ""},
        {39, "PUT", "/traits/custom", NULL, 400, "The trait is invalid"},
        {39, "DELETE", "/traits/HW_NUMA_ROOT", NULL, 400,
         "Cannot delete standard trait"},
        {39, "PUT", RPS "/" A "/traits",
         "{\"traits\":[\"CUSTOM_X\",\"HW_NUMA_ROOT\",\"CUSTOM_X\"],"
         "\"resource_provider_generation\":0}",
         200, "\"resource_provider_generation\":1"},
        /* The same again changes nothing. */
        {39, "PUT", RPS "/" A "/traits",
         "{\"traits\":[\"HW_NUMA_ROOT\",\"CUSTOM_X\"],"
         "\"resource_provider_generation\":1}",
         200, "\"resource_provider_generation\":1"},
        {39, "DELETE", "/traits/CUSTOM_X", NULL, 409,
         "is in use by a resource provider"},
        {39, "GET", "/traits?associated=true&name=startswith:custom_", NULL, 200,
         "{\"traits\":[\"CUSTOM_X\"]}"},
        {39, "GET", "/traits?name=in:%20CUSTOM_X", NULL, 200, "{\"traits\":[]}"},
        {39, "GET", "/traits?name=in:CUSTOM_X,CUSTOM_Y", NULL, 200,
         "{\"traits\":[\"CUSTOM_X\"]}"},
        {39, "GET", "/traits?name=CUSTOM_X", NULL, 400,
         "Badly formatted name parameter"},
        {39, "DELETE", RPS "/" A "/traits", NULL, 204, ""},
        {39, "DELETE", "/traits/CUSTOM_X", NULL, 204, ""},
        {39, "GET", "/traits/CUSTOM_X", NULL, 404, "No such trait(s): CUSTOM_X."},
        {39, "PUT", "/resource_classes/CUSTOM_C", NULL, 201, ""},
        {39, "PUT", "/resource_classes/CUSTOM_C", NULL, 204, ""},
        {6, "PUT", "/resource_classes/CUSTOM_C", "{\"name\":\"CUSTOM_D\"}", 200,
         "CUSTOM_D"},
        {6, "PUT", "/resource_classes/VCPU", "{\"name\":\"CUSTOM_E\"}", 400,
         "Cannot update standard resource class VCPU"},
        {39, "DELETE", "/resource_classes/VCPU", NULL, 400,
         "Cannot delete standard resource class VCPU."},
        {39, "DELETE", "/resource_classes/CUSTOM_D", NULL, 204, ""},
        {39, "POST", "/resource_classes", "{\"name\":\"VCPU2\"}", 400,
         "does not match '^CUSTOM_[A-Z0-9_]+$'"},
        {18, "PUT", RPS "/" A "/aggregates", "[\"" B "\",\"" C "\"]", 200,
         "\"aggregates\""},
        {39, "GET", RPS "/" A "/aggregates", NULL, 200,
         "\"resource_provider_generation\":2"},
        {39, "GET", RPS "?member_of=" B, NULL, 200, A},
        {39, "GET", RPS "?member_of=!" B, NULL, 200, "[]"},
        {39, "PUT", RPS "/" A "/aggregates",
         "{\"aggregates\":[],\"resource_provider_generation\":2}", 200,
         "\"resource_provider_generation\":3"});
}

static int64_t last_modified(struct api_world *world, const char *target)
{
    struct reply reply;
    assert_int_equal(api_call(world, 39, "GET", target, NULL, NULL, &reply), 200);
    int64_t when = reply.last_modified;
    reply_clear(&reply);
    return when;
}

/* Upstream's, as seen there: a write that changes nothing is none, another root is a
 * change of all that is below. */
static void knows_when_a_provider_was_changed(void **state)
{
    struct api_world *world = *state;
    static const struct {
        int minor;
        const char *target, *body;
        char changed[4]; /* which of A, B, C */
    } cases[] = {
        {39, RPS "/" B, "{\"name\":\"b\"}", ""},
        {39, RPS "/" B, "{\"name\":\"b2\"}", "b"},
        {39, RPS "/" B, "{\"name\":\"b2\",\"parent_provider_uuid\":null}", ""},
        {39, RPS "/" B, "{\"name\":\"b2\",\"parent_provider_uuid\":\"" A "\"}", "bc"},
        {39, RPS "/" B, "{\"name\":\"b2\",\"parent_provider_uuid\":\"" A "\"}", ""},
        {39, RPS "/" C, "{\"name\":\"c\",\"parent_provider_uuid\":\"" A "\"}", "c"},
        {39, RPS "/" C, "{\"name\":\"c\",\"parent_provider_uuid\":\"" B "\"}", "c"},
        {39, RPS "/" B, "{\"name\":\"b3\",\"parent_provider_uuid\":null}", "bc"},
        {39, RPS "/" A "/traits", "{\"traits\":[],\"resource_provider_generation\":0}",
         ""},
        {39, RPS "/" A "/inventories",
         "{\"inventories\":{},\"resource_provider_generation\":0}", "a"},
        {18, RPS "/" A "/aggregates", "[\"" C "\"]", ""},
    };
    static const char *const who[] = {RPS "/" A, RPS "/" B, RPS "/" C};
    int64_t before[3];
    api_expect(world, 39, "POST", RPS, "{\"name\":\"a\",\"uuid\":\"" A "\"}", 200, A);
    api_expect(world, 39, "POST", RPS, "{\"name\":\"b\",\"uuid\":\"" B "\"}", 200, B);
    api_expect(world, 39, "POST", RPS,
               "{\"name\":\"c\",\"uuid\":\"" C "\",\"parent_provider_uuid\":\"" B "\"}",
               200, C);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t j = 0; j < 3; j++)
            before[j] = last_modified(world, who[j]);
        api_expect(world, cases[i].minor, "PUT", cases[i].target, cases[i].body, 200,
                   NULL);
        if (i % 2)
            api_world_reopen(world);
        for (size_t j = 0; j < 3; j++)
            if ((last_modified(world, who[j]) != before[j]) !=
                (strchr(cases[i].changed, "abc"[j]) != NULL))
                fail_msg("case %zu: is provider %c changed?", i, "abc"[j]);
    }
}

static void answers_pages_of_other_origins(void **state)
{
    struct api_world *world = *state;
    struct reply reply;
    struct api_extra extra = {.origin = "http://a.example", .cors_method = "GET"};
    assert_int_equal(api_call(world, 39, "OPTIONS", RPS, NULL, &extra, &reply), 405);
    reply_clear(&reply);
    strlist_add(&world->origins, "http://a.example");
    strlist_add(&world->methods, "GET");
    assert_int_equal(api_call(world, 39, "OPTIONS", RPS, NULL, &extra, &reply), 200);
    assert_true(reply.vary_origin);
    assert_int_equal(reply.header_count, 2);
    assert_string_equal(reply.headers[1].name, "Access-Control-Allow-Methods");
    reply_clear(&reply);
    extra.cors_method = "PUT";
    assert_int_equal(api_call(world, 39, "OPTIONS", RPS, NULL, &extra, &reply), 200);
    assert_int_equal(reply.header_count, 0);
    reply_clear(&reply);
    assert_int_equal(api_call(world, 39, "GET", RPS, NULL, &extra, &reply), 200);
    assert_true(reply.vary_origin);
    assert_string_equal(reply.headers[0].value, "http://a.example");
    reply_clear(&reply);
    extra.origin = "http://b.example";
    assert_int_equal(api_call(world, 39, "GET", RPS, NULL, &extra, &reply), 200);
    assert_false(reply.vary_origin);
    assert_int_equal(reply.header_count, 0);
    reply_clear(&reply);
}

#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_before_a_handler_is_asked),
        TEST(lists_the_methods_of_a_path),
        TEST(keeps_trees),
        TEST(keeps_inventories),
        TEST(keeps_allocations),
        TEST(an_overfull_provider_takes_what_makes_nothing_worse),
        TEST(a_strict_one_takes_nothing_that_leaves_it_overfull),
        TEST(reshapes),
        TEST(keeps_traits_classes_and_aggregates),
        TEST(knows_when_a_provider_was_changed),
        TEST(answers_pages_of_other_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
