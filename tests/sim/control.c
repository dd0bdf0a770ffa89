#include "tests/sim/control.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_write.h"
#include "lib/xalloc.h"
#include "tests/sim/command.h"
#include "tests/sim/sim.h"

static bool matches(const struct strlist *patterns, const struct node *node)
{
    if (!patterns->count)
        return false;
    _cleanup_free_ char *path = node_path(node);
    for (size_t i = 0; i < patterns->count; i++)
        if (fnmatch(patterns->items[i], path, 0) == 0)
            return true;
    return false;
}

bool control_hides(const struct control *control, const struct node *node)
{
    return matches(&control->hidden, node);
}

bool control_makes_unreadable(const struct control *control, const struct node *node)
{
    return matches(&control->unreadable, node);
}

bool control_makes_hang(const struct control *control, const struct node *node)
{
    return matches(&control->hanging, node);
}

static bool is_own(const struct control *control, const struct node *node)
{
    return node->parent == control->directory;
}

/* What is not ASCII text is not worth showing. */
static char *printable(const char *data, size_t length)
{
    char *text = xstrndup(data, length);
    for (char *c = text; *c; c++)
        if ((*c < ' ' && *c != '\n') || *c > '~')
            *c = '?';
    return text;
}

size_t control_store_begin(struct control *control, const struct node *node,
                           const char *data, size_t length)
{
    size_t number = control->forgotten + control->store_count;
    if (is_own(control, node))
        return SIZE_MAX;
    struct store *store = array_add(control->stores, control->store_count);
    store->path = node_path(node);
    store->value = printable(data, length);
    store->result = 1;
    return number;
}

void control_store_end(struct control *control, size_t number, int result)
{
    if (number != SIZE_MAX && number >= control->forgotten)
        control->stores[number - control->forgotten].result = result;
}

static void forget_stores(struct control *control)
{
    for (size_t i = 0; i < control->store_count; i++) {
        free(control->stores[i].path);
        free(control->stores[i].value);
    }
    free(control->stores);
    control->stores = NULL;
    control->forgotten += control->store_count;
    control->store_count = 0;
}

void control_clear(struct control *control)
{
    forget_stores(control);
    strlist_clear(&control->unreadable);
    strlist_clear(&control->hidden);
    strlist_clear(&control->hanging);
}

static const char *result_name(int result)
{
    if (result > 0)
        return "pending";
    return result == 0 ? "OK" : strerrorname_np(-result);
}

static int stores_show(void *context, FILE *out)
{
    const struct control *control = &((struct sim *)context)->control;
    for (size_t i = 0; i < control->store_count; i++) {
        const struct store *store = &control->stores[i];
        struct json_writer w = {0};
        json_write_begin_object(&w);
        json_write_string_member(&w, "path", store->path);
        json_write_string_member(&w, "value", store->value);
        json_write_string_member(&w, "result", result_name(store->result));
        json_write_end_object(&w);
        _cleanup_free_ char *line = json_writer_take(&w, NULL);
        fprintf(out, "%s\n", line);
    }
    return 0;
}

static int control_store(void *context, const char *data, size_t length)
{
    struct sim *sim = context;
    _cleanup_free_ char *line = xstrndup(data, length);
    line[strcspn(line, "\n")] = 0;
    if (strcmp(line, "forget") == 0) {
        forget_stores(&sim->control);
        return 0;
    }
    return command_run(sim, line);
}

void control_init(struct sim *sim)
{
    static const struct attribute control = {.mode = 0200, .store = control_store};
    static const struct attribute stores = {.mode = 0444, .show = stores_show};
    struct node *directory = node_directory(sim->root, ".mdevsim");
    sim->control.directory = directory;
    node_attribute(directory, "control", &control, sim);
    node_attribute(directory, "stores", &stores, sim);
}
