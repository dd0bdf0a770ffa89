#include "placement/server/candidates/parameters.h"

#include <string.h>

#include "placement/server/schema/schema.h"

/* ---- which parameters there are, by microversion ---- */

/* Indexed by enum group_parameter. */
static const struct {
    const char *name;
    int since;
} prefixes[] = {{"in_tree", MICROVERSION_CANDIDATES_IN_TREE},
                {"member_of", MICROVERSION_CANDIDATES_AGGREGATES},
                {"required", MICROVERSION_CANDIDATES_TRAITS},
                {"resources", MICROVERSION_CANDIDATES}};
#define PREFIX_COUNT (sizeof prefixes / sizeof *prefixes)

static bool is_suffix(const char *text, int microversion)
{
    size_t length = strlen(text);
    if (length == 0)
        return true;
    if (microversion < MICROVERSION_REQUEST_GROUPS)
        return false;
    if (microversion < MICROVERSION_NAMED_GROUPS)
        return *text != '0' && strspn(text, "0123456789") == length;
    return length <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

enum group_parameter candidates_group_parameter(const char *name, int microversion,
                                                const char **suffix)
{
    for (size_t i = 0; i < PREFIX_COUNT; i++) {
        size_t length = strlen(prefixes[i].name);
        if (microversion >= prefixes[i].since &&
            strncmp(name, prefixes[i].name, length) == 0 &&
            is_suffix(name + length, microversion)) {
            *suffix = name + length;
            return (enum group_parameter)i;
        }
    }
    return NO_GROUP_PARAMETER;
}

/* ---- the schema of a query, by microversion ---- */

static const struct schema text_schema = {.type = SCHEMA_STRING};
static const struct schema limit_schema = {
    .type = SCHEMA_STRING, .pattern = &schema_positive, .min_length = 1};
static const char *const policies[] = {"none", "isolate", NULL};
static const struct schema policy_schema = {.type = SCHEMA_STRING, .words = policies};

/* Each later microversion knows one parameter more. The newest stands first, so that an
 * older microversion uses the rest of the list. */
static const struct schema_property before_groups[] = {
    {"member_of", &text_schema},
    {"required", &text_schema},
    {"limit", &limit_schema},
    {"resources", &text_schema, true},
    {0},
};
static const int since_before_groups[] = {MICROVERSION_CANDIDATES_AGGREGATES,
                                          MICROVERSION_CANDIDATES_TRAITS,
                                          MICROVERSION_CANDIDATES_LIMIT, 0};
static const struct schema_property with_groups[] = {
    {"same_subtree", &text_schema},
    {"root_required", &text_schema},
    {"limit", &limit_schema},
    {"group_policy", &policy_schema},
    {0},
};
static const int since_with_groups[] = {MICROVERSION_SAME_SUBTREE,
                                        MICROVERSION_ROOT_REQUIRED, 0};

static bool is_of_group(const char *name, int microversion)
{
    const char *suffix;
    return candidates_group_parameter(name, microversion, &suffix) !=
           NO_GROUP_PARAMETER;
}

static bool is_of_group_25(const char *name)
{
    return is_of_group(name, MICROVERSION_REQUEST_GROUPS);
}

static bool is_of_group_31(const char *name)
{
    return is_of_group(name, MICROVERSION_CANDIDATES_IN_TREE);
}

static bool is_of_group_33(const char *name)
{
    return is_of_group(name, MICROVERSION_NAMED_GROUPS);
}

/* The patterns as a refusal lists them, each between quotes. */
#define NUMBERED(prefix) "^" prefix "([1-9][0-9]*)?$"
#define NAMED(prefix) "^" prefix "([a-zA-Z0-9_-]{1,64})?$"
#define NEXT "', '"

static const struct schema_pattern groups_25 = {
    NUMBERED("member_of") NEXT NUMBERED("required") NEXT NUMBERED("resources"),
    is_of_group_25};
static const struct schema_pattern groups_31 = {
    NUMBERED("in_tree") NEXT NUMBERED("member_of") NEXT NUMBERED("required")
        NEXT NUMBERED("resources"),
    is_of_group_31};
static const struct schema_pattern groups_33 = {NAMED("in_tree") NEXT NAMED("member_of")
                                                    NEXT NAMED("required")
                                                        NEXT NAMED("resources"),
                                                is_of_group_33};

static const struct schema_property *known(const struct schema_property *all,
                                           const int *since, int microversion)
{
    while (microversion < *since)
        since++, all++;
    return all;
}

int candidates_parameters_check(const struct request *request, struct reply *reply)
{
    int microversion = request->microversion;
    struct schema schema = {.type = SCHEMA_OBJECT, .pattern_schema = &text_schema};
    if (microversion < MICROVERSION_REQUEST_GROUPS) {
        schema.properties = known(before_groups, since_before_groups, microversion);
    } else {
        schema.properties = known(with_groups, since_with_groups, microversion);
        schema.pattern_names = &groups_25;
    }
    if (microversion >= MICROVERSION_CANDIDATES_IN_TREE)
        schema.pattern_names = &groups_31;
    if (microversion >= MICROVERSION_NAMED_GROUPS)
        schema.pattern_names = &groups_33;
    return schema_check_query(&schema, request, reply);
}
