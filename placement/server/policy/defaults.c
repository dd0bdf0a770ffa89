#include "placement/server/policy/defaults.h"

#include <string.h>

enum guard { READ, WRITE, USAGES, RESHAPE, GUARDS };

static const struct {
    const char *name;
    enum guard guard;
} routes[] = {
    {"placement:resource_classes:list", READ},
    {"placement:resource_classes:create", WRITE},
    {"placement:resource_classes:show", READ},
    {"placement:resource_classes:update", WRITE},
    {"placement:resource_classes:delete", WRITE},
    {"placement:resource_providers:list", READ},
    {"placement:resource_providers:create", WRITE},
    {"placement:resource_providers:show", READ},
    {"placement:resource_providers:update", WRITE},
    {"placement:resource_providers:delete", WRITE},
    {"placement:resource_providers:inventories:list", READ},
    {"placement:resource_providers:inventories:create", WRITE},
    {"placement:resource_providers:inventories:show", READ},
    {"placement:resource_providers:inventories:update", WRITE},
    {"placement:resource_providers:inventories:delete", WRITE},
    {"placement:resource_providers:usages", READ},
    {"placement:resource_providers:aggregates:list", READ},
    {"placement:resource_providers:aggregates:update", WRITE},
    {"placement:resource_providers:traits:list", READ},
    {"placement:resource_providers:traits:update", WRITE},
    {"placement:resource_providers:traits:delete", WRITE},
    {"placement:resource_providers:allocations:list", READ},
    {"placement:allocations:manage", WRITE},
    {"placement:allocations:list", READ},
    {"placement:allocations:update", WRITE},
    {"placement:allocations:delete", WRITE},
    {"placement:allocation_candidates:list", READ},
    {"placement:traits:list", READ},
    {"placement:traits:show", READ},
    {"placement:traits:update", WRITE},
    {"placement:traits:delete", WRITE},
    {"placement:usages", USAGES},
    {"placement:reshaper:reshape", RESHAPE},
};

static const struct release {
    struct policy_default base[5]; /* what the routes' rules refer to */
    const char *guards[GUARDS];
} releases[] = {
    [POLICY_RELEASE_2023_1] =
        {
            {{"admin_api", "role:admin"},
             {"service_api", "role:service", true},
             {"admin_or_service_api", "role:admin or role:service", true},
             {"project_reader_api", "role:reader and project_id:%(project_id)s", true},
             {"admin_or_project_reader_or_service_api",
              "role:admin or rule:project_reader_api or role:service", true}},
            {[READ] = "rule:admin_or_service_api",
             [WRITE] = "rule:admin_or_service_api",
             [USAGES] = "rule:admin_or_project_reader_or_service_api",
             [RESHAPE] = "rule:service_api"},
        },
    [POLICY_RELEASE_ZED] =
        {
            {{"admin_api", "role:admin"},
             {"system_admin_api", "role:admin and system_scope:all", true},
             {"system_reader_api", "role:reader and system_scope:all", true},
             {"project_reader_api", "role:reader and project_id:%(project_id)s", true},
             {"system_or_project_reader",
              "rule:system_reader_api or rule:project_reader_api", true}},
            {[READ] = "rule:system_reader_api",
             [WRITE] = "rule:system_admin_api",
             [USAGES] = "rule:system_or_project_reader",
             [RESHAPE] = "rule:system_admin_api"},
        },
};

bool policy_default_at(enum policy_release release, size_t index,
                       struct policy_default *out)
{
    const struct release *of = &releases[release];
    size_t base_count = sizeof of->base / sizeof *of->base;
    if (index < base_count) {
        *out = of->base[index];
        return true;
    }
    index -= base_count;
    if (index >= sizeof routes / sizeof *routes)
        return false;
    *out = (struct policy_default){routes[index].name, of->guards[routes[index].guard],
                                   false};
    return true;
}

bool policy_default_fits_scope(enum policy_release release, const char *rule,
                               const struct identity *identity)
{
    bool of_project = !identity->system_scope && !identity->domain_id;
    if (release == POLICY_RELEASE_2023_1)
        return of_project;
    return identity->system_scope ||
           (of_project && strcmp(rule, "placement:usages") == 0);
}
