#include "tests/unit/test.h"

#include <string.h>

#include "agent/state/orders.h"
#include "agent/state/requests.h"
#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define FUNCTION "0000:41:00.4"

struct fixture {
    char *folder, *state_file;
};

static struct fixture set_up(void)
{
    struct fixture fixture = {.folder = tree_new()};
    fixture.state_file = xasprintf("%s/state.json", fixture.folder);
    return fixture;
}

static void tear_down(struct fixture *fixture)
{
    tree_free(fixture->folder);
    free(fixture->state_file);
}

static void read_all(const struct fixture *fixture, struct order_list *out)
{
    struct error err = {0};
    _cleanup_requests_ struct requests requests;
    assert_ok(requests_read_all(fixture->state_file, &requests, &err), &err);
    orders_read(fixture->state_file, &requests.about[REQUEST_ORDER], out);
}

static void an_order_is_read_as_it_was_given(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err = {0};
    struct order_list list = {0};
    const struct order create = {.kind = ORDER_CREATE,
                                 .device = (char *)UUID,
                                 .type = (char *)"GRID \"M10\"-0B",
                                 .gpu = (char *)"0000:84:00.0",
                                 .parameters = (char *)"a=1"};
    const struct order removal = {
        .kind = ORDER_REMOVE, .device = (char *)FUNCTION, .force = true};
    read_all(&fixture, &list);
    assert_int_equal(list.count, 0);
    assert_ok(order_give(fixture.state_file, &create, &err), &err);
    assert_ok(order_give(fixture.state_file, &removal, &err), &err);
    read_all(&fixture, &list);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.orders[0].kind, ORDER_REMOVE);
    assert_string_equal(list.orders[0].device, FUNCTION);
    assert_true(list.orders[0].force);
    assert_null(list.orders[0].type);
    assert_int_equal(list.orders[1].kind, ORDER_CREATE);
    assert_string_equal(list.orders[1].type, create.type);
    assert_string_equal(list.orders[1].gpu, create.gpu);
    assert_string_equal(list.orders[1].parameters, "a=1");
    /* Another order for the device replaces the first. */
    const struct order instead = {.kind = ORDER_REMOVE, .device = (char *)UUID};
    assert_ok(order_give(fixture.state_file, &instead, &err), &err);
    assert_ok(order_withdraw(fixture.state_file, FUNCTION, &err), &err);
    assert_ok(order_withdraw(fixture.state_file, FUNCTION, &err), &err);
    read_all(&fixture, &list);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.orders[0].kind, ORDER_REMOVE);
    order_list_clear(&list);
    tear_down(&fixture);
}

static void what_is_no_order_is_left_out(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"kind\": \"dance\", \"type\": null}",
        "{\"kind\": \"create\", \"type\": null, \"gpu\": null, \"parameters\": null, "
        "\"force\": false}",
        "{\"kind\": \"parameters\", \"type\": null, \"gpu\": null, \"parameters\": "
        "null, \"force\": false}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct fixture fixture = set_up();
        struct order_list list = {0};
        tree_write(fixture.folder, "state.json.order." UUID, texts[i]);
        read_all(&fixture, &list);
        assert_int_equal(list.count, 0);
        tear_down(&fixture);
    }
}

static void a_device_must_be_a_file_name(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err = {0};
    const struct order order = {.kind = ORDER_REMOVE, .device = (char *)"../x"};
    assert_int_equal(order_give(fixture.state_file, &order, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    tear_down(&fixture);
}

static void an_answer_is_taken_once(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err = {0};
    struct order_answer answer = {.text = (char *)FUNCTION}, taken = {0};
    assert_false(order_answer_take(fixture.state_file, UUID, &taken));
    assert_ok(order_answer_write(fixture.state_file, UUID, &answer, &err), &err);
    assert_true(order_answer_take(fixture.state_file, UUID, &taken));
    assert_int_equal(taken.refusal.code, ERROR_NONE);
    assert_string_equal(taken.text, FUNCTION);
    free(taken.text);
    assert_false(order_answer_take(fixture.state_file, UUID, &taken));
    answer.text = NULL;
    (void)error_set(&answer.refusal, ERROR_EXHAUSTED, "no \"instance\" is left");
    assert_ok(order_answer_write(fixture.state_file, UUID, &answer, &err), &err);
    assert_true(order_answer_take(fixture.state_file, UUID, &taken));
    assert_int_equal(taken.refusal.code, ERROR_EXHAUSTED);
    assert_string_equal(taken.refusal.text, "no \"instance\" is left");
    assert_null(taken.text);
    tear_down(&fixture);
}

/* One that was given up is no answer to the next order. */
static void an_order_takes_earlier_answers_away(void **state)
{
    (void)state;
    struct fixture fixture = set_up();
    struct error err = {0};
    const struct order_answer answer = {0};
    struct order_answer taken = {0};
    const struct order order = {.kind = ORDER_REMOVE, .device = (char *)UUID};
    assert_ok(order_answer_write(fixture.state_file, UUID, &answer, &err), &err);
    assert_ok(order_give(fixture.state_file, &order, &err), &err);
    assert_false(order_answer_take(fixture.state_file, UUID, &taken));
    assert_ok(order_answer_write(fixture.state_file, UUID, &answer, &err), &err);
    order_answers_forget(fixture.state_file);
    assert_false(order_answer_take(fixture.state_file, UUID, &taken));
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_read_as_it_was_given),
        cmocka_unit_test(what_is_no_order_is_left_out),
        cmocka_unit_test(a_device_must_be_a_file_name),
        cmocka_unit_test(an_answer_is_taken_once),
        cmocka_unit_test(an_order_takes_earlier_answers_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
