/* The file and the graph hold the same, and what cannot be used is refused. */
#include "tests/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "placement/server/maintenance.h"
#include "placement/server/store/graph_load.h"
#include "tests/unit/placement/server/api_call.h"

/* ---- random requests ---- */

#define THINGS 6

static uint64_t chance;

static unsigned below(unsigned limit)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(chance >> 33) % limit;
}

static const char *uuid_of(char kind)
{
    static char texts[8][UUID_TEXT_SIZE];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, UUID_TEXT_SIZE, "%c0000000-0000-4000-8000-00000000000%u", kind,
             below(THINGS));
    return text;
}

static long long generation_of(struct api_world *world, const char *uuid)
{
    const struct resource_provider *provider =
        graph_provider(&world->api.store->graph, uuid);
    return provider ? (long long)provider->generation : 0;
}

static void ask(struct api_world *world, const char *method, char *target, char *body,
                unsigned *counts)
{
    struct reply reply;
    int status = api_call(world, 39, method, target, body, NULL, &reply);
    if (status >= 500)
        fail_msg("%s %s %s: %d %s", method, target, body, status, reply.body.out.text);
    counts[status / 100]++;
    reply_clear(&reply);
    free(target);
    free(body);
}

static char *random_allocations(void)
{
    return xasprintf("{\"allocations\":{\"%s\":{\"resources\":{\"VGPU\":%u}},\"%s\":"
                     "{\"resources\":{\"VCPU\":%u,\"CUSTOM_C%u\":1}}},",
                     uuid_of('a'), 1 + below(3), uuid_of('a'), 1 + below(3), below(3));
}

static void one_request(struct api_world *world, unsigned *counts)
{
    const char *rp = uuid_of('a'), *consumer = uuid_of('c');
    long long generation = generation_of(world, rp);
    const struct consumer *known = graph_consumer(&world->api.store->graph, consumer);
    char number[24] = "null";
    if (known)
        snprintf(number, sizeof number, "%lld", (long long)known->generation);
    switch (below(12)) {
    case 0:
        ask(world, "POST", xstrdup("/resource_providers"),
            xasprintf(
                "{\"name\":\"n%u\",\"uuid\":\"%s\",\"parent_provider_uuid\":%s%s%s}",
                below(9), rp, below(2) ? "\"" : "null}", uuid_of('a'), "\""),
            counts);
        break;
    case 1:
        ask(world, "POST", xstrdup("/resource_providers"),
            xasprintf("{\"name\":\"n%u\",\"uuid\":\"%s\"}", below(9), rp), counts);
        break;
    case 2:
        ask(world, "PUT", xasprintf("/resource_providers/%s", rp),
            below(3) ? xasprintf("{\"name\":\"n%u\",\"parent_provider_uuid\":\"%s\"}",
                                 below(9), uuid_of('a'))
                     : xasprintf("{\"name\":\"n%u\",\"parent_provider_uuid\":null}",
                                 below(9)),
            counts);
        break;
    case 3:
        ask(world, "DELETE", xasprintf("/resource_providers/%s", rp), NULL, counts);
        break;
    case 4:
        ask(world, "PUT", xasprintf("/resource_providers/%s/inventories", rp),
            xasprintf("{\"resource_provider_generation\":%lld,\"inventories\":{"
                      "\"VGPU\":{\"total\":%u},\"VCPU\":{\"total\":%u,"
                      "\"allocation_ratio\":1.5},\"CUSTOM_C%u\":{\"total\":9}}}",
                      generation, 1 + below(9), 1 + below(9), below(3)),
            counts);
        break;
    case 5:
        ask(world, "PUT", xasprintf("/resource_providers/%s/traits", rp),
            xasprintf(
                "{\"resource_provider_generation\":%lld,\"traits\":[\"CUSTOM_T%u\","
                "\"CUSTOM_T%u\"]}",
                generation, below(3), below(3)),
            counts);
        break;
    case 6:
        ask(world, "PUT", xasprintf("/resource_providers/%s/aggregates", rp),
            xasprintf("{\"resource_provider_generation\":%lld,\"aggregates\":[\"%s\"]}",
                      generation, uuid_of('b')),
            counts);
        break;
    case 7:
        ask(world, below(4) ? "PUT" : "DELETE",
            xasprintf("/%s%u",
                      below(2) ? "traits/CUSTOM_T" : "resource_classes/CUSTOM_C",
                      below(3)),
            NULL, counts);
        break;
    case 8:
        ask(world, "DELETE", xasprintf("/allocations/%s", consumer), NULL, counts);
        break;
    case 9: {
        char *one = random_allocations();
        ask(world, "POST", xstrdup("/allocations"),
            xasprintf("{\"%s\":%s\"consumer_generation\":%s,\"project_id\":\"p%u\","
                      "\"user_id\":\"u\",\"consumer_type\":\"T%u\"}}",
                      consumer, one, number, below(2), below(2)),
            counts);
        free(one);
        break;
    }
    default: {
        char *one = random_allocations();
        ask(world, "PUT", xasprintf("/allocations/%s", consumer),
            xasprintf("%s\"consumer_generation\":%s,\"project_id\":\"p%u\","
                      "\"user_id\":\"u%u\",\"consumer_type\":\"T%u\"}",
                      below(5) ? one : "{\"allocations\":{},", number, below(2),
                      below(2), below(2)),
            counts);
        free(one);
    }
    }
}

