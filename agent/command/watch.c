/* vgpu-agent watch [COMMAND]: a view on the whole terminal, made anew every few seconds
 * until Ctrl-C. Each view is made by a child, so that one that waits for a hanging driver
 * does not keep the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/command.h"
#include "agent/command/screen.h"
#include "lib/buffer.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define USUAL_INTERVAL 2 /* seconds */
#define MOST_INTERVAL 86400
/* After so many milliseconds what there is of a view is shown: the rest waits for
 * something. */
#define PATIENCE 500
/* A view has some lines a GPU. */
#define MAX_VIEW (4 << 20)

struct watching {
    const struct command *view;
    const struct command_context *context;
    int64_t interval;   /* milliseconds */
    int signals;        /* signalfd */
    sigset_t inherited; /* the signals that were blocked before */
    struct screen screen;
    bool stop, again;   /* again: now, since the window has changed */
    pid_t child;        /* 0: there is none */
    int output;         /* of the child; -1: it has ended */
    struct buffer text; /* what the child has written */
};

/* Those that only look and take no argument. */
static const struct command *const views[] = {&command_status, &command_gpus,
                                              &command_devices, &command_tree,
                                              &command_allocations};

static const struct command *view_of(const char *name)
{
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (strcmp(views[i]->name, name) == 0)
            return views[i];
    return NULL;
}

/* ---- the child ---- */

static _Noreturn void be_child(const struct watching *watching, int output)
{
    struct command_context context = *watching->context;
    char *name = xstrdup(watching->view->name), *argv[] = {name, NULL};
    context.command = name;
    context.style = style_of(stdout);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    close(output);
    (void)sigprocmask(SIG_SETMASK, &watching->inherited, NULL);
    int status = watching->view->run(&context, 1, argv);
    (void)fflush(stdout);
    _exit(status);
}

static int start_child(struct watching *watching, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, errno, "pipe");
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(watching, ends[1]);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return error_set_errno(err, errno, "fork");
    }
    watching->child = child;
    watching->output = ends[0];
    watching->text.length = 0;
    return 0;
}

static void end_child(struct watching *watching)
{
    if (watching->output >= 0)
        close(watching->output);
    watching->output = -1;
    if (!watching->child)
        return;
    kill(watching->child, SIGTERM);
    /* One that hangs in the kernel is left to init. */
    (void)waitpid(watching->child, NULL, WNOHANG);
    watching->child = 0;
}

static void read_child(struct watching *watching)
{
    char piece[4096];
    ssize_t n = read(watching->output, piece, sizeof piece);
    if (n > 0 && watching->text.length + (size_t)n <= MAX_VIEW) {
        buffer_add(&watching->text, piece, (size_t)n);
        return;
    }
    close(watching->output);
    watching->output = -1;
    if (n > 0)
        kill(watching->child, SIGTERM);
    (void)waitpid(watching->child, NULL, 0);
    watching->child = 0;
}

/* ---- the terminal ---- */

static void draw(const struct watching *watching)
{
    char when[64];
    time_t now = time(NULL);
    struct tm parts;
    localtime_r(&now, &parts);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
    _cleanup_free_ char *title = xasprintf(
        "vgpu-agent %s   %s%s   every %lld s; Ctrl-C ends", watching->view->name, when,
        watching->output >= 0 ? ", waiting" : "", (long long)watching->interval / 1000);
    screen_draw(title, watching->text.text ? watching->text.text : "",
                watching->text.length);
}

/* While the process is stopped (Ctrl-Z), the terminal is the shell's. */
static void stand_aside(struct watching *watching)
{
    screen_leave(&watching->screen);
    raise(SIGSTOP);
    screen_enter(&watching->screen);
}

