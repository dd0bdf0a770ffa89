/* vgpu-agent-libvirt: the command line; nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "agent/libvirt/program.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/printable.h"
#include "lib/subprocess.h"

#define DEFAULT_URI "qemu:///system"

static const char usage[] =
    "Usage: vgpu-agent-libvirt [--uri URI] [--log-level LEVEL]\n"
    "Gives libvirt's guests their devices. vgpu-agent starts it, with a socket at\n"
    "descriptor 3; it ends when that is closed.\n\n"
    "  --uri URI          libvirt; " DEFAULT_URI "\n"
    "  --log-level LEVEL  error, warning, info or debug\n"
    "  --version\n"
    "  -h, --help\n";

struct arguments {
    const char *uri;
    int status; /* -1: run */
};

static int wrong_usage(void)
{
    fprintf(stderr, "Try vgpu-agent-libvirt --help.\n");
    return EX_USAGE;
}

static int take_log_level(const char *name)
{
    enum log_level level;
    if (!log_level_parse(name, &level)) {
        _cleanup_free_ char *shown = printable_copy(name);
        fprintf(stderr, "vgpu-agent-libvirt: --log-level: %s is no level\n", shown);
        return EX_USAGE;
    }
    log_set_level(level);
    return -1;
}

static struct arguments parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"uri", required_argument, NULL, 'u'},
        {"log-level", required_argument, NULL, 'l'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct arguments arguments = {DEFAULT_URI, -1};
    int option;
    while (arguments.status < 0 &&
           (option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        switch (option) {
        case 'u':
            arguments.uri = optarg;
            break;
        case 'l':
            arguments.status = take_log_level(optarg);
            break;
        case 'v':
            printf("vgpu-agent-libvirt %s\n", VERSION);
            arguments.status = EX_OK;
            break;
        case 'h':
            fputs(usage, stdout);
            arguments.status = EX_OK;
            break;
        default:
            arguments.status = wrong_usage();
        }
    }
    if (arguments.status < 0 && optind < argc)
        arguments.status = wrong_usage();
    return arguments;
}

/* The daemon's capabilities are for what it reads itself; libvirt asks for none. A unit
 * may refuse the call (EPERM): vgpu-agent.service does without its drop-in. */
static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) != 0)
        log_info("libvirt", "the daemon's capabilities cannot be given up errno=%d",
                 errno);
}

static int check_socket(struct error *err)
{
    int type;
    socklen_t size = sizeof type;
    if (getsockopt(CHILD_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        type != SOCK_STREAM)
        return error_set(err, ERROR_INVALID,
                         "descriptor %d is no socket: vgpu-agent starts this program",
                         CHILD_SOCKET);
    /* Whatever libvirt starts must not keep it. */
    if (fcntl(CHILD_SOCKET, F_SETFD, FD_CLOEXEC) != 0)
        return error_set_errno(err, errno, "descriptor %d", CHILD_SOCKET);
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = parse(argc, argv);
    if (arguments.status >= 0)
        return arguments.status;
    signal(SIGPIPE, SIG_IGN);
    drop_capabilities();

    struct error err;
    bool hangs = false;
    int status = EX_OK;
    if (check_socket(&err) != 0 ||
        program_run(arguments.uri, CHILD_SOCKET, &hangs, &err) != 0) {
        log_error("libvirt", "%s", err.text);
        status = error_exit_status(err.code);
    }
    /* What exit() tidies up may be in use. The kernel closes all connections. */
    if (hangs)
        _exit(status);
    return status;
}