static void same_as_on_disk(struct api_world *world)
{
    struct graph loaded = {0};
    struct database *database;
    struct error err;
    assert_ok(maintenance_check(world->path, &err), &err);
    assert_ok(database_open_readonly(world->path, &database, &err), &err);
    assert_ok(graph_load(&loaded, database, &err), &err);
    char *here = graph_text(&world->api.store->graph), *there = graph_text(&loaded);
    if (strcmp(here, there) != 0)
        fail_msg("in memory:\n%s\non disk:\n%s", here, there);
    free(here);
    free(there);
    graph_clear(&loaded);
    database_close(database);
}

static void graph_and_tables_stay_alike(void **state)
{
    (void)state;
    struct api_world world = {0};
    unsigned counts[6] = {0};
    api_world_open(&world);
    for (chance = 1; chance <= 40; chance++)
        below(2);
    for (int i = 0; i < 3000; i++) {
        one_request(&world, counts);
        if (i % 100 == 0)
            same_as_on_disk(&world);
    }
    same_as_on_disk(&world);
    /* The same again after a restart. */
    char *before = graph_text(&world.api.store->graph);
    api_world_reopen(&world);
    char *after = graph_text(&world.api.store->graph);
    assert_string_equal(before, after);
    free(before);
    free(after);
    /* Else it would say little. */
    assert_true(counts[2] > 500 && counts[4] > 500);
    api_world_close(&world);
}

/* ---- a disk that takes no more ---- */

static void limit_file_size(rlim_t size)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* With a limit on the size of files, a write fails as it does on a full disk. For each
 * size of the log from which on it fails. */
static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    struct api_world world = {0};
    struct reply reply;
    unsigned refused = 0;
    signal(SIGXFSZ, SIG_IGN);
    api_world_open(&world);
    for (rlim_t room = 0; room < 40; room++) {
        char *target = xasprintf(
            "/resource_providers/a0000000-0000-4000-8000-0000000%05u", (unsigned)room);
        char *body = xasprintf("{\"name\":\"r%u\",\"uuid\":\"%s\"}", (unsigned)room,
                               strrchr(target, '/') + 1);
        char *before = graph_text(&world.api.store->graph);
        limit_file_size(room * 3000);
        int status =
            api_call(&world, 39, "POST", "/resource_providers", body, NULL, &reply);
        reply_clear(&reply);
        assert_true(status == 200 || status == 503);
        refused += status == 503;
        /* What is not on disk is not there; reads go on. */
        api_expect(&world, 39, "GET", target, NULL, status == 200 ? 200 : 404, NULL);
        char *after = graph_text(&world.api.store->graph);
        assert_int_equal(strcmp(before, after) == 0, status == 503);
        limit_file_size(RLIM_INFINITY);
        same_as_on_disk(&world);
        /* With room again it goes on. */
        api_expect(&world, 39, "POST", "/resource_providers", body,
                   status == 200 ? 409 : 200, NULL);
        free(before);
        free(after);
        free(target);
        free(body);
    }
    assert_true(refused > 0);
    same_as_on_disk(&world);
    api_world_close(&world);
}

/* ---- files that cannot be used ---- */

