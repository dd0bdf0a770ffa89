/* Time is the test's, and each parse of an XML document is counted. */
#include <dlfcn.h>
#include <expat.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/host/domains.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"
#include "tests/unit/tree.h"

#define ONE "0e2f5e2e-7e2d-4d0a-9f0a-1b1b7c7a1c01"
#define TWO "0e2f5e2e-7e2d-4d0a-9f0a-1b1b7c7a1c02"
#define RUNNING "run/libvirt/qemu"
#define DEFINED "etc/libvirt/qemu"

static int parses;
static time_t later; /* than it is */
static char *folder;
static int root;
static struct domain_files files;
static struct domains domains;
static struct domains_unseen unseen;

XML_Parser XML_ParserCreate(const XML_Char *encoding)
{
    XML_Parser (*real)(const XML_Char *encoding);
    *(void **)&real = dlsym(RTLD_NEXT, "XML_ParserCreate");
    parses++;
    return real(encoding);
}

time_t time(time_t *out)
{
    struct timespec now;
    (void)out;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec + later;
}

static int set_up(void **state)
{
    (void)state;
    folder = tree_new();
    tree_proc(folder);
    tree_folder(folder, RUNNING);
    tree_folder(folder, DEFINED);
    root = open(folder, O_PATH | O_CLOEXEC);
    parses = 0;
    later = 10;
    return root < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(root);
    tree_free(folder);
    domains_clear(&domains);
    domain_files_clear(&files);
    return 0;
}

/* As libvirt does. */
static void put(const char *path, const char *uuid)
{
    _cleanup_free_ char *file = xasprintf("%s/%s", folder, path),
                        *new = xasprintf("%s.new", file),
                        *text = xasprintf("<domain><name>d</name><uuid>%s</uuid>"
                                          "</domain>",
                                          uuid);
    tree_write(folder, new + strlen(folder) + 1, text);
    assert_int_equal(rename(new, file), 0);
}

/* How many documents that took. */
static int look(void)
{
    const struct use_places places = {
        .root = folder, .running = RUNNING, .defined = DEFINED, .files = &files};
    int before = parses;
    domains_clear(&domains);
    domains_read(root, &places, &domains, &unseen);
    return parses - before;
}

static void a_file_is_parsed_once(void **state)
{
    (void)state;
    put(DEFINED "/one.xml", ONE);
    put(RUNNING "/one.xml", ONE);
    put(DEFINED "/two.xml", TWO);
    assert_int_equal(look(), 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(), 0);
        assert_int_equal(domains.count, 2);
        assert_true(domains.complete);
        assert_true(domains_find(&domains, ONE)->running);
        assert_false(domains_find(&domains, TWO)->running);
        assert_string_equal(domains_find(&domains, TWO)->name, "d");
    }
}

static void the_one_in_its_place_is_another(void **state)
{
    (void)state;
    put(DEFINED "/one.xml", ONE);
    put(DEFINED "/other.xml", ONE);
    (void)look();
    put(DEFINED "/one.xml", TWO);
    assert_int_equal(look(), 1);
    assert_non_null(domains_find(&domains, TWO));
    assert_int_equal(look(), 0);
    assert_int_equal(domains.count, 2);
}

/* A change within the same tick of the clock could not be seen. */
static void a_young_file_is_parsed_again(void **state)
{
    (void)state;
    put(DEFINED "/one.xml", ONE);
    later = 0;
    assert_int_equal(look(), 1);
    assert_int_equal(look(), 1);
    later = -100; /* somebody has set it */
    assert_int_equal(look(), 1);
    later = 10;
    assert_int_equal(look(), 1);
    assert_int_equal(look(), 0);
}

static void what_is_damaged_is_parsed_again(void **state)
{
    (void)state;
    put(DEFINED "/one.xml", ONE "<");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(), 1);
        assert_false(domains.complete);
        assert_true(unseen.damaged);
    }
}

static void what_is_gone_is_forgotten(void **state)
{
    (void)state;
    put(DEFINED "/one.xml", ONE);
    put(DEFINED "/two.xml", TWO);
    (void)look();
    tree_remove(folder, DEFINED "/one.xml");
    assert_int_equal(look(), 0);
    assert_int_equal(domains.count, 1);
    assert_int_equal(files.count, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_parsed_once),        TEST(the_one_in_its_place_is_another),
        TEST(a_young_file_is_parsed_again), TEST(what_is_damaged_is_parsed_again),
        TEST(what_is_gone_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
