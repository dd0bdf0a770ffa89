#include "lib/connections.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* Server and client of one connection over loopback. `address` is what the server is
 * told of the client. */
struct pair {
    int server, client;
    struct peer *peer;
};

static struct sockaddr_in named(const char *address)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, address, &name.sin_addr), 1);
    return name;
}

static struct pair connected(struct peers *peers, const char *address)
{
    struct sockaddr_in name = named("127.0.0.1");
    socklen_t size = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&name, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &size), 0);
    struct pair pair = {.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(pair.client, (struct sockaddr *)&name, size), 0);
    pair.server = accept(listener, NULL, NULL);
    assert_true(pair.server >= 0);
    close(listener);
    struct sockaddr_in shown = named(address);
    pair.peer = peers_add(peers, pair.server, (struct sockaddr *)&shown);
    return pair;
}

static void gone(struct peers *peers, struct pair *pair)
{
    peers_remove(peers, pair->peer);
    close(pair->server);
    close(pair->client);
}

/* As if that many milliseconds had passed for this one. */
static void age(struct pair *pair, int64_t ms)
{
    pair->peer->since -= ms;
    pair->peer->looked_since -= ms;
    if (pair->peer->head_since)
        pair->peer->head_since -= ms;
}

static const struct peers_limits limits = {
    .connections = 3, .per_address = 2, .head = 5, .request = 60};

static void the_longest_idle_makes_room(void **state)
{
    (void)state;
    struct peers peers = {.limits = limits};
    struct pair pairs[4];
    for (int i = 0; i < 3; i++)
        pairs[i] = connected(
            &peers, (const char *const[]){"10.0.0.1", "10.0.0.2", "10.0.0.3"}[i]);
    assert_string_equal(pairs[1].peer->address, "10.0.0.2");
    age(&pairs[0], 3000);
    age(&pairs[1], 2000);
    age(&pairs[2], 1000);
    pairs[0].peer->phase = PEER_SENDING; /* busy, and so left alone */
    pairs[3] = connected(&peers, "10.0.0.4");
    assert_false(pairs[0].peer->cut_off);
    assert_true(pairs[1].peer->cut_off);
    assert_false(pairs[2].peer->cut_off);
    assert_false(pairs[3].peer->cut_off);
    assert_int_equal(peers.count, 3);
    char c;
    assert_int_equal(read(pairs[1].client, &c, 1), 0); /* the client sees the end */
    for (int i = 0; i < 4; i++)
        gone(&peers, &pairs[i]);
    assert_int_equal(peers.count, 0);
    assert_null(peers.first);
}

static void no_address_has_more_than_its_share(void **state)
{
    (void)state;
    struct peers peers = {.limits = limits};
    struct pair other = connected(&peers, "10.0.0.9");
    age(&other, 10000);
    struct pair pairs[3];
    for (int i = 0; i < 2; i++)
        pairs[i] = connected(&peers, "10.0.0.1");
    pairs[0].peer->phase = pairs[1].peer->phase = PEER_ANSWERED;
    pairs[2] = connected(&peers, "10.0.0.1");
    assert_true(pairs[2].peer->cut_off); /* the others of that address are busy */
    assert_false(other.peer->cut_off);
    for (int i = 0; i < 3; i++)
        gone(&peers, &pairs[i]);
    gone(&peers, &other);
}

static void the_head_of_a_request_may_not_take_long(void **state)
{
    (void)state;
    struct peers peers = {.limits = limits};
    struct pair new = connected(&peers, "10.0.0.1"),
                kept = connected(&peers, "10.0.0.2");
    peer_served(kept.peer);
    peers_sweep(&peers);
    age(&new, 4000);
    age(&kept, 30000);
    peers_sweep(&peers);
    assert_false(new.peer->cut_off);
    assert_false(kept.peer->cut_off); /* it may be silent between requests */
    age(&new, 2000);
    assert_int_equal(write(kept.client, "G", 1), 1);
    /* The kernel has it as soon as write() returns: it is loopback. */
    peers_sweep(&peers);
    assert_true(new.peer->cut_off);
    assert_true(kept.peer->head_since > 0);
    age(&kept, 6000);
    peers_sweep(&peers);
    assert_true(kept.peer->cut_off);
    gone(&peers, &new);
    gone(&peers, &kept);
}

