#include "tests/sim/mount.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"
#include "tests/sim/sim.h"

/* Stores that wait take a thread each. */
#define MAX_THREADS 1000
#define IDLE_THREADS 8
#define PAGE 4096

struct mount {
    struct sim *sim;
    void (*ready)(void *context);
    void *context;
    struct fuse_session *session;
    pthread_t main;
    bool finished;
};

/* What the kernel holds of us: a number of look-ups of one node. */
struct inode {
    struct node *node;
    uint64_t lookups;
};

struct entry {
    char *name;
    struct stat st;
};

/* An open file or directory. What reading gave at offset 0 is kept for reading on. */
struct handle {
    struct node *node;
    char *text;
    size_t length;
    struct entry *entries;
    size_t count;
};

static struct sim *sim_of(fuse_req_t request)
{
    return ((struct mount *)fuse_req_userdata(request))->sim;
}

static struct node *node_of(fuse_req_t request, fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? sim_of(request)->root : ((struct inode *)ino)->node;
}

static bool can_be_stored(const struct node *node)
{
    return node->kind == NODE_ATTRIBUTE && node->attribute->store;
}

/* With the lock held. */
static fuse_ino_t remember(struct node *node)
{
    struct inode *inode = node->inode;
    if (!inode) {
        inode = xcalloc(1, sizeof *inode);
        inode->node = node_ref(node);
        if (!can_be_stored(node))
            node->inode = inode;
    }
    inode->lookups++;
    return (fuse_ino_t)inode;
}

static struct stat describe(const struct node *node)
{
    static const mode_t types[] = {
        [NODE_DIRECTORY] = S_IFDIR, [NODE_ATTRIBUTE] = S_IFREG, [NODE_LINK] = S_IFLNK};
    return (struct stat){
        .st_ino = node->number,
        .st_mode = types[node->kind] | node->mode,
        .st_nlink = node->kind == NODE_DIRECTORY ? 2 : 1,
        .st_uid = node->uid,
        .st_gid = node->gid,
        .st_size = node->kind == NODE_ATTRIBUTE ? PAGE : 0,
        .st_blksize = PAGE,
    };
}

static void op_init(void *userdata, struct fuse_conn_info *connection)
{
    struct mount *mount = userdata;
    connection->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
    mount->ready(mount->context);
}

static void op_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    struct sim *sim = sim_of(request);
    struct fuse_entry_param entry = {0};
    pthread_mutex_lock(&sim->lock);
    struct node *directory = node_of(request, parent);
    struct node *node =
        directory->kind == NODE_DIRECTORY ? node_child(directory, name) : NULL;
    if (node && control_hides(&sim->control, node))
        node = NULL;
    if (node) {
        entry.ino = remember(node);
        entry.attr = describe(node);
    }
    pthread_mutex_unlock(&sim->lock);
    if (node)
        fuse_reply_entry(request, &entry);
    else
        fuse_reply_err(request, ENOENT);
}

static void forget_one(struct sim *sim, fuse_ino_t ino, uint64_t lookups)
{
    if (ino == FUSE_ROOT_ID)
        return;
    pthread_mutex_lock(&sim->lock);
    struct inode *inode = (struct inode *)ino;
    inode->lookups -= lookups;
    if (!inode->lookups) {
        if (inode->node->inode == inode)
            inode->node->inode = NULL;
        node_unref(inode->node);
        free(inode);
    }
    pthread_mutex_unlock(&sim->lock);
}

static void op_forget(fuse_req_t request, fuse_ino_t ino, uint64_t lookups)
{
    forget_one(sim_of(request), ino, lookups);
    fuse_reply_none(request);
}

static void op_forget_multi(fuse_req_t request, size_t count,
                            struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++)
        forget_one(sim_of(request), forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(request);
}

static void op_getattr(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
    (void)file;
    struct sim *sim = sim_of(request);
    pthread_mutex_lock(&sim->lock);
    struct stat st = describe(node_of(request, ino));
    pthread_mutex_unlock(&sim->lock);
    fuse_reply_attr(request, &st, 0);
}

