#include "tests/unit/tree.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

char *tree_new(void)
{
    const char *base = getenv("TMPDIR");
    char *tree = xasprintf("%s/vgpu-tree-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(tree))
        err(1, "%s", tree);
    return tree;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static void remove_all(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        err(1, "%s", path);
}

void tree_free(char *tree)
{
    remove_all(tree);
    free(tree);
}

void tree_remove(const char *tree, const char *path)
{
    _cleanup_free_ char *full = xasprintf("%s/%s", tree, path);
    remove_all(full);
}

/* Makes each folder above the last component. Returns the whole path; the caller
 * frees. */
static char *make_way(const char *tree, const char *path)
{
    char *full = xasprintf("%s/%s", tree, path);
    for (char *p = full + strlen(tree) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(full, 0755) != 0 && errno != EEXIST)
            err(1, "%s", full);
        *p = '/';
    }
    return full;
}

void tree_folder(const char *tree, const char *path)
{
    _cleanup_free_ char *full = make_way(tree, path);
    if (mkdir(full, 0755) != 0 && errno != EEXIST)
        err(1, "%s", full);
}

/* As in sysfs, nobody ever sees a file without its content. */
void tree_write(const char *tree, const char *path, const char *content)
{
    _cleanup_free_ char *full = make_way(tree, path),
                        *unfinished = xasprintf("%s/.unfinished", tree);
    _cleanup_fclose_ FILE *file = fopen(unfinished, "we");
    if (!file || fputs(content, file) == EOF || fflush(file) != 0 ||
        rename(unfinished, full) != 0)
        err(1, "%s", full);
}

void tree_link(const char *tree, const char *path, const char *target)
{
    _cleanup_free_ char *full = make_way(tree, path);
    (void)unlink(full);
    if (symlink(target, full) != 0)
        err(1, "%s", full);
}

void tree_fill(const char *tree, const struct tree_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].content)
            tree_write(tree, entries[i].path, entries[i].content);
        else if (entries[i].link)
            tree_link(tree, entries[i].path, entries[i].link);
        else
            tree_folder(tree, entries[i].path);
    }
}

void tree_proc(const char *tree)
{
    tree_folder(tree, "proc/1/fd");
    tree_link(tree, "proc/1/ns/pid", "pid:[4026531836]");
    tree_link(tree, "proc/1/root", "../..");
}

char *tree_read(const char *tree, const char *path)
{
    _cleanup_free_ char *full = xasprintf("%s/%s", tree, path);
    char *text;
    struct error error = {0};
    if (file_read_at(AT_FDCWD, full, 1 << 20, &text, NULL, &error) != 0)
        errx(1, "%s", error.text);
    return text;
}

/* ---- what sysfs looks like ---- */

static const char *last(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* tree_write() of "<folder>/<name>". */
static void put(const char *tree, const char *folder, const char *name,
                const char *content)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
    tree_write(tree, path, content);
}

/* "../" for each component of `folder`, and then `rest`. The caller frees. */
static char *climb(const char *folder, const char *rest)
{
    char *up = xstrdup("");
    for (const char *p = folder; p; p = strchr(p + 1, '/')) {
        char *longer = xasprintf("../%s", up);
        free(up);
        up = longer;
    }
    char *whole = xasprintf("%s%s", up, rest);
    free(up);
    return whole;
}

/* Makes the link "<folder>/<name>" to `target`, a path from the tree's root. */
static void link_to(const char *tree, const char *folder, const char *name,
                    const char *target)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", folder, name),
                        *way = climb(folder, target);
    tree_link(tree, path, way);
}

void tree_card(const char *tree, const char *path, const char *pci_class)
{
    put(tree, path, "class", pci_class);
    put(tree, path, "vendor", "0x10de\n");
    put(tree, path, "device", "0x1db6\n");
    put(tree, path, "numa_node", "1\n");
    put(tree, path, "config", "\xde\x10\xb6\x1d");
    tree_folder(tree, "bus/pci/drivers/nvidia");
    link_to(tree, path, "driver", "bus/pci/drivers/nvidia");
    link_to(tree, path, "subsystem", "bus/pci");
    link_to(tree, "bus/pci/devices", last(path), path);
}

void tree_functions(const char *tree, const char *pf, const char *const *functions,
                    size_t count, const char *pci_class)
{
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *path =
            xasprintf("%.*s%s", (int)(last(pf) - pf), pf, functions[i]);
        _cleanup_free_ char *physfn = xasprintf("%s/physfn", path);
        _cleanup_free_ char *virtfn = xasprintf("%s/virtfn%zu", pf, i);
        _cleanup_free_ char *card = xasprintf("../%s", last(pf));
        _cleanup_free_ char *target = xasprintf("../%s", functions[i]);
        _cleanup_free_ char *group = xasprintf("%s/iommu_group", path);
        _cleanup_free_ char *number = xasprintf("../../../kernel/iommu_groups/7%zu", i);
        tree_card(tree, path, pci_class);
        tree_link(tree, physfn, card);
        tree_link(tree, virtfn, target);
        tree_link(tree, group, number);
    }
}

static void put_type(const char *tree, const char *parent, const struct tree_type *type)
{
    _cleanup_free_ char *folder =
                            xasprintf("%s/mdev_supported_types/%s", parent, type->id),
                        *devices = xasprintf("%s/devices", folder),
                        *available = xasprintf("%d\n", type->available);
    tree_folder(tree, devices);
    put(tree, folder, "create", "");
    put(tree, folder, "available_instances", available);
    put(tree, folder, "device_api", "vfio-pci\n");
    if (type->name)
        put(tree, folder, "name", type->name);
    if (type->description)
        put(tree, folder, "description", type->description);
}

void tree_parent(const char *tree, const char *path, const struct tree_type *types,
                 size_t count)
{
    _cleanup_free_ char *supported = xasprintf("%s/mdev_supported_types", path);
    tree_folder(tree, supported);
    if (pci_address_parse(last(path), NULL))
        tree_card(tree, path, "0x030200\n");
    for (size_t i = 0; i < count; i++)
        put_type(tree, path, &types[i]);
    link_to(tree, "class/mdev_bus", last(path), path);
}

void tree_virtual_function(const char *tree, const char *pf, const char *path,
                           const struct tree_type *types, size_t count)
{
    _cleanup_free_ char *back = xasprintf("../%s", last(pf));
    _cleanup_free_ char *physfn = xasprintf("%s/physfn", path);
    tree_card(tree, pf, "0x030200\n");
    put(tree, pf, "sriov_totalvfs", "32\n");
    put(tree, pf, "sriov_numvfs", "32\n");
    tree_parent(tree, path, types, count);
    tree_link(tree, physfn, back);
}

void tree_mdev(const char *tree, const char *parent, const char *uuid, const char *type,
               const char *group)
{
    _cleanup_free_ char *device = xasprintf("%s/%s", parent, uuid),
                        *type_link = xasprintf("%s/mdev_type", device),
                        *type_target = xasprintf("../mdev_supported_types/%s", type);
    put(tree, device, "remove", "");
    tree_link(tree, type_link, type_target);
    if (group) {
        _cleanup_free_ char *groups = xasprintf("kernel/iommu_groups/%s", group);
        tree_folder(tree, groups);
        link_to(tree, device, "iommu_group", groups);
    }
    link_to(tree, "bus/mdev/devices", uuid, device);
}
