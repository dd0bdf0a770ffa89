#include "lib/subprocess.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/unit/test.h"

/* What `work` writes to its socket; the process has ended by then. */
static size_t said_by(void (*work)(const void *data, int socket), const void *data,
                      char *out, size_t size, int *signal)
{
    struct subprocess child;
    struct error err;
    assert_ok(subprocess_start(&child, "test-work", work, data, &err), &err);
    size_t used = 0;
    for (ssize_t n; (n = read(child.socket, out + used, size - used)) > 0;)
        used += (size_t)n;
    close(child.socket);
    *signal = subprocess_wait(&child);
    return used;
}

static void echo(const void *data, int socket)
{
    const char *text = data;
    (void)!write(socket, text, strlen(text));
}

static void gives_what_the_work_writes(void **state)
{
    (void)state;
    char text[16] = {0};
    int signal;
    assert_int_equal(said_by(echo, "done", text, sizeof text, &signal), 4);
    assert_string_equal(text, "done");
    assert_int_equal(signal, 0);
}

static void hear(const void *data, int socket)
{
    (void)data;
    char c;
    while (read(socket, &c, 1) == 1 && c != '\n')
        (void)!write(socket, &(char){(char)(c + 1)}, 1);
}

static void the_socket_goes_both_ways(void **state)
{
    (void)state;
    struct subprocess child;
    struct error err;
    char text[3];
    assert_ok(subprocess_start(&child, "test-work", hear, NULL, &err), &err);
    _cleanup_close_ int socket = child.socket;
    assert_int_equal(write(socket, "ab\n", 3), 3);
    assert_int_equal(read(socket, text, 1) + read(socket, text + 1, 1), 2);
    assert_memory_equal(text, "bc", 2);
    assert_int_equal(read(socket, text, 1), 0);
    assert_int_equal(subprocess_wait(&child), 0);
}

static void die(const void *data, int socket)
{
    (void)socket;
    raise(*(const int *)data);
}

static void tells_the_signal_that_ended_it(void **state)
{
    (void)state;
    char text[1];
    int signal;
    assert_int_equal(said_by(die, &(int){SIGKILL}, text, 1, &signal), 0);
    assert_int_equal(signal, SIGKILL);
    /* All others are blocked: stopping the service must not interrupt a create. */
    assert_int_equal(said_by(die, &(int){SIGTERM}, text, 1, &signal), 0);
    assert_int_equal(signal, 0);
}

static void tell_descriptors(const void *data, int socket)
{
    (void)data;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            (void)!write(socket, &(char){(char)('0' + fd)}, 1);
}

static void keeps_no_descriptor_of_its_parent(void **state)
{
    (void)state;
    _cleanup_close_ int one = open("/dev/null", O_RDONLY);
    _cleanup_close_ int high = fcntl(one, F_DUPFD, 900);
    char text[16] = {0};
    int signal;
    assert_true(high >= 900);
    said_by(tell_descriptors, NULL, text, sizeof text - 1, &signal);
    assert_string_equal(text, "0123");
}

static void tell_name(const void *data, int socket)
{
    (void)data;
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    (void)!write(socket, name, strlen(name));
}

static void has_its_name(void **state)
{
    (void)state;
    char text[16] = {0};
    int signal;
    said_by(tell_name, NULL, text, sizeof text - 1, &signal);
    assert_string_equal(text, "test-work");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_the_work_writes),
        cmocka_unit_test(the_socket_goes_both_ways),
        cmocka_unit_test(tells_the_signal_that_ended_it),
        cmocka_unit_test(keeps_no_descriptor_of_its_parent),
        cmocka_unit_test(has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
