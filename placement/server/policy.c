#include "placement/server/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/xalloc.h"
#include "placement/server/map.h"
#include "placement/server/policy_check.h"

/* ---- upstream's rules ---- */

#define ADMIN "rule:system_admin_api"
#define READER "rule:system_reader_api"

static const struct {
    const char *name, *rule;
    bool was_admin; /* in the old form, role:admin was enough */
} defaults[] = {
    {"admin_api", "role:admin"},
    {"system_admin_api", "role:admin and system_scope:all", true},
    {"system_reader_api", "role:reader and system_scope:all", true},
    {"project_reader_api", "role:reader and project_id:%(project_id)s", true},
    {"system_or_project_reader", "rule:system_reader_api or rule:project_reader_api",
     true},
    {"placement:resource_classes:list", READER},
    {"placement:resource_classes:create", ADMIN},
    {"placement:resource_classes:show", READER},
    {"placement:resource_classes:update", ADMIN},
    {"placement:resource_classes:delete", ADMIN},
    {"placement:resource_providers:list", READER},
    {"placement:resource_providers:create", ADMIN},
    {"placement:resource_providers:show", READER},
    {"placement:resource_providers:update", ADMIN},
    {"placement:resource_providers:delete", ADMIN},
    {"placement:resource_providers:inventories:list", READER},
    {"placement:resource_providers:inventories:create", ADMIN},
    {"placement:resource_providers:inventories:show", READER},
    {"placement:resource_providers:inventories:update", ADMIN},
    {"placement:resource_providers:inventories:delete", ADMIN},
    {"placement:resource_providers:usages", READER},
    {"placement:resource_providers:aggregates:list", READER},
    {"placement:resource_providers:aggregates:update", ADMIN},
    {"placement:resource_providers:traits:list", READER},
    {"placement:resource_providers:traits:update", ADMIN},
    {"placement:resource_providers:traits:delete", ADMIN},
    {"placement:resource_providers:allocations:list", READER},
    {"placement:allocations:manage", ADMIN},
    {"placement:allocations:list", READER},
    {"placement:allocations:update", ADMIN},
    {"placement:allocations:delete", ADMIN},
    {"placement:allocation_candidates:list", READER},
    {"placement:traits:list", READER},
    {"placement:traits:show", READER},
    {"placement:traits:update", ADMIN},
    {"placement:traits:delete", ADMIN},
    {"placement:usages", "rule:system_or_project_reader"},
    {"placement:reshaper:reshape", ADMIN},
};

struct rule {
    char *name;
    struct policy_check *check;
    struct map_entry by_name;
};

struct policy {
    struct map rules;
    bool enforce_scope;
};

static struct rule *find(const struct policy *policy, const char *name)
{
    return map_owner(map_find(&policy->rules, name), struct rule, by_name);
}

static int set_rule(struct policy *policy, const char *name, const char *text,
                    struct error *err)
{
    struct policy_check *check;
    if (policy_check_parse(text, &check, err) != 0)
        return error_prefix(err, "rule %s", name);
    struct rule *rule = find(policy, name);
    if (!rule) {
        rule = xcalloc(1, sizeof *rule);
        rule->name = xstrdup(name);
        map_add(&policy->rules, &rule->by_name, rule->name);
    } else {
        policy_check_free(rule->check);
    }
    rule->check = check;
    return 0;
}

static int set_defaults(struct policy *policy, bool only_new, struct error *err)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (set_rule(policy, defaults[i].name, defaults[i].rule, err) != 0)
            return -1;
        struct rule *rule = find(policy, defaults[i].name);
        struct policy_check *old;
        if (!defaults[i].was_admin || only_new)
            continue;
        if (policy_check_parse("role:admin", &old, err) != 0)
            return -1;
        rule->check = policy_check_either(rule->check, old);
    }
    return 0;
}

/* ---- the file ---- */

static const char *scalar(yaml_document_t *document, int index)
{
    const yaml_node_t *node = yaml_document_get_node(document, index);
    return node && node->type == YAML_SCALAR_NODE
               ? (const char *)node->data.scalar.value
               : NULL;
}

static int take_document(struct policy *policy, yaml_document_t *document,
                         struct error *err)
{
    yaml_node_t *root = yaml_document_get_root_node(document);
    /* An empty file, or one of comments alone. */
    if (!root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0))
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return error_set(err, ERROR_INVALID, "expected a mapping of names to rules");
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const char *name = scalar(document, pair->key);
        const char *rule = scalar(document, pair->value);
        if (!name || !rule)
            return error_set(err, ERROR_INVALID, "rule %s: expected a text",
                             name ? name : "?");
        if (set_rule(policy, name, rule, err) != 0)
            return -1;
    }
    return 0;
}

static int parse_file(struct policy *policy, FILE *file, struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_file(&parser, file);
    int rc;
    if (!yaml_parser_load(&parser, &document)) {
        rc = error_set(err, ERROR_INVALID, "line %zu: %s", parser.problem_mark.line + 1,
                       parser.problem ? parser.problem : "no YAML");
    } else {
        rc = take_document(policy, &document, err);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return rc;
}

static int read_file(struct policy *policy, const struct policy_options *options,
                     struct error *err)
{
    _cleanup_fclose_ FILE *file = fopen(options->file, "re");
    if (!file && errno == ENOENT && options->file_may_be_missing)
        return 0;
    if (!file)
        return error_set_errno(err, errno, "%s", options->file);
    if (parse_file(policy, file, err) != 0)
        return error_prefix(err, "%s", options->file);
    return 0;
}

/* ---- the policy ---- */

int policy_new(const struct policy_options *options, struct policy **out,
               struct error *err)
{
    _cleanup_(policy_freep) struct policy *policy = xcalloc(1, sizeof *policy);
    policy->enforce_scope = options->enforce_scope;
    if (set_defaults(policy, options->enforce_new_defaults, err) != 0 ||
        (options->file && read_file(policy, options, err) != 0))
        return -1;
    *out = steal(policy);
    return 0;
}

void policy_free(struct policy *policy)
{
    for (size_t i = 0; i < policy->rules.bucket_count; i++)
        for (struct map_entry *entry = policy->rules.buckets[i], *next; entry;
             entry = next) {
            struct rule *rule = map_owner(entry, struct rule, by_name);
            next = entry->next;
            policy_check_free(rule->check);
            free(rule->name);
            free(rule);
        }
    map_clear(&policy->rules);
    free(policy);
}

static const struct policy_check *check_of(const void *context, const char *name)
{
    const struct rule *rule = find(context, name);
    return rule ? rule->check : NULL;
}

/* Only /usages may be asked by a project. */
static bool scope_fits(const char *rule, const struct identity *identity)
{
    if (identity->system_scope)
        return true;
    return !identity->domain_id && strcmp(rule, "placement:usages") == 0;
}

int policy_enforce(const struct policy *policy, const char *rule,
                   const struct identity *identity, const char *project_id,
                   struct reply *reply)
{
    if (policy->enforce_scope && !scope_fits(rule, identity))
        return reply_problem(reply, 403, NULL, "%s", rule);
    const struct policy_question question = {.identity = identity,
                                             .project_id = project_id,
                                             .user_id = identity->user_id,
                                             .rule = check_of,
                                             .context = policy};
    const struct policy_check *check = check_of(policy, rule);
    if (check && policy_check_allows(check, &question))
        return 0;
    return reply_problem(reply, 403, NULL, "Policy does not allow %s to be performed.",
                         rule);
}