static void take_signals(struct watching *watching)
{
    struct signalfd_siginfo info;
    while (read(watching->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGTSTP)
            stand_aside(watching);
        else if (info.ssi_signo != SIGWINCH)
            watching->stop = true;
    watching->again = true;
}

/* ---- the loop ---- */

/* Waits up to `until` (milliseconds of the monotonic clock) for the child or a signal.
 * False: the time is over. */
static bool wait_until(struct watching *watching, int64_t until)
{
    int64_t left = until - clock_monotonic_ms();
    struct pollfd items[] = {{.fd = watching->signals, .events = POLLIN},
                             {.fd = watching->output, .events = POLLIN}};
    if (poll(items, 2, left > 0 ? (int)left : 0) <= 0)
        return false;
    if (items[0].revents)
        take_signals(watching);
    if (items[1].revents)
        read_child(watching);
    return true;
}

/* Makes the view and shows it, in part where it takes long. */
static int show_once(struct watching *watching, struct error *err)
{
    if (start_child(watching, err) != 0)
        return -1;
    int64_t patience = clock_monotonic_ms() + PATIENCE;
    while (watching->output >= 0 && !watching->stop)
        if (!wait_until(watching, patience)) {
            draw(watching);
            patience = clock_monotonic_ms() + PATIENCE;
        }
    if (!watching->stop)
        draw(watching);
    return 0;
}

static int loop(struct watching *watching, struct error *err)
{
    int rc = 0;
    while (rc == 0 && !watching->stop) {
        watching->again = false;
        int64_t next = clock_monotonic_ms() + watching->interval;
        rc = show_once(watching, err);
        while (rc == 0 && !watching->stop && !watching->again &&
               wait_until(watching, next))
            ;
    }
    end_child(watching);
    return rc;
}

static int watch(struct watching *watching, struct error *err)
{
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof *handled; i++)
        sigaddset(&set, handled[i]);
    if (sigprocmask(SIG_BLOCK, &set, &watching->inherited) != 0)
        return error_set_errno(err, errno, "sigprocmask");
    watching->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (watching->signals < 0)
        return error_set_errno(err, errno, "signalfd");
    screen_enter(&watching->screen);
    int rc = loop(watching, err);
    screen_leave(&watching->screen);
    close(watching->signals);
    buffer_clear(&watching->text);
    return rc;
}

/* ---- the command ---- */

static int usage(const char *text)
{
    command_say(text);
    return EX_USAGE;
}

/* The value of --interval in seconds; 0: it is none. */
static int64_t interval_of(const char *text)
{
    char *end;
    if (!text)
        return USUAL_INTERVAL;
    errno = 0;
    long seconds = strtol(text, &end, 10);
    return !errno && end != text && !*end && seconds >= 1 && seconds <= MOST_INTERVAL
               ? seconds
               : 0;
}

static int run(const struct command_context *context, int argc, char **argv)
{
    struct watching watching = {
        .view = view_of(argc > 1 ? argv[1] : command_status.name),
        .context = context,
        .interval = 1000 * interval_of(context->values[0]),
        .output = -1,
    };
    struct error err;
    if (!watching.view)
        return usage(
            "watch: the views are status, gpus, devices, tree and allocations");
    if (!watching.interval)
        return usage("watch --interval: expected seconds, 1 to 86400");
    if (context->format == FORMAT_JSON)
        return usage("watch shows tables; repeat the view itself for JSON");
    if (!style_is_terminal(stdout))
        return usage("watch needs a terminal; the view itself can be piped");
    return watch(&watching, &err) == 0 ? EX_OK : command_fail(&err);
}

static const struct command_option options[] = {
    {"interval", "SECONDS", "how long each picture stands, 1 to 86400; 2 if not given"},
    {NULL, NULL, NULL},
};

const struct command command_watch = {
    .name = "watch",
    .argument = "status|gpus|devices|tree|allocations",
    .argument_may_be_left_out = true,
    .options = options,
    .summary = "status, gpus, devices, tree or allocations on the whole terminal, "
               "again and again until Ctrl-C",
    .run = run,
};
