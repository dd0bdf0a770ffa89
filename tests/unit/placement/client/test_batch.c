/* Many calls at once: what is told of each, what is sent once more, and what ends it. */
#include "tests/unit/test.h"

#include <string.h>
#include <time.h>

#include "lib/xalloc.h"
#include "placement/client/batch.h"
#include "placement/client/session.h"
#include "tests/unit/placement/client/client_pair.h"

#define CALLS 5
#define NOT_FOUND "{\"errors\": [{\"detail\": \"not there\"}]}"

struct world {
    struct pair pair;
    size_t asked, told;
    int rc[CALLS];
    enum error_code code[CALLS];
    long status[CALLS];
    size_t end_with; /* the call that ends it; CALLS: none */
};

static bool next(void *data, struct placement_call *call)
{
    struct world *world = data;
    if (world->asked == CALLS)
        return false;
    call->number = world->asked++;
    call->method = "PUT";
    call->path = xasprintf("/traits/CUSTOM_%zu", call->number);
    return true;
}

static int done(void *data, const struct placement_call *call, int rc,
                struct json_object *reply, struct error *err)
{
    struct world *world = data;
    (void)reply;
    world->told++;
    world->rc[call->number] = rc;
    world->code[call->number] = rc == 0 ? ERROR_NONE : err->code;
    world->status[call->number] = call->status;
    return call->number == world->end_with
               ? error_set(err, ERROR_EXHAUSTED, "enough of it")
               : 0;
}

static void begin(struct world *world)
{
    *world = (struct world){.end_with = CALLS};
    pair_open(&world->pair);
    /* The versions. */
    peer_ok(world->pair.peer, NO_PROVIDERS);
    assert_ok(pair_get_tree(&world->pair), &world->pair.err);
}

static int run(struct world *world, size_t connections)
{
    const struct placement_batch batch = {world, next, done};
    world->pair.err = (struct error){0};
    return placement_client_run(world->pair.client, connections, &batch,
                                &world->pair.err);
}

static void reply_to_all(struct world *world, size_t count)
{
    while (count--)
        peer_reply(world->pair.peer, 204, NULL, "");
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void each_is_told_once(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    reply_to_all(&world, 2);
    peer_reply(world.pair.peer, 404, NULL, NOT_FOUND);
    reply_to_all(&world, CALLS - 3);
    assert_ok(run(&world, 1), &world.pair.err);
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(world.rc[i], i == 2 ? -1 : 0);
        assert_int_equal(world.code[i], i == 2 ? ERROR_NOT_FOUND : ERROR_NONE);
        assert_int_equal(world.status[i], i == 2 ? 404 : 204);
    }
    assert_int_equal(world.told, CALLS);
    assert_true(has_line(&world.pair, 2, "OpenStack-API-Version: placement 1.39"));
    assert_request(&world.pair, 6, "PUT /traits/CUSTOM_4");
    pair_close(&world.pair);
}

static void each_has_its_kept_connection(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    size_t before = peer_connection_count(world.pair.peer);
    reply_to_all(&world, CALLS);
    assert_ok(run(&world, 3), &world.pair.err);
    assert_int_equal(world.told, CALLS);
    assert_int_equal(peer_connection_count(world.pair.peer), before + 3);
    pair_close(&world.pair);
}

static void a_server_that_is_busy_is_left_alone(void **state)
{
    (void)state;
    static const unsigned statuses[] = {503, 429};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        begin(&world);
        for (size_t k = 0; k < 3; k++)
            peer_reply(world.pair.peer, statuses[i], "Retry-After: 1\r\n", "");
        reply_to_all(&world, CALLS);
        double begun = now();
        assert_ok(run(&world, 3), &world.pair.err);
        assert_true(now() - begun >= 0.999);
        for (size_t k = 0; k < CALLS; k++) {
            assert_int_equal(world.rc[k], 0);
            assert_int_equal(world.status[k], 204);
        }
        /* The versions, the tree, three refusals, and all of them. */
        assert_int_equal(peer_request_count(world.pair.peer), 2 + 3 + CALLS);
        pair_close(&world.pair);
    }
}

static void a_server_that_stays_busy_is_left_alone_again(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    /* Three at once; then alone, twice. */
    for (size_t i = 0; i < 3 + 2; i++)
        peer_reply(world.pair.peer, i % 2 ? 503 : 429, "Retry-After: 1\r\n", "");
    reply_to_all(&world, CALLS);
    double begun = now();
    assert_ok(run(&world, 3), &world.pair.err);
    assert_true(now() - begun >= 2.999);
    for (size_t i = 0; i < CALLS; i++) {
        assert_int_equal(world.rc[i], 0);
        assert_int_equal(world.status[i], 204);
    }
    assert_int_equal(peer_request_count(world.pair.peer), 2 + 3 + 2 + CALLS);
    pair_close(&world.pair);
}

