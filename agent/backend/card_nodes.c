#include "agent/backend/card_nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "agent/backend/nvidia_mig.h"
#include "agent/host/node_holders.h"
#include "lib/folder.h"
#include "lib/xalloc.h"

/* The folders of a function in which the kernel lists its nodes, and where below /dev
 * these are. */
static const struct {
    const char *folder, *nodes;
} classes[] = {{"drm", "/dev/dri"},
               {"accel", "/dev/accel"},
               {"graphics", "/dev"},
               {"drm_dp_aux_dev", "/dev"}};

static int add_names(int dirfd, const char *path, const char *nodes,
                     struct strlist *out, struct error *err)
{
    _cleanup_folder_ DIR *folder = folder_open_list(dirfd, path);
    int errnum = folder ? 0 : errno;
    const char *name;
    while (folder && (name = folder_next(folder, &errnum)))
        strlist_add_take(out, xasprintf("%s/%s", nodes, name));
    return errnum && !errno_is_gone(errnum) ? error_set_errno(err, errnum, "%s", path)
                                            : 0;
}

/* sound/card1/ has controlC1 and pcmC1D3p, beside what is no node. */
static int add_sound(int function, struct strlist *out, struct error *err)
{
    _cleanup_folder_ DIR *cards = folder_open_list(function, "sound");
    int errnum = cards ? 0 : errno;
    const char *name;
    while (cards && (name = folder_next(cards, &errnum)))
        if (add_names(dirfd(cards), name, "/dev/snd", out, err) != 0)
            return -1;
    return errnum && !errno_is_gone(errnum) ? error_set_errno(err, errnum, "sound") : 0;
}

static bool begins(const char *name, const char *start)
{
    return strncmp(name, start, strlen(start)) == 0;
}

/* Of a function, or of one of its connectors: i2c-3/i2c-dev/i2c-3, drm_dp_aux0. */
static int add_channels(int parent, const char *path, struct strlist *out,
                        struct error *err)
{
    _cleanup_folder_ DIR *folder = folder_open_list(parent, path);
    int errnum = folder ? 0 : errno;
    const char *name;
    while (folder && (name = folder_next(folder, &errnum))) {
        _cleanup_free_ char *nodes = xasprintf("%s/i2c-dev", name);
        if (begins(name, "drm_dp_aux") && strcmp(name, "drm_dp_aux_dev") != 0)
            strlist_add_take(out, xasprintf("/dev/%s", name));
        if (begins(name, "i2c-") &&
            add_names(dirfd(folder), nodes, "/dev", out, err) != 0)
            return -1;
    }
    return errnum && !errno_is_gone(errnum) ? error_set_errno(err, errnum, "%s", path)
                                            : 0;
}

/* drm/card0/card0-DP-1 */
static int add_connectors(int function, struct strlist *out, struct error *err)
{
    _cleanup_folder_ DIR *cards = folder_open_list(function, "drm");
    int errnum = cards ? 0 : errno;
    const char *card, *name;
    while (cards && (card = folder_next(cards, &errnum))) {
        _cleanup_folder_ DIR *connectors = folder_open_list(dirfd(cards), card);
        int failed = connectors ? 0 : errno;
        while (connectors && (name = folder_next(connectors, &failed)))
            if (begins(name, card) && name[strlen(card)] == '-' &&
                add_channels(dirfd(connectors), name, out, err) != 0)
                return -1;
        if (failed && !errno_is_gone(failed))
            return error_set_errno(err, failed, "drm/%s", card);
    }
    return errnum && !errno_is_gone(errnum) ? error_set_errno(err, errnum, "drm") : 0;
}

/* NVIDIA's nodes have no folder in sysfs. Without the number of the card each of them
 * may be its. */
static void add_nvidia(int root, const char *address, struct strlist *out)
{
    long minor = nvidia_device_minor(root, address);
    strlist_add_take(out, minor < 0 ? xstrdup("/dev/nvidia*")
                                    : xasprintf("/dev/nvidia%ld", minor));
}

static int add_nodes(int bus, int root, const struct card_part *part,
                     struct strlist *out, struct error *err)
{
    _cleanup_free_ char *path = xasprintf("devices/%s", part->address);
    _cleanup_close_ int function = folder_open(bus, path);
    if (function < 0)
        return error_set_errno(err, errno, "%s", part->address);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (add_names(function, classes[i].folder, classes[i].nodes, out, err) != 0)
            return error_prefix(err, "%s", part->address);
    if (add_sound(function, out, err) != 0 ||
        add_channels(function, ".", out, err) != 0 ||
        add_connectors(function, out, err) != 0)
        return error_prefix(err, "%s", part->address);
    if (strcmp(part->driver, "nvidia") == 0)
        add_nvidia(root, part->address, out);
    return 0;
}

int card_nodes_list(int bus, int root, const struct whole_card *card,
                    struct strlist *out, struct error *err)
{
    for (size_t i = 0; i < card->count; i++) {
        const struct card_part *part = &card->parts[i];
        if (part->driver && !whole_card_is_ours(part->driver) &&
            add_nodes(bus, root, part, out, err) != 0)
            return -1;
    }
    return 0;
}

int card_nodes_check_closed(int bus, const char *root, const struct whole_card *card,
                            struct error *err)
{
    _cleanup_strlist_ struct strlist nodes = {0};
    _cleanup_close_ int host = folder_open(AT_FDCWD, root);
    if (host < 0)
        return error_set_errno(err, errno, "%s", root);
    return card_nodes_list(bus, host, card, &nodes, err) == 0
               ? node_check_closed(host, &nodes, err)
               : -1;
}
