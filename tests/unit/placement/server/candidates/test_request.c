#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "placement/server/candidates/request.h"

#define AGGREGATE "14a5c8a3-5a99-4e8f-88be-00d85fcb1c17"

static int read_query(const char *text, int microversion,
                      struct candidates_request *out, struct reply *reply)
{
    struct request request = {.microversion = microversion};
    struct error err = {0};
    assert_ok(query_parse(text, &request.query, &err), &err);
    int rc = candidates_request_read(&request, out, reply);
    query_clear(&request.query);
    return rc;
}

/* What is refused, and with which words (a part of them). NULL: it is taken. */
static void refuses_with_upstreams_words(void **state)
{
    (void)state;
    static const struct {
        int microversion;
        const char *query, *words, *code;
    } cases[] = {
        {10, "resources=VCPU:1", NULL, NULL},
        {10, "", "'resources' is a required property", NULL},
        {10, "limit=1", "'resources' is a required property", NULL},
        {10, "resources=VCPU:1&limit=1",
         "Additional properties are not allowed ('limit' was unexpected)", NULL},
        {15, "resources=VCPU:1&b=1&a=2",
         "Additional properties are not allowed ('a', 'b' were unexpected)", NULL},
        {16, "resources=VCPU:1&limit=1", NULL, NULL},
        {16, "resources=VCPU:1&limit=0", "'0' does not match '^[1-9][0-9]*$'", NULL},
        {16, "resources=VCPU:1&limit=", "'' does not match '^[1-9][0-9]*$'", NULL},
        {16, "resources=VCPU:1&limit=99999999999999999999999", NULL, NULL},
        {16, "resources=VCPU:1&required=X", "('required' was unexpected)", NULL},
        {17, "resources=VCPU:1&required=X", NULL, NULL},
        {17, "resources=VCPU:1&required=",
         "of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got an empty trait in: ", NULL},
        {17, "resources=VCPU:1&required=!X", "CUSTOM_MAGIC. Got: !X", NULL},
        {22, "resources=VCPU:1&required=!X", NULL, NULL},
        {22, "resources=VCPU:1&required=X,!",
         "HW_CPU_X86_VMX,!CUSTOM_MAGIC. Got an empty trait in: X,!", NULL},
        {22, "resources=VCPU:1&required=X,!!X", "following traits keys: required: (X)",
         NULL},
        {38, "resources=VCPU:1&required=in:X,Y",
         "only supported since microversion 1.39. Got: in:X,Y", NULL},
        {38, "resources=VCPU:1&required=in:X&required=Y", NULL, NULL},
        {39, "resources=VCPU:1&required=in:X,Y&required=!X", NULL, NULL},
        {39, "resources=VCPU:1&required=in:X,Y&required=!X,!Y",
         "following traits keys: required: (X, Y)", NULL},
        {39, "resources=VCPU:1&required=in:X,", "Got an empty trait in: in:X,", NULL},
        {39, "resources=VCPU:1&required=in:X,!Y",
         "does not support forbidden traits. Got: in:X,!Y", NULL},
        {24, "resources=VCPU:1&resources1=VCPU:1",
         "Additional properties are not allowed ('resources1' was unexpected)", NULL},
        {25, "resources1=VCPU:1", NULL, NULL},
        {25, "resources0=VCPU:1",
         "'resources0' does not match any of the regexes: "
         "'^member_of([1-9][0-9]*)?$', ",
         NULL},
        {31, "resources_A=VCPU:1", "'^in_tree([1-9][0-9]*)?$'", NULL},
        {33, "resources_A=VCPU:1", NULL, NULL},
        {33, "resources.=VCPU:1", "'^in_tree([a-zA-Z0-9_-]{1,64})?$'", NULL},
        {25, "resources1=VCPU:1&resources2=VCPU:1",
         "The \"group_policy\" parameter is required", NULL},
        {25, "resources=VCPU:1&resources2=VCPU:1", NULL, NULL},
        {25, "resources1=VCPU:1&resources2=VCPU:1&group_policy=x",
         "'x' is not one of ['none', 'isolate']", NULL},
        {25, "required=X", "orphaned traits keys: required", NULL},
        {25, "resources=VCPU:1&required7=X", "orphaned traits keys: required7", NULL},
        {25, "resources=VCPU:1&member_of7=" AGGREGATE,
         "orphaned member_of keys: member_of7", NULL},
        {31, "resources=VCPU:1&in_tree7=" AGGREGATE,
         "All request groups must specify resources.", NULL},
        {25, "", "At least one request group", NULL},
        {36, "", "There must be at least one resources or resources[$S] parameter.",
         CODE_QUERY_MISSING_VALUE},
        {36, "resources=VCPU:1&required_X=T", "bad group(s) - ['_X'].",
         CODE_QUERY_BAD_VALUE},
        {36, "resources_Y=VCPU:1&required_X=T&same_subtree=_X,_Y&group_policy=none",
         NULL, NULL},
        {36, "resources=VCPU:1&same_subtree=_X", "['_X'] not found in [''].",
         CODE_QUERY_BAD_VALUE},
        {36, "resources=VCPU:1&same_subtree=_X,", "Empty string (unsuffixed group)",
         CODE_QUERY_BAD_VALUE},
        {35, "resources=VCPU:1&same_subtree=_X", "'same_subtree' does not match", NULL},
        {35, "resources=VCPU:1&root_required=A&root_required=B",
         "'root_required' may be specified only once.", CODE_QUERY_DUPLICATE_KEY},
        {35, "resources=VCPU:1&root_required=A,!A", "found in root_required: A",
         CODE_QUERY_BAD_VALUE},
        {39, "resources=VCPU:1&root_required=in:A,B", "since microversion 1.39", NULL},
        {10, "resources=", "Got: empty string.", NULL},
        {10, "resources=VCPU", "?resources=VCPU:2,MEMORY_MB:1024. Got: VCPU.", NULL},
        {10, "resources=VCPU:1,", "Got: .", NULL},
        {10, "resources=VCPU:x", "VCPU expected positive integer amount. Got: x.",
         NULL},
        {10, "resources=VCPU:0", "VCPU requires amount >= 1. Got: 0.", NULL},
        {10, "resources=VCPU:%2D3", "VCPU requires amount >= 1. Got: -3.", NULL},
        {10, "resources=VCPU:+1_0", NULL, NULL},
        {10, "resources=VCPU:1__0", "Got: 1__0.", NULL},
        {21, "resources=VCPU:1&member_of=" AGGREGATE, NULL, NULL},
        {21, "resources=VCPU:1&member_of=x", "valid UUID(s). Got: x", NULL},
        {21, "resources=VCPU:1&member_of=in:" AGGREGATE ",x", "valid UUID(s). Got: x",
         NULL},
        {21, "resources=VCPU:1&member_of=" AGGREGATE ",x",
         "must be prefixed with the 'in:'", NULL},
        {23, "resources=VCPU:1&member_of=" AGGREGATE "&member_of=x",
         "Multiple member_of parameters are not supported", NULL},
        {31, "resources=VCPU:1&member_of=!" AGGREGATE,
         "Forbidden member_of parameters are not supported", NULL},
        {32, "resources=VCPU:1&member_of=!in:" AGGREGATE, NULL, NULL},
        {31, "resources=VCPU:1&in_tree=x", "to be a format of uuid. Got: x", NULL},
        {31, "resources=VCPU:1&in_tree=" AGGREGATE, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *query = cases[i].query;
        struct candidates_request request = {0};
        struct reply reply = {0};
        int rc = read_query(query, cases[i].microversion, &request, &reply);
        if (rc != (cases[i].words ? -1 : 0) ||
            (cases[i].words && !strstr(reply.detail, cases[i].words)))
            fail_msg("1.%d %s: %s", cases[i].microversion, query,
                     reply.detail ? reply.detail : "taken");
        if (cases[i].words)
            assert_int_equal(reply.status, 400);
        if (cases[i].code)
            assert_string_equal(reply.code, cases[i].code);
        candidates_request_clear(&request);
        reply_clear(&reply);
    }
}

static void reads_groups(void **state)
{
    (void)state;
    struct candidates_request request = {0};
    struct reply reply = {0};
    assert_int_equal(
        read_query("resources=VCPU:2,MEMORY_MB:1024,VCPU:3&resources_A=VGPU:1&"
                   "required_A=T1,%20T2%20,!T3&required_A=in:T4,T5&"
                   "member_of_A=in:14A5C8A3-5a99-4e8f-88be-00d85fcb1c17,"
                   "14a5c8a35a994e8f88be00d85fcb1c17&limit=7&"
                   "group_policy=isolate&root_required=R,!S&same_subtree=_A,_A",
                   39, &request, &reply),
        0);
    assert_int_equal(request.group_count, 2);
    const struct filters *all = &request.groups[0].filters;
    const struct filters *one = &request.groups[1].filters;
    assert_string_equal(request.groups[0].suffix, "");
    assert_string_equal(request.groups[1].suffix, "_A");
    assert_int_equal(all->amount_count, 2);
    assert_int_equal(all->amounts[0].amount, 3);
    assert_int_equal(one->required.count, 3);
    assert_string_equal(one->required.sets[1].items[0], "T2");
    assert_int_equal(one->required.sets[2].count, 2);
    assert_string_equal(one->forbidden.items[0], "T3");
    assert_int_equal(one->member_of.count, 1);
    /* Each spelling of a uuid stands for itself. */
    assert_int_equal(one->member_of.sets[0].count, 2);
    assert_int_equal(request.limit, 7);
    assert_true(request.isolate);
    assert_string_equal(request.root_required.sets[0].items[0], "R");
    assert_string_equal(request.root_forbidden.items[0], "S");
    assert_int_equal(request.same_subtrees[0].count, 1);
    candidates_request_clear(&request);
}

static void refuses_too_much(void **state)
{
    (void)state;
    char query[8192] = "group_policy=none";
    for (int i = 0; i <= CANDIDATES_MAX_GROUPS; i++) {
        size_t length = strlen(query);
        snprintf(query + length, sizeof query - length, "&resources%d=VCPU:1", i + 1);
    }
    struct candidates_request request = {0};
    struct reply reply = {0};
    assert_int_equal(read_query(query, 39, &request, &reply), -1);
    assert_int_equal(reply.status, 400);
    reply_clear(&reply);

    snprintf(query, sizeof query, "resources=");
    for (int i = 0; i <= CANDIDATES_MAX_AMOUNTS; i++) {
        size_t length = strlen(query);
        snprintf(query + length, sizeof query - length, "%sC%d:1", i ? "," : "", i);
    }
    assert_int_equal(read_query(query, 39, &request, &reply), -1);
    assert_int_equal(reply.status, 400);
    reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_upstreams_words),
        cmocka_unit_test(reads_groups),
        cmocka_unit_test(refuses_too_much),
    };
    return cmocka_run_group_tests_name("candidates request", tests, NULL, NULL);
}