static void a_server_is_not_left_alone_for_ever(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.end_with = 0;
    for (size_t i = 0; i < 12; i++)
        peer_reply(world.pair.peer, 503, "Retry-After: 1\r\n", "");
    assert_int_equal(run(&world, 1), -1);
    assert_int_equal(world.code[0], ERROR_UNREACHABLE);
    assert_int_equal(world.status[0], 503);
    assert_int_equal(peer_request_count(world.pair.peer), 2 + 12);
    pair_close(&world.pair);
}

static void nobody_waits_for_hours(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    peer_reply(world.pair.peer, 503, "Retry-After: 7200\r\n", "");
    reply_to_all(&world, CALLS - 1);
    assert_ok(run(&world, 1), &world.pair.err);
    assert_int_equal(world.code[0], ERROR_UNREACHABLE);
    pair_close(&world.pair);
}

static void the_version_is_agreed_on_again(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    peer_reply(world.pair.peer, 406, NULL, "");
    peer_reply(world.pair.peer, 406, NULL, "");
    peer_ok(world.pair.peer, VERSIONS("1.0", "1.36"));
    reply_to_all(&world, CALLS);
    assert_ok(run(&world, 1), &world.pair.err);
    assert_int_equal(world.code[0], ERROR_NONE);
    assert_int_equal(placement_client_minor(world.pair.client), 36);
    pair_close(&world.pair);
}

static void nothing_is_sent_without_a_version(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    peer_reply(world.pair.peer, 406, NULL, "");
    peer_reply(world.pair.peer, 406, NULL, "");
    peer_reply(world.pair.peer, 400, NULL, "");
    peer_reply(world.pair.peer, 400, NULL, "");
    reply_to_all(&world, CALLS);
    assert_int_equal(run(&world, 1), -1);
    assert_int_equal(world.pair.err.code, ERROR_INVALID);
    assert_int_equal(world.asked, 1);
    assert_int_equal(world.told, 1);
    assert_int_equal(world.code[0], ERROR_INVALID);
    assert_int_equal(peer_request_count(world.pair.peer), 2 + 4);
    assert_request(&world.pair, 5, "GET /");
    pair_close(&world.pair);
}

static const struct world *renewing;

static bool is_always_due(const struct auth *auth)
{
    (void)auth;
    return true;
}

/* As one that asks Keystone each time. */
static int authorize_alone(struct auth *auth, struct http_request *request,
                           struct error *err)
{
    (void)err;
    assert_int_equal(renewing->asked - renewing->told, 1);
    request->authorization = auth->header;
    return 0;
}

static void a_token_is_renewed_while_nothing_is_under_way(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct auth *auth = world.pair.client->auth;
    const struct auth_operations *old = auth->operations;
    struct auth_operations operations = *old;
    operations.is_due = is_always_due;
    operations.authorize = authorize_alone;
    auth->operations = &operations;
    renewing = &world;
    reply_to_all(&world, CALLS);
    assert_ok(run(&world, 3), &world.pair.err);
    assert_int_equal(world.told, CALLS);
    auth->operations = old;
    pair_close(&world.pair);
}

static void what_is_under_way_is_told_at_the_end(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.end_with = 0;
    reply_to_all(&world, CALLS);
    assert_int_equal(run(&world, 2), -1);
    assert_int_equal(world.pair.err.code, ERROR_EXHAUSTED);
    assert_string_equal(world.pair.err.text, "enough of it");
    assert_int_equal(world.told, world.asked);
    assert_true(world.asked < CALLS);
    pair_close(&world.pair);
}

static void nobody_there(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    for (size_t i = 0; i < 2 * CALLS; i++)
        peer_raw(world.pair.peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert_ok(run(&world, 2), &world.pair.err);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(world.code[i], ERROR_UNREACHABLE);
    pair_close(&world.pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_told_once),
        cmocka_unit_test(each_has_its_kept_connection),
        cmocka_unit_test(a_server_that_is_busy_is_left_alone),
        cmocka_unit_test(a_server_that_stays_busy_is_left_alone_again),
        cmocka_unit_test(a_server_is_not_left_alone_for_ever),
        cmocka_unit_test(nobody_waits_for_hours),
        cmocka_unit_test(the_version_is_agreed_on_again),
        cmocka_unit_test(nothing_is_sent_without_a_version),
        cmocka_unit_test(a_token_is_renewed_while_nothing_is_under_way),
        cmocka_unit_test(what_is_under_way_is_told_at_the_end),
        cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
