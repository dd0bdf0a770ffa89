#include "config/config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/agent_options.h"
#include "config/devices.h"
#include "lib/xalloc.h"

/* oslo.config takes "[ devices ]" for another section than [devices], so Nova would see
 * none of it, and we would not either. */
static void check_blanks(const struct ini *ini, struct config_problems *problems)
{
    static const char *const ours[] = {"agent", "devices", "placement"};
    for (size_t i = 0; i < ini->section_count; i++) {
        const struct ini_section *section = &ini->sections[i];
        const char *start = section->name + strspn(section->name, " \t");
        size_t length = strlen(start);
        while (length && isspace((unsigned char)start[length - 1]))
            length--;
        if (length == strlen(section->name))
            continue;
        bool is_ours =
            strncasecmp(start, "mdev_", 5) == 0 || strncasecmp(start, "vgpu_", 5) == 0;
        for (size_t j = 0; j < OPTION_COUNT(ours); j++)
            is_ours = is_ours || (strlen(ours[j]) == length &&
                                  strncasecmp(start, ours[j], length) == 0);
        if (is_ours)
            config_error(
                problems, &section->place,
                "[%s]: blanks inside the brackets belong to the name; expected "
                "[%.*s]",
                section->name, (int)length, start);
    }
}

static void check_together(const struct config *config, const struct ini *ini,
                           struct config_problems *problems)
{
    const struct ini_entry *create_root =
        options_entry(&agent_options, ini, "agent", "create_root", NULL);
    if (create_root && config->agent.create_root && config->agent.mode == MODE_NOVA)
        config_error(problems, &create_root->place,
                     "agent.create_root: true, but agent.mode is nova, where "
                     "nova-compute makes the root; expected false");
}

struct config *config_read(const struct strlist *files, const struct strlist *dirs,
                           struct config_problems *problems)
{
    _cleanup_ini_ struct ini ini = {0};
    ini_read_all(&ini, files, dirs, problems);

    struct config *config = xcalloc(1, sizeof *config);
    options_apply(&agent_options, &ini, NULL, config, problems);
    placement_config_apply(&config->placement, &ini, "placement", problems);
    devices_apply(config, &ini, problems);
    options_warn_unknown(&agent_options, "agent", &ini, "agent", problems);
    options_warn_unknown(&agent_options, "devices", &ini, "devices", problems);
    check_blanks(&ini, problems);
    check_together(config, &ini, problems);
    return config;
}

int config_load(const struct strlist *files, const struct strlist *dirs,
                struct config **out, struct config_problems *problems)
{
    _cleanup_(config_freep) struct config *config = config_read(files, dirs, problems);
    if (config_has_errors(problems))
        return -1;
    *out = steal(config);
    return 0;
}

void config_check_placement(const struct config *config,
                            struct config_problems *problems)
{
    placement_config_check(&config->placement, problems);
}

void config_free(struct config *config)
{
    if (!config)
        return;
    devices_clear(config);
    placement_config_clear(&config->placement);
    options_clear(&agent_options, config);
    free(config);
}
