#include "placement/server/policy/policy.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/map.h"
#include "lib/xalloc.h"
#include "placement/server/policy/check.h"
#include "placement/server/policy/defaults.h"
#include "placement/server/policy/file.h"

struct rule {
    char *name, *text;
    struct policy_check *check;
    int height; /* how many rules refer to the next one from here on; 0: not looked at */
    bool open;  /* it is on the way that is being looked at */
    struct map_entry by_name;
};

struct policy {
    struct map rules;
    enum policy_release release;
    bool enforce_scope;
};

static struct rule *find(const struct policy *policy, const char *name)
{
    return map_owner(map_find(&policy->rules, name), struct rule, by_name);
}

static int set_rule(void *context, const char *name, const char *text,
                    struct error *err)
{
    struct policy *policy = context;
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
        free(rule->text);
    }
    rule->text = xstrdup(text);
    rule->check = check;
    return 0;
}

/* ---- the rules that no file has replaced ---- */

/* A file that sets the deprecated rule replaces this one by it, unless the deprecated
 * one only refers to this one. */
static const char *text_of(const struct policy *policy,
                           const struct policy_default *rule)
{
    const struct rule *old = find(policy, POLICY_OLD_NAME);
    if (!rule->was_admin || !old ||
        (strncmp(old->text, "rule:", 5) == 0 && strcmp(old->text + 5, rule->name) == 0))
        return rule->rule;
    return old->text;
}

static int set_default(struct policy *policy, const struct policy_default *default_,
                       bool only_new, struct error *err)
{
    const char *text = text_of(policy, default_);
    if (find(policy, default_->name))
        return 0;
    if (set_rule(policy, default_->name, text, err) != 0)
        return -1;
    struct policy_check *old;
    if (!default_->was_admin || only_new || text != default_->rule)
        return 0;
    if (policy_check_parse(POLICY_OLD_RULE, &old, err) != 0)
        return -1;
    struct rule *rule = find(policy, default_->name);
    rule->check = policy_check_either(rule->check, old);
    return 0;
}

static int set_defaults(struct policy *policy, bool only_new, struct error *err)
{
    struct policy_default next;
    for (size_t i = 0; policy_default_at(policy->release, i, &next); i++)
        if (set_default(policy, &next, only_new, err) != 0)
            return -1;
    return 0;
}