/* chmod and chown work as in sysfs; truncating does nothing. */
static void op_setattr(fuse_req_t request, fuse_ino_t ino, struct stat *wanted,
                       int which, struct fuse_file_info *file)
{
    (void)file;
    struct sim *sim = sim_of(request);
    pthread_mutex_lock(&sim->lock);
    struct node *node = node_of(request, ino);
    if (which & FUSE_SET_ATTR_MODE)
        node->mode = wanted->st_mode & 07777;
    if (which & FUSE_SET_ATTR_UID)
        node->uid = wanted->st_uid;
    if (which & FUSE_SET_ATTR_GID)
        node->gid = wanted->st_gid;
    struct stat st = describe(node);
    pthread_mutex_unlock(&sim->lock);
    fuse_reply_attr(request, &st, 0);
}

static void op_readlink(fuse_req_t request, fuse_ino_t ino)
{
    struct sim *sim = sim_of(request);
    pthread_mutex_lock(&sim->lock);
    struct node *node = node_of(request, ino);
    _cleanup_free_ char *text = node->kind == NODE_LINK ? node_link_text(node) : NULL;
    pthread_mutex_unlock(&sim->lock);
    if (text)
        fuse_reply_readlink(request, text);
    else
        fuse_reply_err(request, EINVAL);
}

static void reply_handle(fuse_req_t request, struct node *node,
                         struct fuse_file_info *file)
{
    struct handle *handle = xcalloc(1, sizeof *handle);
    handle->node = node_ref(node);
    file->fh = (uint64_t)(uintptr_t)handle;
    file->direct_io = 1;
    fuse_reply_open(request, file);
}

static struct handle *handle_of(const struct fuse_file_info *file)
{
    return (struct handle *)(uintptr_t)file->fh;
}

/* kernfs_fop_open(): a file that cannot be shown cannot be opened for reading, by
 * nobody; nor one that cannot be stored for writing. */
static void op_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
    struct sim *sim = sim_of(request);
    int access = file->flags & O_ACCMODE;
    pthread_mutex_lock(&sim->lock);
    struct node *node = node_of(request, ino);
    int error = 0;
    if (node->removed)
        error = ENOENT;
    else if (access != O_WRONLY && !(node->mode & 0444 && node->attribute->show))
        error = EACCES;
    else if (access != O_RDONLY && !(node->mode & 0222 && node->attribute->store))
        error = EACCES;
    if (error)
        fuse_reply_err(request, error);
    else
        reply_handle(request, node, file);
    pthread_mutex_unlock(&sim->lock);
}

static void op_opendir(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
    struct sim *sim = sim_of(request);
    pthread_mutex_lock(&sim->lock);
    struct node *node = node_of(request, ino);
    if (node->removed)
        fuse_reply_err(request, ENOENT);
    else
        reply_handle(request, node, file);
    pthread_mutex_unlock(&sim->lock);
}

static void drop_entries(struct handle *handle)
{
    for (size_t i = 0; i < handle->count; i++)
        free(handle->entries[i].name);
    free(handle->entries);
    handle->entries = NULL;
    handle->count = 0;
}

static void op_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
    (void)ino;
    struct sim *sim = sim_of(request);
    struct handle *handle = handle_of(file);
    pthread_mutex_lock(&sim->lock);
    node_unref(handle->node);
    pthread_mutex_unlock(&sim->lock);
    drop_entries(handle);
    free(handle->text);
    free(handle);
    fuse_reply_err(request, 0);
}

/* Each reading from the start asks the driver again, as in sysfs. */
static void op_read(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *file)
{
    (void)ino;
    struct handle *handle = handle_of(file);
    if (offset == 0) {
        free(handle->text);
        handle->text = NULL;
        handle->length = 0;
        int rc =
            sim_show(sim_of(request), handle->node, &handle->text, &handle->length);
        if (rc < 0) {
            fuse_reply_err(request, -rc);
            return;
        }
    }
    size_t start = (uint64_t)offset < handle->length ? (size_t)offset : handle->length;
    size_t left = handle->length - start;
    fuse_reply_buf(request, handle->text ? handle->text + start : NULL,
                   left < size ? left : size);
}

static void op_write(fuse_req_t request, fuse_ino_t ino, const char *data, size_t size,
                     off_t offset, struct fuse_file_info *file)
{
    (void)ino;
    (void)offset;
    size_t length = size < PAGE ? size : PAGE;
    int rc = sim_store(sim_of(request), handle_of(file)->node, data, length);
    if (rc < 0)
        fuse_reply_err(request, -rc);
    else
        fuse_reply_write(request, length);
}

