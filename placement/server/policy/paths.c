#include "placement/server/policy/paths.h"

#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"

#define LAST_PLACE "/etc/placement"

/* The path of the file where it exists; NULL when it does not. The caller frees. */
static char *look_for(const char *path, const struct strlist *places)
{
    if (*path == '/')
        return access(path, F_OK) == 0 ? xstrdup(path) : NULL;
    for (size_t i = 0; i <= places->count; i++) {
        const char *place = i < places->count ? places->items[i] : LAST_PLACE;
        _cleanup_free_ char *whole = xasprintf("%s/%s", place, path);
        if (access(whole, F_OK) == 0)
            return steal(whole);
    }
    return NULL;
}

int policy_paths_file(const struct placementd_config *config,
                      const struct strlist *places, char **out, struct error *err)
{
    const char *file = config->oslo_policy.policy_file;
    char *found = file ? look_for(file, places) : NULL;
    if (file && !found && strcmp(file, "policy.yaml") != 0)
        return error_set(err, ERROR_NOT_FOUND, "oslo_policy.policy_file: no file %s%s",
                         file, *file == '/' ? "" : " beside the configuration");
    *out = found;
    return 0;
}

void policy_paths_folders(const struct placementd_config *config,
                          const struct strlist *places, struct strlist *out)
{
    const struct strlist *names = &config->oslo_policy.policy_dirs;
    for (size_t i = 0; i < names->count; i++) {
        char *found = look_for(names->items[i], places);
        if (found)
            strlist_add_take(out, found);
    }
}
