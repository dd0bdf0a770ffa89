/* libFuzzer: any bytes as a configuration file, up to the typed options of both
 * programs.
 */
#include <stdint.h>
#include <stdlib.h>

#include "config/config.h"
#include "config/placementd_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ini ini = {0};
    struct config_problems problems = {0};
    ini_read_text(&ini, "fuzz", (const char *)data, size, &problems);

    struct config *config = config_from_ini(&ini, &problems);
    config_check_placement(config, &problems);
    config_free(config);

    struct placementd_config placementd = {0};
    options_apply(&placementd_options, &ini, NULL, &placementd, &problems);
    options_clear(&placementd_options, &placementd);

    for (size_t i = 0; i < problems.count; i++)
        free(config_problem_text(&problems.items[i]));
    config_problems_clear(&problems);
    ini_clear(&ini);
    return 0;
}
