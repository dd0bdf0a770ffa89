/* The programs that are started are this one, as its argument says. */
#include "tests/unit/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/subprocess.h"

#define LONG 20000 /* milliseconds; never waited out when all is well */

/* ---- the program ---- */

static int count_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    closedir(folder);
    return count - 3; /* ".", "..", and the listing's own */
}

struct facts {
    int descriptors;
    bool blocks, ignores; /* SIGTERM; SIGUSR1 */
    char standard_input[32];
};

static void tell_facts(void)
{
    struct facts facts = {.descriptors = count_descriptors()};
    sigset_t blocked;
    struct sigaction action;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    facts.blocks = sigismember(&blocked, SIGTERM);
    sigaction(SIGUSR1, NULL, &action);
    facts.ignores = action.sa_handler == SIG_IGN;
    ssize_t n = readlink("/proc/self/fd/0", facts.standard_input,
                         sizeof facts.standard_input - 1);
    if (n < 0 || write(CHILD_SOCKET, &facts, sizeof facts) < 0)
        exit(1);
}

/* Gives back what it gets, until nobody listens any more. */
static void echo(void)
{
    char byte;
    while (read(CHILD_SOCKET, &byte, 1) == 1)
        if (write(CHILD_SOCKET, &byte, 1) != 1)
            exit(1);
}

static int run_as_program(const char *what)
{
    if (strcmp(what, "facts") == 0)
        tell_facts();
    else if (strcmp(what, "echo") == 0)
        echo();
    else if (strcmp(what, "die") == 0)
        raise(SIGKILL);
    return 0;
}

/* ---- tests ---- */

static struct subprocess start(const char *what)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)what, NULL};
    struct subprocess child;
    struct error err = {0};
    assert_ok(subprocess_exec(&child, argv, &err), &err);
    return child;
}

/* Whether something came; the rest is there then, too. */
static bool hear(const struct subprocess *child, void *data, size_t length)
{
    struct pollfd fd = {.fd = child->socket, .events = POLLIN};
    return poll(&fd, 1, LONG) == 1 &&
           recv(child->socket, data, length, MSG_WAITALL) == (ssize_t)length;
}

static void a_program_talks_over_its_socket(void **state)
{
    (void)state;
    struct subprocess child = start("echo");
    for (char byte = 'a'; byte < 'f'; byte++) {
        char back = 0;
        assert_int_equal(write(child.socket, &byte, 1), 1);
        assert_true(hear(&child, &back, 1));
        assert_int_equal(back, byte);
    }
    /* It sees the end of ours, which nobody else has. */
    close(child.socket);
    assert_int_equal(subprocess_wait(&child), 0);
}

static void a_program_has_nothing_of_its_parents(void **state)
{
    (void)state;
    int kept = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    signal(SIGUSR1, SIG_IGN);
    struct subprocess child = start("facts");
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGUSR1, SIG_DFL);
    struct facts facts = {0};
    assert_true(hear(&child, &facts, sizeof facts));
    assert_int_equal(facts.descriptors, CHILD_SOCKET + 1);
    assert_string_equal(facts.standard_input, "/dev/null");
    assert_false(facts.blocks);
    assert_false(facts.ignores);
    close(child.socket);
    assert_int_equal(subprocess_wait(&child), 0);
    close(kept);
}

static void a_program_that_dies_is_heard_of(void **state)
{
    (void)state;
    struct subprocess child = start("die");
    char byte;
    assert_false(hear(&child, &byte, 1));
    close(child.socket);
    assert_int_equal(subprocess_wait(&child), SIGKILL);
}

static void what_cannot_be_run_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum error_code code;
    } cases[] = {{"/nonexistent/program", ERROR_NOT_FOUND},
                 {"/etc/passwd", ERROR_FORBIDDEN}};
    int before = count_descriptors();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *argv[] = {(char *)cases[i].path, NULL};
        struct subprocess child;
        struct error err = {0};
        assert_int_equal(subprocess_exec(&child, argv, &err), -1);
        assert_int_equal(err.code, cases[i].code);
        assert_non_null(strstr(err.text, cases[i].path));
    }
    assert_int_equal(count_descriptors(), before);
}

/* ---- beside a library's thread ---- */

/* The sanitizer's own malloc does not see to fork(). */
#ifdef __SANITIZE_ADDRESS__
static const bool sanitized = true;
#else
static const bool sanitized;
#endif

static volatile bool stop;

static void *resolve(void *data)
{
    while (!stop) {
        struct addrinfo *found = NULL;
        if (getaddrinfo("localhost", "80", NULL, &found) == 0)
            freeaddrinfo(found);
        for (size_t i = 1; i < 2000; i += 7)
            free(malloc(i));
    }
    return data;
}

static void work_with_memory(const void *data, int socket)
{
    (void)data;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (int i = 0; i < 1000; i++)
        fprintf(out, "%d\n", i);
    fclose(out);
    FILE *file = fopen("/proc/self/stat", "re");
    char answer = file && length == 3890 ? 'y' : 'n';
    fclose(file);
    free(text);
    if (write(socket, &answer, 1) != 1)
        _exit(1);
}

/* As libcurl's, which goes on when a name server does not answer. */
static void a_child_is_forked_beside_a_thread_that_resolves(void **state)
{
    (void)state;
    if (sanitized)
        skip();
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, resolve, NULL), 0);
    for (int i = 0; i < 200; i++) {
        struct subprocess child;
        struct error err = {0};
        char answer = 0;
        assert_ok(subprocess_start(&child, "test", work_with_memory, NULL, &err), &err);
        if (!hear(&child, &answer, 1))
            kill(child.pid, SIGKILL);
        close(child.socket);
        assert_int_equal(subprocess_wait(&child), 0);
        assert_int_equal(answer, 'y');
    }
    stop = true;
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return run_as_program(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_talks_over_its_socket),
        cmocka_unit_test(a_program_has_nothing_of_its_parents),
        cmocka_unit_test(a_program_that_dies_is_heard_of),
        cmocka_unit_test(what_cannot_be_run_is_said),
        cmocka_unit_test(a_child_is_forked_beside_a_thread_that_resolves),
    };
    return cmocka_run_group_tests_name("subprocess_exec", tests, NULL, NULL);
}
