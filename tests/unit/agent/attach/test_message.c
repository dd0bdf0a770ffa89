#include "agent/attach/message.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

#define A "aaaaaaaa-0000-4000-8000-000000000000"
#define B "bbbbbbbb-0000-4000-8000-000000000000"

/* What was written, read and written again is the same text. */
static void assert_line(const struct message *message, const char *expected)
{
    _cleanup_free_ char *line = message_encode(message);
    assert_string_equal(line, expected);
    struct error err;
    _cleanup_message_ struct message back;
    assert_ok(message_decode(line, strlen(line) - 1, &back, &err), &err);
    assert_int_equal(back.kind, message->kind);
    _cleanup_free_ char *again = message_encode(&back);
    assert_string_equal(again, expected);
}

static void wanted_goes_and_comes(void **state)
{
    (void)state;
    _cleanup_message_ struct message message = {.kind = MESSAGE_WANTED};
    struct wanted_table *table = &message.table;
    table->serial = 7;
    struct wanted *a = wanted_table_add(table, A);
    a->whole = true;
    wanted_add_device(a, "0000:41:00.4", "<hostdev a='1'>\n</hostdev>");
    wanted_add_device(a, "m1", "<m1/>");
    wanted_table_add(table, B)->heals = true;
    strlist_add(&table->ours, "m1");
    strlist_add(&table->ours, "m2");
    assert_line(
        &message,
        "{\"wanted\":{\"serial\":7,\"consumers\":[{\"consumer\":\"" A
        "\",\"whole\":true,\"heals\":false,\"devices\":["
        "{\"address\":\"0000:41:00.4\",\"xml\":\"<hostdev a='1'>\\n</hostdev>\"},"
        "{\"address\":\"m1\",\"xml\":\"<m1/>\"}]},{\"consumer\":\"" B
        "\",\"whole\":false,\"heals\":true,\"devices\":[]}],"
        "\"ours\":[\"m1\",\"m2\"]}}\n");
}

static void guest_goes_and_comes(void **state)
{
    (void)state;
    _cleanup_message_ struct message message = {
        .kind = MESSAGE_GUEST,
        .guest = {.name = xstrdup("x\"y"), .running = true},
        .life = 5};
    uuid_text_copy(message.guest.uuid, A);
    strlist_add(&message.guest.live, "m1");
    assert_line(&message, "{\"guest\":{\"uuid\":\"" A "\",\"name\":\"x\\\"y\","
                          "\"running\":true,\"persistent\":false,\"live\":[\"m1\"],"
                          "\"configured\":[],\"life\":5}}\n");
}

static void the_others_go_and_come(void **state)
{
    (void)state;
    struct message domain = {.kind = MESSAGE_GONE};
    uuid_text_copy(domain.domain, B);
    assert_line(&domain, "{\"gone\":\"" B "\"}\n");
    domain.kind = MESSAGE_ASK;
    assert_line(&domain, "{\"ask\":\"" B "\"}\n");
    assert_line(&(struct message){.kind = MESSAGE_ALL}, "{\"all\":true}\n");
    assert_line(&(struct message){.kind = MESSAGE_CONNECTION, .up = true},
                "{\"connection\":{\"up\":true,\"reason\":null}}\n");
    char reason[] = "no socket";
    assert_line(&(struct message){.kind = MESSAGE_CONNECTION, .reason = reason},
                "{\"connection\":{\"up\":false,\"reason\":\"no socket\"}}\n");
    char *addresses[] = {(char[]){"m1"}, (char[]){"m2"}};
    assert_line(&(struct message){.kind = MESSAGE_HOLDING,
                                  .serial = 9,
                                  .addresses = {addresses, 2}},
                "{\"holding\":{\"serial\":9,\"busy\":[\"m1\",\"m2\"]}}\n");
    domain.kind = MESSAGE_DOUBT;
    domain.number = 7;
    domain.life = 8;
    assert_line(&domain,
                "{\"doubt\":{\"consumer\":\"" B "\",\"number\":7,\"life\":8}}\n");
    domain.kind = MESSAGE_SURE;
    domain.life = 0;
    domain.lasts = 1000;
    assert_line(&domain,
                "{\"sure\":{\"consumer\":\"" B "\",\"number\":7,\"lasts\":1000}}\n");
}

static void every_state_goes_and_comes(void **state)
{
    (void)state;
    for (int i = 0; i < GUEST_STATES; i++) {
        struct message message = {.kind = MESSAGE_STATE,
                                  .state = (enum guest_state)i,
                                  .age = 5 * i,
                                  .took = i - 1};
        uuid_text_copy(message.domain, A);
        _cleanup_free_ char *expected =
            xasprintf("{\"state\":{\"consumer\":\"" A
                      "\",\"state\":\"%s\",\"reason\":null,\"age\":%d,\"took\":%d}}\n",
                      guest_state_name((enum guest_state)i), 5 * i, i - 1);
        assert_line(&message, expected);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(guest_state_name((enum guest_state)i),
                                    guest_state_name((enum guest_state)j));
    }
}

/* An error's text is cut at a byte, and libvirt may speak another encoding. */
static void text_that_is_not_utf8_still_makes_a_line(void **state)
{
    (void)state;
    char reason[] = "no port \xe4 or \xc3";
    assert_line(&(struct message){.kind = MESSAGE_CONNECTION, .reason = reason},
                "{\"connection\":{\"up\":false,\"reason\":\"no port \xc3\xa4 or "
                "\xc3\x83\"}}\n");
}

