#include "lib/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/unit/test.h"

/* A socket as systemd's; an abstract one where `path` begins with '@'. */
static int bind_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    memcpy(address.sun_path, path, length);
    if (*path == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    return fd;
}

static void assert_received(int fd, const char *expected)
{
    char text[128];
    ssize_t length = recv(fd, text, sizeof text - 1, 0);
    assert_int_equal(length, expected ? (ssize_t)strlen(expected) : -1);
    if (expected)
        assert_memory_equal(text, expected, strlen(expected));
}

static void sends_one_datagram(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_notify.XXXXXX", path[64], abstract[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(abstract, sizeof abstract, "@test_notify.%ld", (long)getpid());
    const char *const names[] = {path, abstract};
    for (size_t i = 0; i < 2; i++) {
        _cleanup_close_ int fd = bind_socket(names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_state("READY=1\nSTATUS=well");
        assert_received(fd, "READY=1\nSTATUS=well");
        notify_news("WATCHDOG=1");
        assert_received(fd, "WATCHDOG=1");
        assert_received(fd, NULL);
    }
    unlink(path);
    rmdir(folder);
}

static void without_a_socket_it_does_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"", "relative", "/no/such/folder/socket"};
    unsetenv("NOTIFY_SOCKET");
    notify_state("READY=1");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_state("READY=1");
    }
    char longer[200];
    memset(longer, '/', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    setenv("NOTIFY_SOCKET", longer, 1);
    notify_state("READY=1");
}

/* News wait for nobody: with a socket that is full they are dropped. */
static void news_do_not_wait(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "@test_notify_full.%ld", (long)getpid());
    _cleanup_close_ int fd = bind_socket(name);
    setenv("NOTIFY_SOCKET", name, 1);
    for (int i = 0; i < 5000; i++) /* more than net.unix.max_dgram_qlen */
        notify_news("WATCHDOG=1");
    assert_received(fd, "WATCHDOG=1");
}

static void the_watchdog_is_fed_at_half_its_time(void **state)
{
    (void)state;
    char pid[32];
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    assert_int_equal(notify_watchdog_interval(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(notify_watchdog_interval(), 15000000);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_interval(), 15000000);
    setenv("WATCHDOG_PID", "1", 1); /* it is another process that is watched */
    assert_int_equal(notify_watchdog_interval(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_one_datagram),
        cmocka_unit_test(without_a_socket_it_does_nothing),
        cmocka_unit_test(news_do_not_wait),
        cmocka_unit_test(the_watchdog_is_fed_at_half_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
