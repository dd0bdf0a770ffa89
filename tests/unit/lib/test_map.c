#include "lib/map.h"

#include <stdio.h>

#include "tests/unit/test.h"

struct thing {
    char name[48];
    struct map_entry by_name;
};

static struct thing *find(const struct map *map, const char *name)
{
    return map_owner(map_find(map, name), struct thing, by_name);
}

static void finds_what_was_added(void **state)
{
    (void)state;
    struct map map = {0};
    struct thing things[] = {{.name = ""}, {.name = "a"}, {.name = "ab"}};
    assert_null(find(&map, "a"));
    for (size_t i = 0; i < 3; i++)
        map_add(&map, &things[i].by_name, things[i].name);
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(find(&map, things[i].name), &things[i]);
    assert_null(find(&map, "abc"));
    assert_null(find(&map, "b"));
    map_remove(&map, &things[1].by_name);
    assert_null(find(&map, "a"));
    assert_ptr_equal(find(&map, "ab"), &things[2]);
    map_clear(&map);
    assert_null(find(&map, "ab"));
    assert_int_equal(map.count, 0);
}

#define MANY 5000

/* More than the buckets at first, so that it grows and entries share buckets; the keys
 * differ in their last bytes only. */
static void holds_many(void **state)
{
    (void)state;
    static struct thing things[MANY];
    struct map map = {0};
    for (size_t i = 0; i < MANY; i++) {
        snprintf(things[i].name, sizeof things[i].name,
                 "aaaaaaaa-0000-4000-8000-%012zu", i);
        map_add(&map, &things[i].by_name, things[i].name);
    }
    assert_int_equal(map.count, MANY);
    for (size_t i = 0; i < MANY; i += 2)
        map_remove(&map, &things[i].by_name);
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(find(&map, things[i].name), i % 2 ? &things[i] : NULL);
    for (size_t i = 0; i < MANY; i += 2)
        map_add(&map, &things[i].by_name, things[i].name);
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(find(&map, things[i].name), &things[i]);
    map_clear(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(holds_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