/* ---- files ---- */

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type != DT_DIR;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(struct policy *policy, const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_shown, by_name), rc = 0;
    if (count < 0)
        return error_set_errno(err, errno, "%s", folder);
    for (int i = 0; i < count; i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", folder, entries[i]->d_name);
        if (rc == 0)
            rc = policy_file_read(path, set_rule, policy, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int read_files(struct policy *policy, const struct policy_options *options,
                      struct error *err)
{
    if (options->file && policy_file_read(options->file, set_rule, policy, err) != 0)
        return -1;
    for (size_t i = 0; options->folders && i < options->folders->count; i++)
        if (read_folder(policy, options->folders->items[i], err) != 0)
            return -1;
    return 0;
}

/* ---- rules that refer to rules ---- */

/* An unknown rule is the one called "default", if there is one, as in oslo.policy. */
static struct rule *find_or_default(const struct policy *policy, const char *name)
{
    struct rule *rule = find(policy, name);
    return rule ? rule : find(policy, "default");
}

/* The way from a rule to the one that is looked at. */
struct way {
    const struct policy *policy;
    struct rule *rules[POLICY_CHECK_DEPTH + 1];
    int count;
};

static int refuse_cycle(const struct way *way, const struct rule *rule,
                        struct error *err)
{
    _cleanup_strlist_ struct strlist names = {0};
    int i = 0;
    while (way->rules[i] != rule)
        i++;
    for (; i < way->count; i++)
        strlist_add(&names, way->rules[i]->name);
    strlist_add(&names, rule->name);
    _cleanup_free_ char *text = strlist_join(&names, " -> ");
    return error_set(err, ERROR_INVALID, "rule %s refers to itself: %s", rule->name,
                     text);
}

/* An unknown name in the rule "default" itself is no rule at all. */
static struct rule *next_on(const struct way *way, const char *name)
{
    struct rule *from = way->count > 0 ? way->rules[way->count - 1] : NULL;
    struct rule *rule = find_or_default(way->policy, name);
    return rule && rule == from && strcmp(rule->name, name) != 0 ? NULL : rule;
}

static int follow(void *context, const char *name, struct error *err)
{
    struct way *way = context;
    struct rule *rule = next_on(way, name);
    if (!rule)
        return 0;
    if (rule->open)
        return refuse_cycle(way, rule, err);
    bool is_new = rule->height == 0;
    rule->height = is_new ? 1 : rule->height;
    if (way->count + rule->height > POLICY_CHECK_DEPTH + 1)
        return error_set(err, ERROR_INVALID,
                         "rule %s: more than %d rules refer to the next one",
                         way->rules[0]->name, POLICY_CHECK_DEPTH);
    if (is_new) {
        rule->open = true;
        way->rules[way->count++] = rule;
        int rc = policy_check_references(rule->check, follow, way, err);
        way->count--;
        rule->open = false;
        if (rc != 0)
            return -1;
    }
    struct rule *from = way->count > 0 ? way->rules[way->count - 1] : rule;
    if (from != rule && from->height <= rule->height)
        from->height = rule->height + 1;
    return 0;
}

/* A file may be that of several services. The rules that Placement does not ask for are
 * not its to refuse. */
static void warn_of_others(const struct policy *policy)
{
    struct way way = {.policy = policy};
    struct error err;
    for (size_t i = 0; i < policy->rules.bucket_count; i++)
        for (struct map_entry *entry = policy->rules.buckets[i]; entry;
             entry = entry->next)
            if (follow(&way, map_owner(entry, struct rule, by_name)->name, &err) != 0)
                log_warning("policy", "%s; no rule of Placement needs it", err.text);
}

/* Rules that refer to themselves would allow nothing, and nobody would know why. */
static int check_references(const struct policy *policy, struct error *err)
{
    struct way way = {.policy = policy};
    struct policy_default rule;
    for (size_t i = 0; policy_default_at(policy->release, i, &rule); i++)
        if (follow(&way, rule.name, err) != 0)
            return -1;
    warn_of_others(policy);
    return 0;
}

/* ---- the policy ---- */

int policy_new(const struct policy_options *options, struct policy **out,
               struct error *err)
{
    _cleanup_(policy_freep) struct policy *policy = xcalloc(1, sizeof *policy);
    policy->release = options->release;
    policy->enforce_scope = options->enforce_scope;
    if (read_files(policy, options, err) != 0 ||
        set_defaults(policy, options->enforce_new_defaults, err) != 0 ||
        check_references(policy, err) != 0)
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
            free(rule->text);
            free(rule);
        }
    map_clear(&policy->rules);
    free(policy);
}

static const struct policy_check *check_of(const void *context, const char *name)
{
    const struct rule *rule = find_or_default(context, name);
    return rule ? rule->check : NULL;
}

int policy_enforce(const struct policy *policy, enum policy_rule rule,
                   const struct identity *identity, const char *project_id,
                   const char *user_id, struct reply *reply)
{
    const char *name = policy_rule_name(rule);
    if (rule == POLICY_OPEN)
        return 0;
    if (policy->enforce_scope &&
        !policy_default_fits_scope(policy->release, rule, identity))
        return reply_problem(reply, 403, NULL, "%s", name);
    const struct policy_question question = {.identity = identity,
                                             .project_id = project_id,
                                             .user_id = user_id,
                                             .rule = check_of,
                                             .context = policy};
    const struct policy_check *check = check_of(policy, name);
    if (check && policy_check_allows(check, &question))
        return 0;
    return reply_problem(reply, 403, NULL, "Policy does not allow %s to be performed.",
                         name);
}