static void a_whole_request_may_not_take_long(void **state)
{
    (void)state;
    struct peers peers = {.limits = limits};
    struct pair pair = connected(&peers, "10.0.0.1");
    pair.peer->phase = PEER_SENDING;
    age(&pair, 59000);
    peers_sweep(&peers);
    assert_false(pair.peer->cut_off);
    age(&pair, 2000);
    peers_sweep(&peers);
    assert_true(pair.peer->cut_off);
    peers_cut_off(&peers, pair.peer); /* again: changes nothing */
    assert_int_equal(peers.count, 0);
    gone(&peers, &pair);
    assert_int_equal(peers.count, 0);
}

static void who_has_sent_its_end_is_not_waited_for(void **state)
{
    (void)state;
    struct peers peers = {.limits = limits};
    struct pair half = connected(&peers, "10.0.0.1"),
                answered = connected(&peers, "10.0.0.2");
    half.peer->phase = PEER_SENDING;
    answered.peer->phase = PEER_ANSWERED;
    assert_int_equal(write(half.client, "x", 1), 1);
    shutdown(half.client, SHUT_WR);
    shutdown(answered.client, SHUT_WR);
    char c;
    peers_sweep(&peers);
    assert_false(half.peer->cut_off); /* there is something to be read */
    assert_int_equal(read(half.server, &c, 1), 1);
    assert_int_equal(read(half.server, &c, 1), 0);
    peers_sweep(&peers);
    assert_true(half.peer->cut_off);
    assert_false(answered.peer->cut_off); /* its reply is owed */
    gone(&peers, &half);
    gone(&peers, &answered);
}

static struct peer *add(struct peers *peers, const char *text)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
        return peers_add(peers, -1, (const struct sockaddr *)&six);
    assert_int_equal(inet_pton(AF_INET, text, &four.sin_addr), 1);
    return peers_add(peers, -1, (const struct sockaddr *)&four);
}

/* Two connections are allowed from each; the first of three goes. */
static void expect_one_address(const char *const addresses[3], bool is_one)
{
    struct peers peers = {.limits = {.connections = 100, .per_address = 2}};
    struct peer *all[3];
    for (int i = 0; i < 3; i++)
        all[i] = add(&peers, addresses[i]);
    assert_int_equal(all[0]->cut_off, is_one);
    assert_false(all[1]->cut_off || all[2]->cut_off);
    assert_string_equal(all[2]->address, addresses[2]);
    for (int i = 0; i < 3; i++)
        peers_remove(&peers, all[i]);
    assert_int_equal(peers.count, 0);
}

static void an_address_has_its_part(void **state)
{
    (void)state;
    expect_one_address((const char *[]){"192.0.2.1", "192.0.2.1", "192.0.2.1"}, true);
    expect_one_address((const char *[]){"192.0.2.1", "192.0.2.2", "192.0.2.3"}, false);
}

/* Whoever has one address of IPv6 has 2^64. */
static void of_ipv6_a_network_is_one_address(void **state)
{
    (void)state;
    expect_one_address(
        (const char *[]){"2001:db8::1", "2001:db8::2", "2001:db8::1:0:0:3"}, true);
    expect_one_address(
        (const char *[]){"2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1"}, false);
    expect_one_address(
        (const char *[]){"::ffff:192.0.2.1", "::ffff:192.0.2.2", "::ffff:192.0.2.3"},
        false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_idle_makes_room),
        cmocka_unit_test(no_address_has_more_than_its_share),
        cmocka_unit_test(an_address_has_its_part),
        cmocka_unit_test(of_ipv6_a_network_is_one_address),
        cmocka_unit_test(the_head_of_a_request_may_not_take_long),
        cmocka_unit_test(a_whole_request_may_not_take_long),
        cmocka_unit_test(who_has_sent_its_end_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
