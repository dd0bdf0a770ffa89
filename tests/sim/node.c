#include "tests/sim/node.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

static uint64_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash;
}

static int compare_names(const char *a, const char *b)
{
    uint64_t x = hash_name(a), y = hash_name(b);
    return x < y ? -1 : x > y ? 1 : strcmp(a, b);
}

/* Where `name` is among the children, or would be. */
static size_t child_position(const struct node *parent, const char *name, bool *found)
{
    size_t low = 0, high = parent->child_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(parent->children[middle]->name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct node *node_new(const char *name, enum node_kind kind, mode_t mode)
{
    struct node *node = xcalloc(1, sizeof *node);
    node->name = xstrdup(name);
    node->kind = kind;
    node->mode = mode;
    node->uid = geteuid();
    node->gid = getegid();
    node->references = 1;
    return node;
}

struct node *node_new_root(void)
{
    struct node *root = node_new("", NODE_DIRECTORY, 0755);
    root->number = root->last_number = 1;
    return root;
}

struct node *node_ref(struct node *node)
{
    node->references++;
    return node;
}

void node_unref(struct node *node)
{
    if (!node || --node->references)
        return;
    node_unref(node->parent);
    node_unref(node->target);
    free(node->children);
    free(node->name);
    free(node->text);
    free(node);
}

static void detach(struct node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        detach(node->children[i]);
        node_unref(node->children[i]);
    }
    node->child_count = 0;
    node->removed = true;
}

void node_remove(struct node *node)
{
    if (!node || node->removed)
        return;
    struct node *parent = node->parent;
    detach(node);
    if (parent) {
        bool found;
        size_t at = child_position(parent, node->name, &found);
        memmove(parent->children + at, parent->children + at + 1,
                (parent->child_count - at - 1) * sizeof(struct node *));
        parent->child_count--;
    }
    node_unref(node);
}

/* A name that is taken keeps its node: the simulator never adds one twice. */
static struct node *add(struct node *parent, struct node *node)
{
    bool found;
    size_t at = child_position(parent, node->name, &found);
    if (found) {
        node_unref(node);
        return parent->children[at];
    }
    size_t count = parent->child_count;
    parent->children =
        xreallocarray(parent->children, count + 1, sizeof(struct node *));
    memmove(parent->children + at + 1, parent->children + at,
            (count - at) * sizeof(struct node *));
    parent->children[at] = node;
    parent->child_count++;
    node->parent = node_ref(parent);
    struct node *root = parent;
    while (root->parent)
        root = root->parent;
    node->number = ++root->last_number;
    return node;
}

struct node *node_directory(struct node *parent, const char *path)
{
    _cleanup_free_ char *copy = xstrdup(path);
    char *rest = copy, *name;
    while ((name = strsep(&rest, "/"))) {
        struct node *child = node_child(parent, name);
        parent = child ? child : add(parent, node_new(name, NODE_DIRECTORY, 0755));
    }
    return parent;
}

struct node *node_attribute(struct node *parent, const char *name,
                            const struct attribute *attribute, void *context)
{
    struct node *node = node_new(name, NODE_ATTRIBUTE, attribute->mode);
    node->attribute = attribute;
    node->context = context;
    return add(parent, node);
}

static int text_show(void *context, FILE *out)
{
    const struct node *node = context;
    fputs(node->text, out);
    return 0;
}

struct node *node_text(struct node *parent, const char *name, const char *format, ...)
{
    static const struct attribute constant = {.mode = 0444, .show = text_show};
    va_list arguments;
    va_start(arguments, format);
    char *text;
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    struct node *node = node_attribute(parent, name, &constant, NULL);
    free(node->text);
    node->text = text;
    node->context = node;
    return node;
}

struct node *node_link(struct node *parent, const char *name, struct node *target)
{
    struct node *node = node_new(name, NODE_LINK, 0777);
    node->target = node_ref(target);
    return add(parent, node);
}

struct node *node_child(const struct node *parent, const char *name)
{
    bool found;
    size_t at = child_position(parent, name, &found);
    return found ? parent->children[at] : NULL;
}

struct node *node_find(struct node *root, const char *path)
{
    _cleanup_free_ char *copy = xstrdup(path);
    char *rest = copy, *name;
    while (root && (name = strsep(&rest, "/")))
        root = node_child(root, name);
    return root;
}

char *node_path(const struct node *node)
{
    if (!node->parent)
        return xstrdup("");
    _cleanup_free_ char *parent = node_path(node->parent);
    return *parent ? xasprintf("%s/%s", parent, node->name) : xstrdup(node->name);
}

char *node_link_text(const struct node *link)
{
    _cleanup_free_ char *from = node_path(link->parent);
    _cleanup_free_ char *to = node_path(link->target);

    /* What both paths start with, in whole components. */
    size_t common = 0, i = 0;
    for (; from[i] && from[i] == to[i]; i++)
        if (from[i] == '/')
            common = i + 1;
    if (!from[i] && to[i] == '/')
        common = i + 1;
    if (!to[i] && from[i] == '/')
        common = i + 1;

    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    if (common < strlen(from)) {
        fputs("../", out);
        for (const char *c = from + common; *c; c++)
            if (*c == '/')
                fputs("../", out);
    }
    if (common <= strlen(to))
        fputs(to + common, out);
    fclose(out);
    size_t length = strlen(text);
    if (length && text[length - 1] == '/')
        text[length - 1] = 0;
    return text;
}
