/* placement/server/http/unread: the memory of all replies together. */
#include "placement/server/http/unread.h"

#include <arpa/inet.h>
#include <stdint.h>

#include "tests/unit/test.h"

#define KIB 1024
#define MAX (1024 * KIB)
#define PATIENCE_MS 2000

struct world {
    struct unread_list list;
    struct peers peers;
};

struct client {
    struct peer *peer;
    struct unread reply;
};

static void begin(struct world *world)
{
    *world = (struct world){.peers.limits = {.connections = 100, .per_address = 100}};
    unread_begin(&world->list, MAX);
}

/* Nobody has a socket: what is shut down is marked. */
static void connect_from(struct world *world, const char *address,
                         struct client *client)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
    *client = (struct client){
        .peer = peers_add(&world->peers, -1, (const struct sockaddr *)&from)};
}

static size_t grow(struct world *world, struct client *client, size_t bytes)
{
    return unread_grow(&world->list, &client->reply, client->peer, bytes,
                       &world->peers);
}

static void end(struct world *world, struct client *client)
{
    unread_remove(&world->list, &client->reply);
    peers_remove(&world->peers, client->peer);
}

static void test_memory_is_asked_for_while_it_grows(void **state)
{
    struct world world;
    struct client one, other;
    (void)state;
    begin(&world);
    connect_from(&world, "192.0.2.1", &one);
    connect_from(&world, "192.0.2.1", &other);
    assert_true(grow(&world, &one, 64 * KIB) >= 64 * KIB);
    assert_int_equal(world.list.used, 0); /* a small one is not counted */
    for (size_t bytes = 100 * KIB; bytes <= 900 * KIB; bytes += 100 * KIB)
        assert_true(grow(&world, &one, bytes) >= bytes);
    assert_in_range(world.list.used, 900 * KIB, 964 * KIB);
    assert_true(grow(&world, &other, 64 * KIB) >= 64 * KIB);
    assert_true(grow(&world, &other, 200 * KIB) < 200 * KIB);
    unread_settle(&world.list, &one.reply, 820 * KIB);
    assert_int_equal(world.list.used, 820 * KIB);
    assert_true(grow(&world, &other, 200 * KIB) >= 200 * KIB);
    unread_settle(&world.list, &other.reply, 10 * KIB); /* a problem in its place */
    assert_int_equal(world.list.used, 820 * KIB);
    assert_true(grow(&world, &one, MAX) == MAX);
    assert_true(grow(&world, &one, MAX + 1) < MAX + 1);
    assert_false(one.peer->cut_off || other.peer->cut_off);
    end(&world, &one);
    end(&world, &other);
    assert_int_equal(world.list.used, 0);
    assert_null(world.list.oldest);
}

static void test_who_had_time_to_read_is_cut_off(void **state)
{
    struct world world;
    struct client clients[4];
    (void)state;
    begin(&world);
    for (int i = 0; i < 4; i++)
        connect_from(&world, "192.0.2.1", &clients[i]);
    for (int i = 0; i < 3; i++)
        assert_true(grow(&world, &clients[i], 300 * KIB) >= 300 * KIB);
    assert_true(grow(&world, &clients[3], 300 * KIB) < 300 * KIB);
    clients[0].reply.since -= PATIENCE_MS + 1000;
    clients[1].reply.since -= PATIENCE_MS + 1000;
    assert_true(grow(&world, &clients[3], 300 * KIB) >= 300 * KIB);
    assert_true(clients[0].peer->cut_off);
    assert_false(clients[1].peer->cut_off || clients[2].peer->cut_off);
    /* One that takes long to be made is not given up for itself. */
    clients[3].reply.since -= PATIENCE_MS + 1000;
    assert_true(grow(&world, &clients[3], MAX) < MAX);
    assert_true(clients[1].peer->cut_off);
    assert_false(clients[2].peer->cut_off || clients[3].peer->cut_off);
    for (int i = 0; i < 4; i++)
        end(&world, &clients[i]);
    assert_int_equal(world.list.used, 0);
}

/* However many connections it has, and however quickly it asks again. */
static void test_one_address_does_not_have_it_all(void **state)
{
    struct world world;
    struct client greedy[10], third, good;
    (void)state;
    begin(&world);
    connect_from(&world, "192.0.2.3", &third);
    assert_true(grow(&world, &third, 120 * KIB) >= 120 * KIB);
    for (int i = 0; i < 10; i++)
        connect_from(&world, "192.0.2.1", &greedy[i]);
    for (int i = 0; i < 7; i++)
        assert_true(grow(&world, &greedy[i], 120 * KIB) >= 120 * KIB);
    connect_from(&world, "192.0.2.2", &good);
    for (size_t bytes = 100 * KIB; bytes <= 400 * KIB; bytes += 100 * KIB)
        assert_true(grow(&world, &good, bytes) >= bytes);
    assert_true(greedy[0].peer->cut_off && greedy[1].peer->cut_off);
    assert_false(greedy[6].peer->cut_off || third.peer->cut_off || good.peer->cut_off);
    /* Others have to wait until it has read, or has had the time. */
    assert_true(grow(&world, &greedy[7], 300 * KIB) < 300 * KIB);
    for (int i = 0; i < 10; i++)
        end(&world, &greedy[i]);
    end(&world, &third);
    end(&world, &good);
    assert_int_equal(world.list.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_asked_for_while_it_grows),
        cmocka_unit_test(test_who_had_time_to_read_is_cut_off),
        cmocka_unit_test(test_one_address_does_not_have_it_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
