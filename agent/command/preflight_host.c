#include "agent/command/preflight_host.h"

#include "agent/daemon/attach_place.h"
#include "agent/report/preflight_look.h"
#include "lib/xalloc.h"

struct preflight preflight_of_host(const struct config *config, const char *sysfs_root,
                                   const struct host *host)
{
    _cleanup_preflight_seen_ struct preflight_seen seen = {0};
    preflight_look(config, sysfs_root, host, &seen);
    struct attach_place place = attach_place_look(config);
    seen.libvirt.looked = true;
    seen.libvirt.wanted = place.wanted;
    seen.libvirt.obstacle = xstrdup(place.reason);
    attach_place_clear(&place);
    return preflight_judge(&seen);
}

char *preflight_text(const struct preflight_item *item)
{
    return xasprintf("%s: %s%s%s", item->check, item->found, item->remedy ? "; " : "",
                     item->remedy ? item->remedy : "");
}

void preflight_warn(const struct preflight *preflight, struct config_problems *problems)
{
    for (size_t i = 0; i < preflight->count; i++) {
        const struct preflight_item *item = &preflight->items[i];
        if (item->state != PREFLIGHT_MISSING || !item->of_configuration)
            continue;
        _cleanup_free_ char *text = preflight_text(item);
        config_warning(problems, NULL, "%s", text);
    }
}
