/* vgpu-agent tree: all providers of this host as Placement has them. */
#include <string.h>
#include <sysexits.h>

#include "agent/command/command.h"
#include "agent/desired/gpu_group.h"
#include "agent/tree/fetch.h"
#include "lib/json_write.h"
#include "lib/text_wrap.h"
#include "lib/xalloc.h"

/* A provider with all its parts; the fetch reads only those of the agent's own. */
struct node {
    const struct provider *provider;
    struct class_inventory *inventories;
    struct class_usage *usages;
    size_t inventory_count, usage_count;
    struct strlist traits;
};

static void node_clear(struct node *node)
{
    class_inventories_free(node->inventories, node->inventory_count);
    class_usages_free(node->usages, node->usage_count);
    strlist_clear(&node->traits);
}

static int node_read(struct placement_client *client, const struct provider *provider,
                     struct node *node, struct error *err)
{
    int64_t generation;
    node->provider = provider;
    if (placement_get_inventories(client, provider->uuid, &node->inventories,
                                  &node->inventory_count, &generation, err) != 0 ||
        placement_get_usages(client, provider->uuid, &node->usages, &node->usage_count,
                             err) != 0 ||
        placement_get_provider_traits(client, provider->uuid, &node->traits,
                                      &generation, err) != 0)
        return -1;
    return 0;
}

static int64_t used(const struct node *node, const char *resource_class)
{
    for (size_t i = 0; i < node->usage_count; i++)
        if (strcmp(node->usages[i].resource_class, resource_class) == 0)
            return node->usages[i].used;
    return 0;
}

/* ---- for people: indented by depth ---- */

#define RESOLUTION "HW_GPU_RESOLUTION_"

/* A type has some twenty traits of resolutions: people get their number. */
static void print_traits(const struct strlist *traits, int indent,
                         const struct command_context *context)
{
    _cleanup_strlist_ struct strlist shown = {0};
    size_t resolutions = 0;
    for (size_t i = 0; i < traits->count; i++)
        if (context->format != FORMAT_WIDE &&
            strncmp(traits->items[i], RESOLUTION, strlen(RESOLUTION)) == 0)
            resolutions++;
        else
            strlist_add(&shown, traits->items[i]);
    if (resolutions > 0)
        strlist_add_take(&shown, xasprintf("%s* (%zu)", RESOLUTION, resolutions));
    _cleanup_free_ char *names = strlist_join(&shown, " ");
    _cleanup_free_ char *text = xasprintf("traits: %s", names);
    if (shown.count > 0)
        text_wrap(text, (size_t)indent, context->style.width, stdout);
}

struct tree_view {
    const struct config *config;
    const struct command_context *context;
};

/* The group of the files whose trait the provider has; NULL: none. */
static const struct group_config *group_of(const struct node *node,
                                           const struct config *config)
{
    for (size_t i = 0; i < config->group_count; i++) {
        _cleanup_free_ char *trait = gpu_group_trait(&config->groups[i]);
        if (strlist_contains(&node->traits, trait))
            return &config->groups[i];
    }
    return NULL;
}

static void print_inventory(const struct node *node, const struct class_inventory *item,
                            int indent, const struct style *style)
{
    const struct inventory *inventory = &item->inventory;
    int64_t in_use = used(node, item->resource_class);
    _cleanup_free_ char *bar =
        style_bar(style, in_use, inventory->reserved, inventory->total);
    printf("%*s", indent, "");
    style_put(style, TONE_PLAIN, item->resource_class, stdout);
    printf(": total %lld, used %lld, reserved %lld%s%s\n", (long long)inventory->total,
           (long long)in_use, (long long)inventory->reserved, *bar ? "  " : "", bar);
}

static void print_node(const struct node *node, int indent,
                       const struct tree_view *view)
{
    printf("%*s", indent, "");
    style_put(&view->context->style, TONE_TITLE, node->provider->name, stdout);
    if (view->context->format == FORMAT_WIDE)
        printf("  (%s, generation %lld)", node->provider->uuid,
               (long long)node->provider->generation);
    putchar('\n');
    for (size_t i = 0; i < node->inventory_count; i++)
        print_inventory(node, &node->inventories[i], indent + 4, &view->context->style);
    const struct group_config *group = group_of(node, view->config);
    if (group)
        printf("%*sgroup: %s, %s\n", indent + 4, "", group->name,
               group_allocation_name(group->allocation));
    print_traits(&node->traits, indent + 4, view->context);
}

