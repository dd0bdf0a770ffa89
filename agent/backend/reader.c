#include "agent/backend/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/backend/scan.h"
#include "agent/host/codec.h"
#include "lib/files.h"
#include "lib/strlist.h"
#include "lib/subprocess.h"
#include "lib/xalloc.h"

#define PATIENCE 3000 /* milliseconds */
#define SLICE 100     /* milliseconds */
#define NOTES_MAX (1 << 20)

/* What the child is reading, in memory that it shares with the agent: so the child need
 * not send a message for each file. */
struct progress {
    unsigned steps;
    char gpu[64], file[64];
};

/* A child process that was abandoned and has not ended yet; another agent process may
 * have started it. */
struct left {
    pid_t pid;
    unsigned long long start; /* its start time in /proc, since pids are reused */
    /* The card and the file where it hangs; NULL: none. */
    char *gpu, *file;
};

struct host_reader {
    char *sysfs_root;
    const struct config *config; /* NULL: none */
    char digest[UUID_TEXT_SIZE]; /* of the configuration that the child has */
    struct strlist awaited;
    struct subprocess child;
    struct progress *progress; /* shared with the child; NULL: there is no child */
    struct left *left;
    size_t left_count;
    /* the path of the file that lists the abandoned children; NULL: none */
    char *notes;
    bool writes_notes;
    unsigned patience;
    bool (*interrupted)(void *data);
    void *data;
};

/* The header before a packed host. */
struct head {
    struct error err; /* code NONE: a host follows */
    size_t length;    /* its size in bytes */
};

struct host_reader *host_reader_new(const char *sysfs_root)
{
    struct host_reader *reader = xcalloc(1, sizeof *reader);
    reader->sysfs_root = xstrdup(sysfs_root);
    reader->patience = PATIENCE;
    return reader;
}

void host_reader_set_patience(struct host_reader *reader, unsigned milliseconds)
{
    reader->patience = milliseconds;
}

void host_reader_set_interrupt(struct host_reader *reader,
                               bool (*interrupted)(void *data), void *data)
{
    reader->interrupted = interrupted;
    reader->data = data;
}

static bool is_stuck(const struct host_reader *reader, const char *gpu)
{
    for (size_t i = 0; i < reader->left_count; i++)
        if (reader->left[i].gpu && strcmp(reader->left[i].gpu, gpu) == 0)
            return true;
    return false;
}

/* ---- the child ---- */

static bool may_read(void *data, const char *gpu, const char *file)
{
    const struct host_reader *reader = data;
    if (is_stuck(reader, gpu))
        return false;
    struct progress *progress = reader->progress;
    stpncpy(progress->gpu, gpu, sizeof progress->gpu - 1);
    stpncpy(progress->file, file, sizeof progress->file - 1);
    __atomic_add_fetch(&progress->steps, 1, __ATOMIC_RELEASE);
    return true;
}

/* Ends the child when the agent has closed the socket. */
static void say(int socket, const void *data, size_t length)
{
    for (const char *bytes = data; length;) {
        ssize_t n = write(socket, bytes, length);
        if (n < 0)
            _exit(0);
        bytes += n;
        length -= (size_t)n;
    }
}

static void answer(struct host_reader *reader, int socket)
{
    const struct scan_watch watch = {may_read, reader};
    _cleanup_(host_freep) struct host *host = NULL;
    _cleanup_free_ char *packed = NULL;
    struct head head = {0};
    if (host_scan_configured(reader->sysfs_root, reader->config, &reader->awaited,
                             &watch, &host, &head.err) == 0) {
        head.err = (struct error){0};
        packed = host_pack(host, &head.length);
    }
    say(socket, &head, sizeof head);
    say(socket, packed, head.length);
}

/* The child knows of the hanging cards that the agent knew when it started the
 * child. */
static void answer_all(const void *data, int socket)
{
    struct host_reader reader = *(const struct host_reader *)data;
    for (char question; read(socket, &question, 1) == 1;)
        answer(&reader, socket);
}

static int start_child(struct host_reader *reader, struct error *err)
{
    reader->progress = mmap(NULL, sizeof *reader->progress, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reader->progress == MAP_FAILED)
        abort();
    int rc = subprocess_start(&reader->child, "vgpu-reader", answer_all, reader, err);
    if (rc != 0) {
        (void)munmap(reader->progress, sizeof *reader->progress);
        reader->progress = NULL;
    }
    return rc;
}

/* ---- the file for other and later processes ---- */

/* The start time of a process; 0: there is no such process. */
static unsigned long long start_of(pid_t pid)
{
    char path[64];
    unsigned long long start = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    _cleanup_free_ char *text = NULL;
    if (file_read_at(AT_FDCWD, path, NOTES_MAX, &text, NULL, NULL) != 0 ||
        sscanf(text,
               "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
               "%*d %*d %*d %*d %*d %llu",
               &start) != 1)
        return 0;
    return start;
}

