#include "placement/server/policy/defaults.h"

enum guard { READ, WRITE, USAGES, RESHAPE, GUARDS };

static const struct {
    const char *name;
    enum guard guard;
} rules[POLICY_RULES] = {
    [POLICY_OPEN] = {NULL},
    [POLICY_RESOURCE_CLASSES_LIST] = {"placement:resource_classes:list", READ},
    [POLICY_RESOURCE_CLASSES_CREATE] = {"placement:resource_classes:create", WRITE},
    [POLICY_RESOURCE_CLASSES_SHOW] = {"placement:resource_classes:show", READ},
    [POLICY_RESOURCE_CLASSES_UPDATE] = {"placement:resource_classes:update", WRITE},
    [POLICY_RESOURCE_CLASSES_DELETE] = {"placement:resource_classes:delete", WRITE},
    [POLICY_RESOURCE_PROVIDERS_LIST] = {"placement:resource_providers:list", READ},
    [POLICY_RESOURCE_PROVIDERS_CREATE] = {"placement:resource_providers:create", WRITE},
    [POLICY_RESOURCE_PROVIDERS_SHOW] = {"placement:resource_providers:show", READ},
    [POLICY_RESOURCE_PROVIDERS_UPDATE] = {"placement:resource_providers:update", WRITE},
    [POLICY_RESOURCE_PROVIDERS_DELETE] = {"placement:resource_providers:delete", WRITE},
    [POLICY_RESOURCE_PROVIDERS_INVENTORIES_LIST] =
        {"placement:resource_providers:inventories:list", READ},
    [POLICY_RESOURCE_PROVIDERS_INVENTORIES_CREATE] =
        {"placement:resource_providers:inventories:create", WRITE},
    [POLICY_RESOURCE_PROVIDERS_INVENTORIES_SHOW] =
        {"placement:resource_providers:inventories:show", READ},
    [POLICY_RESOURCE_PROVIDERS_INVENTORIES_UPDATE] =
        {"placement:resource_providers:inventories:update", WRITE},
    [POLICY_RESOURCE_PROVIDERS_INVENTORIES_DELETE] =
        {"placement:resource_providers:inventories:delete", WRITE},
    [POLICY_RESOURCE_PROVIDERS_USAGES] = {"placement:resource_providers:usages", READ},
    [POLICY_RESOURCE_PROVIDERS_AGGREGATES_LIST] =
        {"placement:resource_providers:aggregates:list", READ},
    [POLICY_RESOURCE_PROVIDERS_AGGREGATES_UPDATE] =
        {"placement:resource_providers:aggregates:update", WRITE},
    [POLICY_RESOURCE_PROVIDERS_TRAITS_LIST] =
        {"placement:resource_providers:traits:list", READ},
    [POLICY_RESOURCE_PROVIDERS_TRAITS_UPDATE] =
        {"placement:resource_providers:traits:update", WRITE},
    [POLICY_RESOURCE_PROVIDERS_TRAITS_DELETE] =
        {"placement:resource_providers:traits:delete", WRITE},
    [POLICY_RESOURCE_PROVIDERS_ALLOCATIONS_LIST] =
        {"placement:resource_providers:allocations:list", READ},
    [POLICY_ALLOCATIONS_MANAGE] = {"placement:allocations:manage", WRITE},
    [POLICY_ALLOCATIONS_LIST] = {"placement:allocations:list", READ},
    [POLICY_ALLOCATIONS_UPDATE] = {"placement:allocations:update", WRITE},
    [POLICY_ALLOCATIONS_DELETE] = {"placement:allocations:delete", WRITE},
    [POLICY_ALLOCATION_CANDIDATES_LIST] = {"placement:allocation_candidates:list",
                                           READ},
    [POLICY_TRAITS_LIST] = {"placement:traits:list", READ},
    [POLICY_TRAITS_SHOW] = {"placement:traits:show", READ},
    [POLICY_TRAITS_UPDATE] = {"placement:traits:update", WRITE},
    [POLICY_TRAITS_DELETE] = {"placement:traits:delete", WRITE},
    [POLICY_USAGES] = {"placement:usages", USAGES},
    [POLICY_RESHAPER_RESHAPE] = {"placement:reshaper:reshape", RESHAPE},
};

static const struct release {
    struct policy_default base[5]; /* what the guards refer to */
    const char *guards[GUARDS];
} since_2023_1 = {{{"admin_api", "role:admin"},
                   {"service_api", "role:service", true},
                   {"admin_or_service_api", "role:admin or role:service", true},
                   {"project_reader_api", "role:reader and project_id:%(project_id)s",
                    true},
                   {"admin_or_project_reader_or_service_api",
                    "role:admin or rule:project_reader_api or role:service", true}},
                  {[READ] = "rule:admin_or_service_api",
                   [WRITE] = "rule:admin_or_service_api",
                   [USAGES] = "rule:admin_or_project_reader_or_service_api",
                   [RESHAPE] = "rule:service_api"}},
  of_zed = {{{"admin_api", "role:admin"},
             {"system_admin_api", "role:admin and system_scope:all", true},
             {"system_reader_api", "role:reader and system_scope:all", true},
             {"project_reader_api", "role:reader and project_id:%(project_id)s", true},
             {"system_or_project_reader",
              "rule:system_reader_api or rule:project_reader_api", true}},
            {[READ] = "rule:system_reader_api",
             [WRITE] = "rule:system_admin_api",
             [USAGES] = "rule:system_or_project_reader",
             [RESHAPE] = "rule:system_admin_api"}};

static const struct release *const releases[] = {
    [POLICY_RELEASE_2024_2] = &since_2023_1,
    [POLICY_RELEASE_2023_1] = &since_2023_1,
    [POLICY_RELEASE_ZED] = &of_zed,
};

bool policy_default_at(enum policy_release release, size_t index,
                       struct policy_default *out)
{
    const struct release *of = releases[release];
    size_t base_count = sizeof of->base / sizeof *of->base;
    if (index < base_count) {
        *out = of->base[index];
        return true;
    }
    size_t rule = index - base_count + POLICY_OPEN + 1;
    if (rule >= POLICY_RULES)
        return false;
    *out =
        (struct policy_default){rules[rule].name, of->guards[rules[rule].guard], false};
    return true;
}

bool policy_default_fits_scope(enum policy_release release, enum policy_rule rule,
                               const struct identity *identity)
{
    bool of_project = !identity->system_scope && !identity->domain_id;
    if (releases[release] == &since_2023_1)
        return of_project;
    return identity->system_scope || (of_project && rules[rule].guard == USAGES);
}

const char *policy_rule_name(enum policy_rule rule)
{
    return rules[rule].name;
}
