#include "lib/line_reader.h"

#include <sys/socket.h>

#include "tests/unit/test.h"

#define MAX 100000

struct pipes {
    int ours, theirs;
    struct line_reader reader;
};

static int set_up(void **state)
{
    struct pipes *pipes = calloc(1, sizeof *pipes);
    int ends[2];
    if (!pipes || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return -1;
    *pipes = (struct pipes){ends[0], ends[1], {.max = MAX}};
    *state = pipes;
    return 0;
}

static int tear_down(void **state)
{
    struct pipes *pipes = *state;
    line_reader_clear(&pipes->reader);
    close(pipes->ours);
    if (pipes->theirs >= 0)
        close(pipes->theirs);
    free(pipes);
    return 0;
}

static void peer_sends(struct pipes *pipes, const char *text)
{
    assert_int_equal(send(pipes->theirs, text, strlen(text), 0), strlen(text));
}

static void fill(struct pipes *pipes)
{
    struct error err;
    assert_ok(line_reader_fill(&pipes->reader, pipes->ours, &err), &err);
}

static void assert_line(struct pipes *pipes, const char *expected)
{
    size_t length;
    const char *line = line_reader_next(&pipes->reader, &length);
    if (!expected) {
        assert_null(line);
        return;
    }
    assert_non_null(line);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(line, expected, length);
}

static void gives_lines_as_they_become_whole(void **state)
{
    struct pipes *pipes = *state;
    fill(pipes);
    assert_line(pipes, NULL);
    peer_sends(pipes, "one\n\ntwo\nthr");
    fill(pipes);
    assert_line(pipes, "one");
    assert_line(pipes, "");
    assert_line(pipes, "two");
    assert_line(pipes, NULL);
    fill(pipes);
    assert_line(pipes, NULL);
    peer_sends(pipes, "ee\n");
    fill(pipes);
    assert_line(pipes, "three");
    assert_line(pipes, NULL);
    assert_false(pipes->reader.ended);
}

/* Without a line feed at the end it may be half of what was to be said. */
static void what_the_peer_did_not_end_is_no_line(void **state)
{
    struct pipes *pipes = *state;
    peer_sends(pipes, "whole\nhalf");
    close(pipes->theirs);
    pipes->theirs = -1;
    fill(pipes);
    assert_line(pipes, "whole");
    fill(pipes);
    assert_true(pipes->reader.ended);
    assert_line(pipes, NULL);
}

static void a_long_line_arrives_in_pieces(void **state)
{
    struct pipes *pipes = *state;
    static char piece[10001], whole[MAX + 1];
    memset(piece, 'x', sizeof piece - 1);
    memset(whole, 'x', MAX);
    for (int i = 0; i < 10; i++) {
        assert_line(pipes, NULL);
        peer_sends(pipes, piece);
        fill(pipes);
    }
    peer_sends(pipes, "\nnext\n");
    fill(pipes);
    assert_line(pipes, whole);
    assert_line(pipes, "next");
}

static void one_that_is_too_long_is_refused(void **state)
{
    struct pipes *pipes = *state;
    static char piece[10001];
    struct error err;
    memset(piece, 'x', sizeof piece - 1);
    for (int i = 0; i < 10; i++) {
        peer_sends(pipes, piece);
        fill(pipes);
    }
    peer_sends(pipes, "x");
    assert_int_equal(line_reader_fill(&pipes->reader, pipes->ours, &err), -1);
    assert_int_equal(err.code, ERROR_PROTOCOL);
    assert_string_equal(err.text, "a line of more than 100000 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_lines_as_they_become_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_the_peer_did_not_end_is_no_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_line_arrives_in_pieces, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_too_long_is_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