/* When the file cannot be written, nothing is lost but that other agent processes may
 * send a child of their own to the hanging card. */
static void write_notes(const struct host_reader *reader)
{
    if (!reader->writes_notes)
        return;
    _cleanup_strlist_ struct strlist lines = {0};
    for (size_t i = 0; i < reader->left_count; i++)
        if (reader->left[i].gpu)
            strlist_add_take(&lines,
                             xasprintf("%d %llu %s %s\n", (int)reader->left[i].pid,
                                       reader->left[i].start, reader->left[i].gpu,
                                       reader->left[i].file));
    _cleanup_free_ char *text = strlist_join(&lines, "");
    const char *name;
    _cleanup_close_ int folder = file_open_folder(reader->notes, &name, NULL);
    if (folder >= 0 && lines.count)
        (void)file_replace_at(folder, name, text, strlen(text), 0600, NULL);
    else if (folder >= 0)
        (void)unlinkat(folder, name, 0);
}

static void read_notes(struct host_reader *reader)
{
    _cleanup_free_ char *text = NULL;
    if (file_read_at(AT_FDCWD, reader->notes, NOTES_MAX, &text, NULL, NULL) != 0)
        return;
    char *line, *rest = text, gpu[64], name[64];
    int pid;
    unsigned long long start;
    while ((line = strsep(&rest, "\n")))
        if (sscanf(line, "%d %llu %63s %63s", &pid, &start, gpu, name) == 4 &&
            pid > 0 && start && start_of(pid) == start && !is_stuck(reader, gpu))
            *array_add(reader->left, reader->left_count) =
                (struct left){pid, start, xstrdup(gpu), xstrdup(name)};
    /* The file may list processes that have ended by now: write it without them. */
    write_notes(reader);
}

void host_reader_set_notes(struct host_reader *reader, const char *state_file,
                           bool writes)
{
    free(reader->notes);
    reader->notes = xasprintf("%s.hung", state_file);
    reader->writes_notes = writes;
    read_notes(reader);
}

/* Closes the connection to the child. The child ends when it sees that; if it hangs, it
 * ends when the driver returns. */
static void leave_child(struct host_reader *reader, const char *gpu)
{
    if (!reader->progress)
        return;
    *array_add(reader->left, reader->left_count) =
        (struct left){reader->child.pid, start_of(reader->child.pid), xstrdup(gpu),
                      gpu ? xstrdup(reader->progress->file) : NULL};
    close(reader->child.socket);
    (void)munmap(reader->progress, sizeof *reader->progress);
    reader->progress = NULL;
}

static void clear_left(struct left *left)
{
    free(left->gpu);
    free(left->file);
}

/* Kills a child of this process; waitpid() tells it from a process that has got the
 * same pid since. Where the driver lets a signal end its wait, no process remains. */
static void end_child(const struct left *left)
{
    if (waitpid(left->pid, NULL, WNOHANG) == 0)
        (void)kill(left->pid, SIGKILL);
}

/* The child has a copy of the memory of its start. */
void host_reader_set_config(struct host_reader *reader, const struct config *config)
{
    const char *digest = config ? config->digest : "";
    reader->config = config;
    if (strcmp(reader->digest, digest) == 0)
        return;
    uuid_text_copy(reader->digest, digest);
    leave_child(reader, NULL);
}

void host_reader_set_awaited(struct host_reader *reader, const struct strlist *awaited)
{
    if (strlist_equal(&reader->awaited, awaited))
        return;
    strlist_clear(&reader->awaited);
    reader->awaited = strlist_copy(awaited);
    leave_child(reader, NULL);
}

void host_reader_free(struct host_reader *reader)
{
    if (!reader)
        return;
    leave_child(reader, NULL);
    for (size_t i = 0; i < reader->left_count; i++) {
        end_child(&reader->left[i]);
        clear_left(&reader->left[i]);
    }
    free(reader->left);
    strlist_clear(&reader->awaited);
    free(reader->notes);
    free(reader->sysfs_root);
    free(reader);
}

/* ---- replies of the child ---- */

/* Reads at most `length` bytes. 0: nothing came in SLICE milliseconds; -1: the child
 * has ended. */
static ssize_t listen_for(const struct host_reader *reader, char *bytes, size_t length)
{
    struct pollfd fd = {.fd = reader->child.socket, .events = POLLIN};
    if (poll(&fd, 1, SLICE) != 1)
        return 0;
    ssize_t n = recv(fd.fd, bytes, length, MSG_DONTWAIT);
    return n > 0 ? n : -1;
}