/* Its store is closed again. */
static void make_file_with_a_provider(struct api_world *world)
{
    api_world_open(world);
    api_expect(world, 39, "POST", "/resource_providers",
               "{\"name\":\"a\",\"uuid\":\"a0000000-0000-4000-8000-000000000000\"}",
               200, NULL);
    store_close(world->api.store);
}

static void alter(const char *path, const char *sql)
{
    sqlite3 *connection;
    assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
    assert_int_equal(sqlite3_exec(connection, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(connection);
}

static void refuses(const char *sql, const char *words)
{
    struct api_world world = {0};
    const struct store_options options = {0};
    struct store *store;
    struct error err;
    make_file_with_a_provider(&world);
    alter(world.path, sql);
    if (store_open(world.path, &options, &store, &err) == 0)
        fail_msg("taken after %s", sql);
    if (!strstr(err.text, words))
        fail_msg("%s: %s", sql, err.text);
    alter(world.path, "PRAGMA user_version = 1; PRAGMA application_id = 0x706c6d74;"
                      "DELETE FROM inventories; DELETE FROM allocations;"
                      "UPDATE providers SET parent_id = NULL, generation = 0,"
                      " uuid = 'a0000000-0000-4000-8000-000000000000'");
    assert_ok(store_open(world.path, &options, &world.api.store, &err), &err);
    api_world_close(&world);
}

static void refuses_files_that_it_cannot_use(void **state)
{
    (void)state;
    refuses("PRAGMA user_version = 2", "it was written by a newer placementd");
    refuses("PRAGMA application_id = 5", "it is another program's database");
    refuses("UPDATE providers SET parent_id = id", "it is below itself");
    refuses("UPDATE providers SET parent_id = 77", "its parent is missing");
    refuses("UPDATE providers SET uuid = 'x'", "the uuid is none");
    refuses("UPDATE providers SET generation = -1", "the generation is negative");
    refuses("INSERT INTO inventories VALUES (9, 1, 1, 0, 1, 1, 1, 1, 0)",
            "no such provider");
    refuses("INSERT INTO inventories VALUES (1, 1, 1, 0, 1, 1, 0, 1, 0)",
            "numbers out of range");
    refuses("INSERT INTO inventories VALUES (1, 1, 1, 0, 1, 1, 1, -9e999, 0)",
            "numbers out of range");
    refuses("INSERT INTO inventories VALUES (1, 1, 1, 99999999999, 1, 1, 1, 1, 0)",
            "numbers out of range");
}

/* A file whose tables let NULL in, as ours do not. */
static void check_refuses(const char *sql, const char *words)
{
    struct api_world world = {0};
    const struct store_options options = {0};
    struct error err;
    make_file_with_a_provider(&world);
    alter(world.path, "PRAGMA writable_schema = ON; UPDATE sqlite_master SET"
                      " sql = replace(sql, 'TEXT NOT NULL', 'TEXT');"
                      "PRAGMA writable_schema = RESET");
    alter(world.path, sql);
    if (maintenance_check(world.path, &err) == 0)
        fail_msg("taken after %s", sql);
    if (!strstr(err.text, words))
        fail_msg("%s: %s", sql, err.text);
    unlink(world.path);
    assert_ok(store_open(world.path, &options, &world.api.store, &err), &err);
    api_world_close(&world);
}

static void refuses_texts_that_are_missing(void **state)
{
    (void)state;
#define CONSUMER                                                                      \
    "INSERT INTO consumers VALUES (1, 'b0000000-0000-4000-8000-000000000000', 1, 1, " \
    "1, "                                                                             \
    "NULL)"
    check_refuses("INSERT INTO resource_classes VALUES (20000, NULL, 1)",
                  "resource_classes, row 20000: name is missing");
    check_refuses("INSERT INTO traits VALUES (20000, NULL, 1)",
                  "traits, row 20000: name is missing");
    check_refuses("UPDATE providers SET name = NULL", "row 1: name is missing");
    check_refuses("UPDATE providers SET uuid = NULL", "the uuid is none");
    check_refuses("INSERT INTO aggregates VALUES (1, NULL)", "the uuid is none");
    check_refuses("INSERT INTO projects VALUES (1, NULL)", "row 1: name is missing");
    check_refuses("INSERT INTO users VALUES (1, NULL)", "row 1: name is missing");
    check_refuses("INSERT INTO consumer_types VALUES (1, NULL)",
                  "row 1: name is missing");
    check_refuses("INSERT INTO projects VALUES (1, 'p'); INSERT INTO users VALUES (1, "
                  "'u');" CONSUMER "; UPDATE consumers SET uuid = NULL",
                  "consumers, row 1: uuid is missing");
    check_refuses("DELETE FROM traits WHERE name = 'MISC_SHARES_VIA_AGGREGATE'",
                  "MISC_SHARES_VIA_AGGREGATE is missing");
#undef CONSUMER
}

/* Each provider below the next one: once around for each took a minute. */
static void loads_chains_in_any_order(void **state)
{
    (void)state;
    enum { LENGTH = 20000 };
    struct api_world world = {0};
    struct timespec before, after;
    struct error err;
    api_world_open(&world);
    store_close(world.api.store);
    alter(world.path,
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
          "20000) INSERT INTO providers SELECT i,"
          " format('a0000000-0000-4000-8000-%012d', i), format('chain%d', i), 0,"
          " CASE WHEN i < 20000 THEN i + 1 END, 1 FROM n");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    assert_ok(maintenance_check(world.path, &err), &err);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    assert_true(after.tv_sec - before.tv_sec < 3);
    const struct store_options options = {0};
    assert_ok(store_open(world.path, &options, &world.api.store, &err), &err);
    const struct graph *graph = &world.api.store->graph;
    assert_int_equal(graph->providers.count, LENGTH);
    assert_int_equal(graph->roots.count, 1);
    assert_int_equal(graph->roots.items[0]->id, LENGTH);
    assert_int_equal(graph->roots.items[0]->tree.count, LENGTH);
    assert_int_equal(graph->providers.items[1]->child_count, 1);
    assert_ptr_equal(graph->providers.items[0]->root, graph->roots.items[0]);
    api_world_close(&world);
}

static void refuses_damaged_files_and_strangers(void **state)
{
    (void)state;
    struct api_world world = {0};
    const struct store_options options = {0};
    struct store *store;
    struct error err;
    api_world_open(&world);
    /* A second one on the same file. */
    assert_int_equal(store_open(world.path, &options, &store, &err), -1);
    assert_int_equal(err.code, ERROR_BUSY);
    store_close(world.api.store);
    int fd = open(world.path, O_WRONLY);
    char garbage[20000];
    memset(garbage, 0x5a, sizeof garbage);
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, 8192),
                     (ssize_t)sizeof garbage);
    close(fd);
    assert_int_equal(store_open(world.path, &options, &store, &err), -1);
    assert_int_equal(maintenance_check(world.path, &err), -1);
    fd = open(world.path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, garbage, sizeof garbage), (ssize_t)sizeof garbage);
    close(fd);
    assert_int_equal(store_open(world.path, &options, &store, &err), -1);
    assert_non_null(strstr(err.text, world.path));
    unlink(world.path);
    assert_ok(store_open(world.path, &options, &world.api.store, &err), &err);
    api_world_close(&world);
}

static void copies_while_it_is_used(void **state)
{
    (void)state;
    struct api_world world = {0};
    struct error err;
    char copy[128];
    api_world_open(&world);
    snprintf(copy, sizeof copy, "%s/copy", world.folder);
    api_expect(&world, 39, "PUT", "/traits/CUSTOM_X", NULL, 201, NULL);
    assert_ok(maintenance_back_up(world.path, copy, &err), &err);
    assert_int_equal(maintenance_back_up(world.path, copy, &err), -1);
    assert_int_equal(err.code, ERROR_EXISTS);
    api_expect(&world, 39, "PUT", "/traits/CUSTOM_Y", NULL, 201, NULL);
    assert_ok(maintenance_check(copy, &err), &err);
    unlink(copy);
    char side[160];
    snprintf(side, sizeof side, "%s-wal", copy);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", copy);
    unlink(side);
    api_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graph_and_tables_stay_alike),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(refuses_files_that_it_cannot_use),
        cmocka_unit_test(refuses_texts_that_are_missing),
        cmocka_unit_test(loads_chains_in_any_order),
        cmocka_unit_test(refuses_damaged_files_and_strangers),
        cmocka_unit_test(copies_while_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
