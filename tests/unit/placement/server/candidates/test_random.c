/*
 * Random small graphs and random requests: what the handler answers against a reference
 * (reference_candidates.h).
 */
#include "tests/unit/test.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_read.h"
#include "lib/strlist.h"
#include "lib/xalloc.h"
#include "placement/server/route.h"
#include "tests/unit/placement/server/candidates/reference_candidates.h"

/* ---- what the handler says, in the same words ---- */

static void read_resources(struct strlist *words, const char *uuid,
                           struct json_object *resources)
{
    json_object_object_foreach (resources, class, amount)
        strlist_add_take(words, xasprintf("%s:%s=%d", uuid, class,
                                          (int)json_object_get_int64(amount)));
}

static char *read_candidate(struct json_object *candidate, const struct spec *spec)
{
    _cleanup_strlist_ struct strlist words = {0};
    struct json_object *allocations = json_member(candidate, "allocations");
    if (spec->microversion < 12) {
        for (size_t i = 0; i < json_object_array_length(allocations); i++) {
            struct json_object *item = json_object_array_get_idx(allocations, i);
            struct json_object *provider = json_member(item, "resource_provider");
            read_resources(&words,
                           json_object_get_string(json_member(provider, "uuid")),
                           json_member(item, "resources"));
        }
    } else {
        json_object_object_foreach (allocations, uuid, item)
            read_resources(&words, uuid, json_member(item, "resources"));
    }
    struct json_object *mappings = json_member(candidate, "mappings");
    if (mappings) {
        json_object_object_foreach (mappings, suffix, uuids)
            for (size_t i = 0; i < json_object_array_length(uuids); i++)
                strlist_add_take(&words,
                                 xasprintf("%s>%s", suffix,
                                           json_object_get_string(
                                               json_object_array_get_idx(uuids, i))));
    }
    strlist_sort(&words);
    return strlist_join(&words, " ");
}

/* Below 1.34 mappings are not shown. */
static void forget_mappings(struct strlist *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        _cleanup_strlist_ struct strlist words =
            strlist_split(candidates->items[i], ' ');
        struct strlist kept = {0};
        for (size_t j = 0; j < words.count; j++)
            if (!strchr(words.items[j], '>'))
                strlist_add(&kept, words.items[j]);
        free(candidates->items[i]);
        candidates->items[i] = strlist_join(&kept, " ");
        strlist_clear(&kept);
    }
    strlist_sort(candidates);
}

/* Each provider of a candidate is in the summaries. */
static void check_summaries(struct json_object *doc, const struct strlist *candidates)
{
    struct json_object *summaries = json_member(doc, "provider_summaries");
    for (size_t i = 0; i < candidates->count; i++) {
        char uuid[UUID_TEXT_SIZE] = "";
        if (strchr(candidates->items[i], ':'))
            strncat(uuid, candidates->items[i], UUID_TEXT_SIZE - 1);
        if (!strchr(uuid, '>'))
            assert_non_null(json_member(summaries, uuid));
    }
}

static struct strlist answer(struct world *world, const struct spec *spec,
                             const char *query)
{
    struct budget budget;
    struct request request = {
        .method = "GET", .microversion = spec->microversion, .budget = &budget};
    struct reply reply = {0};
    struct error err = {0};
    budget_begin(&budget, BUDGET_WORK, 0, 0, NULL);
    assert_ok(query_parse(query, &request.query, &err), &err);
    if (allocation_candidates_list(&world->store, &request, &reply) != 0)
        fail_msg("1.%d %s: %d %s", spec->microversion, query, reply.status,
                 reply.detail);
    size_t length;
    _cleanup_free_ char *text = json_writer_take(&reply.body, &length);
    _cleanup_json_ struct json_object *doc = NULL;
    assert_ok(json_parse(text, length, &doc, &err), &err);
    struct json_object *list = json_member(doc, "allocation_requests");
    struct strlist found = {0};
    for (size_t i = 0; i < json_object_array_length(list); i++)
        strlist_add_take(&found,
                         read_candidate(json_object_array_get_idx(list, i), spec));
    strlist_sort(&found);
    check_summaries(doc, &found);
    query_clear(&request.query);
    reply_clear(&reply);
    return found;
}

static void check_one(uint64_t seed, size_t *found_some)
{
    struct world world;
    random_seed(seed);
    random_graph_make(&world);
    for (int i = 0; i < 20; i++) {
        struct spec spec = random_spec_make(&world);
        _cleanup_free_ char *query = random_spec_query(&world, &spec);
        world.store.options.breadth_first = random_one_in(2);
        if (spec.group_count == 0 || !strstr(query, "resources"))
            continue;
        _cleanup_strlist_ struct strlist expected = reference_candidates(&world, &spec);
        _cleanup_strlist_ struct strlist got = answer(&world, &spec, query);
        if (spec.microversion < 34)
            forget_mappings(&expected);
        if (!strlist_equal(&expected, &got)) {
            _cleanup_free_ char *want = strlist_join(&expected, "\n  ");
            _cleanup_free_ char *have = strlist_join(&got, "\n  ");
            fail_msg("seed %llu: 1.%d %s\nexpected:\n  %s\ngot:\n  %s",
                     (unsigned long long)seed, spec.microversion, query, want, have);
        }
        *found_some += expected.count > 0;

        /* The first of them are what a limit gives. */
        if (spec.microversion >= 16 && expected.count > 1) {
            _cleanup_free_ char *limited = xasprintf("%s&limit=1", query);
            _cleanup_strlist_ struct strlist one = answer(&world, &spec, limited);
            assert_int_equal(one.count, 1);
            assert_true(strlist_contains(&expected, one.items[0]));
        }
    }
    graph_clear(&world.store.graph);
}

static void equals_the_reference(void **state)
{
    (void)state;
    size_t found_some = 0;
    const char *count = getenv("CANDIDATES_WORLDS");
    uint64_t worlds = count ? strtoull(count, NULL, 10) : 1500;
    for (uint64_t seed = 1; seed <= worlds; seed++)
        check_one(seed, &found_some);
    assert_true(found_some > worlds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_reference)};
    return cmocka_run_group_tests_name("candidates, random", tests, NULL, NULL);
}