/* Reads exactly `length` bytes. TIMEOUT when the child makes no progress. */
static int hear(const struct host_reader *reader, void *data, size_t length,
                struct error *err)
{
    char *bytes = data;
    unsigned steps = 0;
    for (unsigned waited = 0; length;) {
        ssize_t n = listen_for(reader, bytes, length);
        if (n < 0)
            return error_set(err, ERROR_IO,
                             "the child that looks at the host ended early");
        bytes += n;
        length -= (size_t)n;
        unsigned now = __atomic_load_n(&reader->progress->steps, __ATOMIC_ACQUIRE);
        waited = n || now != steps ? 0 : waited + SLICE;
        steps = now;
        if (!n && reader->interrupted && reader->interrupted(reader->data))
            return error_set(err, ERROR_BUSY, "stopped while looking at the host");
        if (waited >= reader->patience)
            return error_set(err, ERROR_TIMEOUT, "%s does not answer",
                             reader->sysfs_root);
    }
    return 0;
}

/* -1 when the child did not answer; otherwise *said is the result of its scan. */
static int ask(const struct host_reader *reader, struct host **out, struct error *said,
               struct error *err)
{
    struct head head;
    if (send(reader->child.socket, "?", 1, MSG_NOSIGNAL) != 1)
        return error_set_errno(err, errno, "the child that looks at the host");
    if (hear(reader, &head, sizeof head, err) != 0)
        return -1;
    *said = head.err;
    if (said->code != ERROR_NONE)
        return 0;
    _cleanup_free_ char *packed = xcalloc(head.length, 1);
    if (hear(reader, packed, head.length, err) != 0)
        return -1;
    return host_unpack(packed, head.length, out, err);
}

/* ---- cards that do not answer ---- */

/* Whether the process has ended. waitpid() fails for the child of another agent
 * process, so the start time in /proc decides there. */
static bool has_ended(const struct left *left)
{
    pid_t pid = waitpid(left->pid, NULL, WNOHANG);
    return pid < 0 ? start_of(left->pid) != left->start : pid > 0;
}

/* A card whose child has ended can be read again, by a new child that does not skip
 * it. */
static void drop_ended(struct host_reader *reader)
{
    bool answers = false;
    for (size_t i = reader->left_count; i-- > 0;) {
        if (!has_ended(&reader->left[i]))
            continue;
        answers |= reader->left[i].gpu != NULL;
        clear_left(&reader->left[i]);
        reader->left[i] = reader->left[--reader->left_count];
    }
    if (!answers)
        return;
    leave_child(reader, NULL);
    write_notes(reader);
}

static void mark_stuck(const struct host_reader *reader, struct host *host)
{
    for (size_t i = 0; i < reader->left_count; i++) {
        const struct left *left = &reader->left[i];
        struct gpu *gpu = left->gpu ? (struct gpu *)host_gpu(host, left->gpu) : NULL;
        if (!gpu)
            continue;
        free(gpu->health_reason);
        gpu->health = GPU_UNREADABLE;
        gpu->health_reason =
            xasprintf("its driver hangs: %s does not answer", left->file);
    }
}

/* ---- the scan ---- */

/* Handles a child that did not answer. True: it hangs at a card, and a new child is to
 * do the scan without that card. */
static bool give_up(struct host_reader *reader, enum error_code why)
{
    const char *gpu = reader->progress->gpu;
    if (why == ERROR_TIMEOUT && *gpu && !is_stuck(reader, gpu)) {
        leave_child(reader, gpu);
        write_notes(reader);
        return true;
    }
    /* It may have ended already, or may be about to send a reply that comes too
     * late. */
    (void)kill(reader->child.pid, SIGKILL);
    leave_child(reader, NULL);
    return false;
}

int host_reader_look(struct host_reader *reader, struct host **out, struct error *err)
{
    drop_ended(reader);
    struct error said, why;
    bool answered = false;
    do {
        if (!reader->progress && start_child(reader, err) != 0)
            return -1;
        answered = ask(reader, out, &said, &why) == 0;
    } while (!answered && give_up(reader, why.code));
    if (answered && said.code == ERROR_NONE) {
        mark_stuck(reader, *out);
        return 0;
    }
    if (err)
        *err = answered ? said : why;
    return -1;
}

int host_look(const char *sysfs_root, const struct config *config,
              const struct strlist *awaited, const char *state_file, struct host **out,
              struct error *err)
{
    _cleanup_(host_reader_freep) struct host_reader *reader =
        host_reader_new(sysfs_root);
    host_reader_set_config(reader, config);
    if (awaited)
        host_reader_set_awaited(reader, awaited);
    if (state_file)
        host_reader_set_notes(reader, state_file, false);
    return host_reader_look(reader, out, err);
}