/* The whole listing is taken at offset 0 and read on from there, so that a directory
 * that changes meanwhile gives no name twice. */
static void list(struct sim *sim, struct handle *handle)
{
    drop_entries(handle);
    pthread_mutex_lock(&sim->lock);
    const struct node *directory = handle->node;
    *array_add(handle->entries, handle->count) =
        (struct entry){.name = xstrdup("."), .st = describe(directory)};
    *array_add(handle->entries, handle->count) =
        (struct entry){.name = xstrdup(".."), .st = describe(directory)};
    for (size_t i = 0; i < directory->child_count; i++) {
        const struct node *node = directory->children[i];
        if (!control_hides(&sim->control, node))
            *array_add(handle->entries, handle->count) =
                (struct entry){.name = xstrdup(node->name), .st = describe(node)};
    }
    pthread_mutex_unlock(&sim->lock);
}

static void op_readdir(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *file)
{
    (void)ino;
    struct handle *handle = handle_of(file);
    if (offset == 0)
        list(sim_of(request), handle);
    _cleanup_free_ char *buffer = xcalloc(size, 1);
    size_t used = 0;
    for (size_t i = (size_t)offset; i < handle->count; i++) {
        const struct entry *entry = &handle->entries[i];
        size_t needed = fuse_add_direntry(request, buffer + used, size - used,
                                          entry->name, &entry->st, (off_t)i + 1);
        if (needed > size - used)
            break;
        used += needed;
    }
    fuse_reply_buf(request, buffer, used);
}

static const struct fuse_lowlevel_ops operations = {
    .init = op_init,
    .lookup = op_lookup,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .readlink = op_readlink,
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .release = op_release,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .releasedir = op_release,
};

static void wake_up(int signal)
{
    (void)signal;
}

/* Waits for a signal to end; then wakes what waits in the simulator, and the loop in
 * the main thread, which sleeps until a signal interrupts it. */
static void *wait_for_end(void *context)
{
    struct mount *mount = context;
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    int got;
    sigwait(&ends, &got);
    sim_stop(mount->sim);
    fuse_session_exit(mount->session);
    while (!__atomic_load_n(&mount->finished, __ATOMIC_ACQUIRE)) {
        pthread_kill(mount->main, SIGUSR1);
        usleep(1000);
    }
    return NULL;
}

static int serve(struct mount *mount, struct error *err)
{
    struct sigaction action = {.sa_handler = wake_up};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t watcher;
    mount->main = pthread_self();
    int error = pthread_create(&watcher, NULL, wait_for_end, mount);
    if (error)
        return error_set_errno(err, error, "cannot start a thread");

    struct fuse_loop_config *config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_max_threads(config, MAX_THREADS);
    fuse_loop_cfg_set_idle_threads(config, IDLE_THREADS);
    int rc = fuse_session_loop_mt(mount->session, config);
    fuse_loop_cfg_destroy(config);

    /* After an unmount from outside nobody has told the watcher. */
    __atomic_store_n(&mount->finished, true, __ATOMIC_RELEASE);
    pthread_kill(watcher, SIGTERM);
    pthread_join(watcher, NULL);
    return rc < 0 ? error_set_errno(err, -rc, "serving the mount failed") : 0;
}

int mount_serve(struct sim *sim, const char *mountpoint, void (*ready)(void *context),
                void *context, struct error *err)
{
    struct mount mount = {.sim = sim, .ready = ready, .context = context};
    char name[] = "mdevsim", option[] = "-o",
         options[] = "auto_unmount,default_permissions,fsname=mdevsim",
         more_options[] = "allow_other";
    char *argv[] = {name, option, options, option, more_options};
    /* Only root may let others in, unless the system says otherwise. */
    struct fuse_args arguments = FUSE_ARGS_INIT(geteuid() == 0 ? 5 : 3, argv);
    mount.session =
        fuse_session_new(&arguments, &operations, sizeof operations, &mount);
    if (!mount.session)
        return error_set(err, ERROR_IO, "libfuse refuses to start");
    int rc = -1;
    /* auto_unmount unmounts as soon as this process has ended, however it ends; its
     * helper would complain if that had been done here already. */
    if (fuse_session_mount(mount.session, mountpoint) != 0)
        (void)error_set(err, ERROR_IO, "cannot mount on %s", mountpoint);
    else
        rc = serve(&mount, err);
    fuse_session_destroy(mount.session);
    return rc;
}
