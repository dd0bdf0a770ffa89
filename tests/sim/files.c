#include "tests/sim/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"

#define PAGE 4096

/* What the kernel holds of us: a number of look-ups of one node. */
struct inode {
    struct node *node;
    uint64_t lookups;
    LIST_ENTRY(inode) link;
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
    LIST_ENTRY(handle) link;
};

static struct files *files_of(fuse_req_t request)
{
    return fuse_req_userdata(request);
}

static struct sim *sim_of(fuse_req_t request)
{
    return files_of(request)->sim;
}

static struct node *node_of(fuse_req_t request, fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? sim_of(request)->root : ((struct inode *)ino)->node;
}

static bool can_be_stored(const struct node *node)
{
    return node->kind == NODE_ATTRIBUTE && node->attribute->store;
}

/* This and the next with the lock held. */
static fuse_ino_t remember(struct files *files, struct node *node)
{
    struct inode *inode = node->inode;
    if (!inode) {
        inode = xcalloc(1, sizeof *inode);
        inode->node = node_ref(node);
        LIST_INSERT_HEAD(&files->inodes, inode, link);
        if (!can_be_stored(node))
            node->inode = inode;
    }
    inode->lookups++;
    return (fuse_ino_t)inode;
}

static void forget(struct inode *inode)
{
    if (inode->node->inode == inode)
        inode->node->inode = NULL;
    LIST_REMOVE(inode, link);
    node_unref(inode->node);
    free(inode);
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
    struct files *files = userdata;
    connection->want &= ~(unsigned)(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
    files->ready(files->context);
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
        entry.ino = remember(files_of(request), node);
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
    if (!inode->lookups)
        forget(inode);
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
    LIST_INSERT_HEAD(&files_of(request)->handles, handle, link);
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
    bool readable = node->mode & 0444 && node->attribute->show,
         writable = node->mode & 0222 && node->attribute->store;
    int error = 0;
    if (node->removed)
        error = ENOENT;
    else if ((access != O_WRONLY && !readable) || (access != O_RDONLY && !writable))
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

/* With the lock held. */
static void close_handle(struct handle *handle)
{
    LIST_REMOVE(handle, link);
    drop_entries(handle);
    free(handle->text);
    node_unref(handle->node);
    free(handle);
}

static void op_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *file)
{
    (void)ino;
    struct sim *sim = sim_of(request);
    pthread_mutex_lock(&sim->lock);
    close_handle(handle_of(file));
    pthread_mutex_unlock(&sim->lock);
    fuse_reply_err(request, 0);
}

/* Each reading from the start asks the driver again, as in sysfs. */
static int read_again(fuse_req_t request, struct handle *handle)
{
    struct sim *sim = sim_of(request);
    char *text;
    size_t length;
    int rc = sim_show(sim, handle->node, &text, &length);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&sim->lock);
    free(handle->text);
    handle->text = text;
    handle->length = length;
    pthread_mutex_unlock(&sim->lock);
    return 0;
}

/* What is replied is a copy: the reader may have closed the file before the reply's
 * system call returns. */
static void op_read(fuse_req_t request, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *file)
{
    (void)ino;
    struct sim *sim = sim_of(request);
    struct handle *handle = handle_of(file);
    int rc = offset == 0 ? read_again(request, handle) : 0;
    if (rc < 0) {
        fuse_reply_err(request, -rc);
        return;
    }
    pthread_mutex_lock(&sim->lock);
    size_t start = (uint64_t)offset < handle->length ? (size_t)offset : handle->length;
    size_t left = handle->length - start;
    size_t length = left < size ? left : size;
    _cleanup_free_ char *copy = xcalloc(length + 1, 1);
    if (length)
        memcpy(copy, handle->text + start, length);
    pthread_mutex_unlock(&sim->lock);
    fuse_reply_buf(request, copy, length);
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

const struct fuse_lowlevel_ops file_operations = {
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

void files_clear(struct files *files)
{
    pthread_mutex_lock(&files->sim->lock);
    struct handle *handle = LIST_FIRST(&files->handles);
    while (handle) {
        struct handle *next = LIST_NEXT(handle, link);
        close_handle(handle);
        handle = next;
    }
    struct inode *inode = LIST_FIRST(&files->inodes);
    while (inode) {
        struct inode *next = LIST_NEXT(inode, link);
        forget(inode);
        inode = next;
    }
    pthread_mutex_unlock(&files->sim->lock);
}