static void lists_come_sorted_and_uuids_in_lower_case(void **state)
{
    (void)state;
    static const char line[] =
        "{\"wanted\":{\"serial\":1,\"ours\":[\"b\",\"a\",\"b\"],\"consumers\":["
        "{\"consumer\":\"BBBBBBBB-0000-4000-8000-000000000000\",\"whole\":true,"
        "\"heals\":false,\"devices\":[{\"address\":\"d\",\"xml\":\"\"},"
        "{\"address\":\"c\",\"xml\":\"\"}]},{\"consumer\":\"" A
        "\",\"whole\":true,\"heals\":false,\"devices\":[]}]}}";
    struct error err;
    _cleanup_message_ struct message message;
    assert_ok(message_decode(line, strlen(line), &message, &err), &err);
    assert_int_equal(message.table.ours.count, 2);
    assert_string_equal(message.table.consumers[0].consumer, A);
    assert_string_equal(wanted_find(&message.table, B)->devices[0].address, "c");
}

#define WANTED(consumers) \
    "{\"wanted\":{\"serial\":1,\"ours\":[],\"consumers\":[" consumers "]}}"
#define CONSUMER(uuid, devices)                                                       \
    "{\"consumer\":\"" uuid "\",\"whole\":true,\"heals\":false,\"devices\":[" devices \
    "]}"
#define DEVICE(address) "{\"address\":\"" address "\",\"xml\":\"x\"}"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123"

static void a_broken_line_is_refused_with_one_reason(void **state)
{
    (void)state;
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"", "not JSON at byte 0: it ends too early"},
        {"{\"all\":true", "not JSON at byte 11: it ends too early"},
        {"{\"all\":true}{\"all\":true}", NULL},
        {"7", "expected an object with one member"},
        {"{}", "expected an object with one member"},
        {"{\"all\":true,\"gone\":\"" A "\"}", "expected an object with one member"},
        {"{\"every\":true}", "'every' is no kind of message"},
        {"{\"all\":false}", "all: expected true"},
        {"{\"all\":1}", "all: expected a boolean, got an integer"},
        {"{\"gone\":\"x\"}", "gone: 'x' is no uuid"},
        {"{\"ask\":null}", "ask: missing, expected a string"},
        {"{\"connection\":true}", "connection: expected an object, got a boolean"},
        {"{\"connection\":{}}", "connection: up: missing, expected a boolean"},
        {"{\"connection\":{\"up\":true,\"reason\":7}}",
         "connection: reason: expected a string, got an integer"},
        {"{\"guest\":{\"uuid\":\"" A "\",\"name\":\"x\",\"running\":true,"
         "\"persistent\":true,\"live\":[1],\"configured\":[]}}",
         "guest: live: expected strings, got an integer"},
        {"{\"guest\":{\"uuid\":\"" A "\",\"name\":\"x\",\"running\":true,"
         "\"persistent\":true,\"live\":[]}}",
         "guest: configured: missing, expected an array"},
        {"{\"state\":{\"consumer\":\"" A "\",\"state\":\"well\",\"age\":1,"
         "\"took\":-1}}",
         "state: state: 'well' is unknown"},
        {"{\"state\":{\"consumer\":\"" A "\",\"state\":\"failed\",\"age\":-1}}",
         "state: age: -1 is below 0"},
        {"{\"holding\":{\"serial\":-1,\"busy\":[]}}", "holding: serial: -1 is below 0"},
        {"{\"holding\":{\"serial\":1.0,\"busy\":[]}}",
         "holding: serial: expected an integer, got a number"},
        {"{\"holding\":{\"serial\":1,\"busy\":[\"\"]}}",
         "holding: busy: '' is no address of a device"},
        {"{\"sure\":{\"consumer\":\"" B "\",\"number\":-1}}",
         "sure: number: -1 is below 0"},
        {"{\"holding\":{\"serial\":1,\"busy\":[\"a\\u0000b\"]}}",
         "holding: busy: a NUL character in a string"},
        {"{\"holding\":{\"serial\":1,\"busy\":[\"" LONG "\"]}}",
         "holding: busy: '" LONG "' is no address of a device"},
        {"{\"wanted\":{\"serial\":0,\"ours\":[],\"consumers\":[]}}",
         "wanted: serial: 0 means that there is no table"},
        {WANTED("7"), "wanted: consumers[0]: expected an object with 'consumer', got "
                      "an integer"},
        {WANTED(CONSUMER(A, "") "," CONSUMER(A, "")),
         "wanted: consumers[1]: " A " comes twice"},
        {WANTED(CONSUMER(A, DEVICE("m") "," DEVICE("m"))),
         "wanted: the device m comes twice"},
        {WANTED(CONSUMER(A, DEVICE("m")) "," CONSUMER(B, DEVICE("m"))),
         "wanted: the device m comes twice"},
        {WANTED(CONSUMER(A, DEVICE("m") ",{\"address\":\"n\"}")),
         "wanted: consumers[0]: devices[1]: xml: missing, expected a string"},
        {WANTED(CONSUMER(A, DEVICE(""))),
         "wanted: consumers[0]: devices[0]: '' is no address of a device"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        struct message message;
        int rc = message_decode(cases[i].line, strlen(cases[i].line), &message, &err);
        if (rc == 0)
            fail_msg("%s was taken", cases[i].line);
        assert_int_equal(err.code, ERROR_INVALID);
        if (cases[i].error)
            assert_string_equal(err.text, cases[i].error);
        static const struct message none;
        assert_memory_equal(&message, &none, sizeof message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_goes_and_comes),
        cmocka_unit_test(guest_goes_and_comes),
        cmocka_unit_test(the_others_go_and_come),
        cmocka_unit_test(every_state_goes_and_comes),
        cmocka_unit_test(text_that_is_not_utf8_still_makes_a_line),
        cmocka_unit_test(lists_come_sorted_and_uuids_in_lower_case),
        cmocka_unit_test(a_broken_line_is_refused_with_one_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
