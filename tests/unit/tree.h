/*
 * tree: folder trees that look like sysfs (or like /etc, /proc), written from tables
 * into a temporary folder. Any failure ends the test program. A tree is one folder;
 * tree_free() removes it with its content.
 */
#ifndef TESTS_UNIT_TREE_H
#define TESTS_UNIT_TREE_H

#include <stddef.h>

/* One file, link or folder: `content` and `link` both NULL make a folder. */
struct tree_entry {
    const char *path;
    const char *content;
    const char *link;
};

/* Makes a new, empty folder and returns its path; tree_free() removes it. */
char *tree_new(void);
void tree_free(char *tree);

/* Each function makes the folders above what it writes, and replaces what exists. */
void tree_write(const char *tree, const char *path, const char *content);
void tree_link(const char *tree, const char *path, const char *target);
void tree_folder(const char *tree, const char *path);
void tree_fill(const char *tree, const struct tree_entry *entries, size_t count);
/* Removes a file, a link, or a folder with its content. */
void tree_remove(const char *tree, const char *path);
/* A /proc of a host, not of a container, with nothing but its first process. */
void tree_proc(const char *tree);
/* The content of a file; the caller frees. */
char *tree_read(const char *tree, const char *path);

/* One type of a parent, as sysfs has it. */
struct tree_type {
    const char *id, *name, *description;
    int available;
};

/* An mdev parent at `path` ("devices/pci0000:80/0000:84:00.0") with its link under
 * class/mdev_bus and, when its name is an address, what PCI devices have (10de:1db6,
 * class 0302, driver nvidia). */
void tree_parent(const char *tree, const char *path, const struct tree_type *types,
                 size_t count);
/* As tree_parent(), for a virtual function of the card at `pf`, which is made as
 * well. */
void tree_virtual_function(const char *tree, const char *pf, const char *path,
                           const struct tree_type *types, size_t count);
/* A PCI device of the given class ("0x030200") that is no parent. */
void tree_card(const char *tree, const char *path, const char *pci_class);
/* Virtual functions of the card at `pf`, beside it, each in an IOMMU group of its own: 70
 * and so on. They are of the given class. */
void tree_functions(const char *tree, const char *pf, const char *const *functions,
                    size_t count, const char *pci_class);
/* A device below the parent with the path `parent`, complete, and its link in
 * bus/mdev/devices. `group` may be NULL. */
void tree_mdev(const char *tree, const char *parent, const char *uuid, const char *type,
               const char *group);

#endif
