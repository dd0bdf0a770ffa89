#include "lib/buffer.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static void grows_at_its_end(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_add_text(&buffer, "provider");
    buffer_add_char(&buffer, ' ');
    buffer_add(&buffer, "a\0b", 3);
    buffer_format(&buffer, " %d of %s", 3, "VGPU");
    size_t length;
    _cleanup_free_ char *text = buffer_take(&buffer, &length);
    assert_int_equal(length, 22);
    assert_memory_equal(text, "provider a\0b 3 of VGPU", 23);
    assert_null(buffer.text);
    assert_int_equal(buffer.length + buffer.room, 0);
}

static void an_empty_one_gives_an_empty_text(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    _cleanup_free_ char *text = buffer_take(&buffer, NULL);
    assert_string_equal(text, "");
    buffer_clear(&buffer);
}

/* Across every size at which memory is moved. */
static void keeps_what_is_there_as_it_grows(void **state)
{
    (void)state;
    _cleanup_buffer_ struct buffer buffer = {0};
    for (size_t i = 0; i < 5000; i++)
        buffer_add_char(&buffer, (char)('a' + i % 26));
    assert_int_equal(buffer.length, 5000);
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(buffer.text[i], 'a' + i % 26);
}

static void reserved_room_is_not_moved(void **state)
{
    (void)state;
    _cleanup_buffer_ struct buffer buffer = {0};
    const char *place = buffer_reserve(&buffer, 3000);
    for (size_t i = 0; i < 3000; i++)
        buffer_add_char(&buffer, 'x');
    assert_ptr_equal(buffer.text, place);
}

static void what_does_not_fit_is_dropped_with_all_after_it(void **state)
{
    (void)state;
    struct buffer buffer = {.max = 6};
    buffer_add_text(&buffer, "1234");
    assert_false(buffer.full);
    buffer_add_text(&buffer, "567");
    assert_true(buffer.full);
    buffer_add_char(&buffer, '5');
    size_t length;
    _cleanup_free_ char *text = buffer_take(&buffer, &length);
    assert_string_equal(text, "1234");
    assert_int_equal(length, 4);
    assert_false(buffer.full);
}

static void takes_exactly_as_much_as_it_may(void **state)
{
    (void)state;
    _cleanup_buffer_ struct buffer buffer = {.max = 6};
    buffer_add_text(&buffer, "123456");
    buffer_add_text(&buffer, "");
    assert_false(buffer.full);
    assert_int_equal(buffer.length, 6);
    assert_false(buffer_takes(&buffer, 1));
    assert_true(buffer.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_at_its_end),
        cmocka_unit_test(an_empty_one_gives_an_empty_text),
        cmocka_unit_test(keeps_what_is_there_as_it_grows),
        cmocka_unit_test(reserved_room_is_not_moved),
        cmocka_unit_test(what_does_not_fit_is_dropped_with_all_after_it),
        cmocka_unit_test(takes_exactly_as_much_as_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