static void print_below(const struct node *nodes, size_t count, const char *parent,
                        int indent, const struct tree_view *view)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(nodes[i].provider->parent, parent) == 0) {
            print_node(&nodes[i], indent, view);
            print_below(nodes, count, nodes[i].provider->uuid, indent + 2, view);
        }
}

/* ---- for programs: a list ---- */

static void write_inventories(struct json_writer *w, const struct node *node)
{
    json_write_key(w, "inventories");
    json_write_begin_object(w);
    for (size_t i = 0; i < node->inventory_count; i++) {
        const struct class_inventory *item = &node->inventories[i];
        json_write_key(w, item->resource_class);
        json_write_begin_object(w);
        json_write_int_member(w, "total", item->inventory.total);
        json_write_int_member(w, "used", used(node, item->resource_class));
        json_write_int_member(w, "reserved", item->inventory.reserved);
        json_write_end_object(w);
    }
    json_write_end_object(w);
}

static void write_node(struct json_writer *w, const struct node *node,
                       const struct config *config)
{
    const struct group_config *group = group_of(node, config);
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", node->provider->uuid);
    json_write_string_member(w, "name", node->provider->name);
    json_write_string_member(w, "parent",
                             *node->provider->parent ? node->provider->parent : NULL);
    json_write_int_member(w, "generation", node->provider->generation);
    json_write_string_member(w, "group", group ? group->name : NULL);
    json_write_string_member(w, "allocation",
                             group ? group_allocation_name(group->allocation) : NULL);
    write_inventories(w, node);
    json_write_key(w, "traits");
    json_write_strings(w, &node->traits);
    json_write_end_object(w);
}

static int print_tree(const struct node *nodes, size_t count,
                      const struct tree_view *view)
{
    if (view->context->format != FORMAT_JSON) {
        print_below(nodes, count, "", 0, view);
        return fflush(stdout);
    }
    struct json_writer w = {0};
    json_write_begin_array(&w);
    for (size_t i = 0; i < count; i++)
        write_node(&w, &nodes[i], view->config);
    json_write_end_array(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    return puts(text) < 0 ? -1 : fflush(stdout);
}

/* ---- the command ---- */

static int show(struct placement_client *client, const struct observed *observed,
                const struct tree_view *view, struct error *err)
{
    struct node *nodes = xcalloc(observed->provider_count, sizeof *nodes);
    int rc = 0;
    for (size_t i = 0; i < observed->provider_count && rc == 0; i++)
        rc = node_read(client, &observed->providers[i].provider, &nodes[i], err);
    if (rc == 0 && print_tree(nodes, observed->provider_count, view) != 0)
        rc = error_set(err, ERROR_IO, "standard output cannot be written");
    for (size_t i = 0; i < observed->provider_count; i++)
        node_clear(&nodes[i]);
    free(nodes);
    return rc;
}

static int find_and_show(const struct config *config,
                         const struct command_context *context, struct error *err)
{
    _cleanup_(placement_client_freep) struct placement_client *client = NULL;
    if (placement_client_new(&config->placement, &client, err) != 0)
        return -1;
    /* What there is is shown, whatever was there before. */
    _cleanup_(journal_freep) struct journal *nothing = journal_new();
    _cleanup_(placement_fetch_freep) struct placement_fetch *fetch =
        placement_fetch_new(client, config, nothing);
    const struct observed *observed;
    if (placement_fetch_tree(fetch, 0, &observed, err) != 0)
        return -1;
    if (!observed->root_found)
        return error_set(err, ERROR_NOT_FOUND,
                         "Placement has no provider for this host (%s, %s): %s",
                         observed->root_name, observed->root_uuid,
                         config->agent.create_root
                             ? "the daemon, or `vgpu-agent sync`, makes it"
                         : config->agent.mode != MODE_OWNER
                             ? "nova-compute makes it"
                             : "nova-compute makes it, or [agent] create_root");
    const struct tree_view view = {config, context};
    return show(client, observed, &view, err);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_(config_freep) struct config *config = NULL;
    if (settings_load_full(&context->settings, &config) != 0)
        return EX_CONFIG;
    struct error err;
    return find_and_show(config, context, &err) == 0 ? EX_OK : command_fail(&err);
}

const struct command command_tree = {
    .name = "tree",
    .summary = "the providers of this host as Placement has them",
    .run = run,
};
