#include "agent/libvirt/outbox.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "lib/line_reader.h"
#include "tests/unit/test.h"

struct fixture {
    int ours, theirs, wake;
    struct outbox *outbox;
    struct line_reader reader; /* the daemon's */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    int ends[2];
    if (!f || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return -1;
    *f = (struct fixture){ends[0], ends[1], eventfd(0, EFD_NONBLOCK),
                          .reader.max = 1 << 20};
    f->outbox = outbox_new(f->ours, f->wake);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    outbox_free(f->outbox);
    line_reader_clear(&f->reader);
    close(f->ours);
    if (f->theirs >= 0)
        close(f->theirs);
    close(f->wake);
    free(f);
    return 0;
}

static void assert_daemon_reads(struct fixture *f, const char *expected)
{
    struct error err;
    size_t length;
    assert_ok(line_reader_fill(&f->reader, f->theirs, &err), &err);
    const char *line = line_reader_next(&f->reader, &length);
    assert_non_null(line);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(line, expected, length);
}

/* More than a socket holds. Gives how many lines. */
static int fill_socket(struct fixture *f)
{
    int count = 0;
    while (!outbox_has_rest(f->outbox) && ++count)
        outbox_send(f->outbox, "a line of twenty-two b\n");
    return count;
}

static void what_fits_is_there_at_once(void **state)
{
    struct fixture *f = *state;
    outbox_send(f->outbox, "one\n");
    outbox_send(f->outbox, "two\n");
    assert_false(outbox_has_rest(f->outbox));
    assert_daemon_reads(f, "one");
    assert_daemon_reads(f, "two");
}

static void the_rest_follows_in_order(void **state)
{
    struct fixture *f = *state;
    struct error err;
    eventfd_t woken;
    int count = fill_socket(f);
    assert_int_equal(eventfd_read(f->wake, &woken), 0);
    outbox_send(f->outbox, "last\n");
    for (int i = 0; i < count; i++) {
        assert_daemon_reads(f, "a line of twenty-two b");
        assert_ok(outbox_flush(f->outbox, &err), &err);
    }
    assert_daemon_reads(f, "last");
    assert_false(outbox_has_rest(f->outbox));
}

static void without_a_daemon_it_says_so(void **state)
{
    struct fixture *f = *state;
    struct error err;
    close(f->theirs);
    f->theirs = -1;
    outbox_send(f->outbox, "one\n");
    assert_int_equal(outbox_flush(f->outbox, &err), -1);
    assert_string_equal(err.text, "cannot write to the daemon: Broken pipe");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_fits_is_there_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_rest_follows_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_daemon_it_says_so, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
