#include "agent/command/check_paths.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "placement/model.h"

/* The unit makes this one at its start. */
#define UNITS_FOLDER "/var/lib/vgpu-agent"
/* What follows the root's name in the name of a GPU's provider, at least. */
#define CHILD_PART "_pci_0000_00_00_0"

static void check_program(const char *option, const char *path,
                          struct config_problems *problems)
{
    struct stat st;
    int errnum = !path || stat(path, &st) == 0 ? 0 : errno;
    if (!path || errnum == EACCES) /* who may not look does not know */
        return;
    if (errnum)
        config_error(problems, NULL, "%s: %s: %s; expected a program", option, path,
                     strerror(errnum));
    else if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        config_error(problems, NULL, "%s: %s is no program that can be run", option,
                     path);
}

static void check_state_folder(const char *state_file, struct config_problems *problems)
{
    _cleanup_free_ char *folder = xstrdup(state_file);
    char *slash = strrchr(folder, '/');
    struct stat st;
    if (!slash || slash == folder)
        return;
    *slash = 0;
    if (strcmp(folder, UNITS_FOLDER) != 0 && stat(folder, &st) != 0 && errno == ENOENT)
        config_warning(problems, NULL,
                       "agent.state_file: the folder %s is not there, and nobody makes "
                       "it: without it nothing can be noted, and so nothing is done",
                       folder);
}

static void check_root_name(const char *name, struct config_problems *problems)
{
    size_t most = PLACEMENT_MAX_PROVIDER_NAME - strlen(CHILD_PART);
    if (name && strlen(name) > most)
        config_error(
            problems, NULL,
            "agent.root_provider_name: it has %zu characters; expected at most "
            "%zu, since Placement takes names of %d, and those of the GPUs' "
            "providers begin with it",
            strlen(name), most, PLACEMENT_MAX_PROVIDER_NAME);
}

void check_paths(const struct config *config, struct config_problems *problems)
{
    check_program("agent.before_cut", config->agent.before_cut, problems);
    check_program("agent.sriov_manage", config->agent.sriov_manage, problems);
    check_state_folder(config->agent.state_file, problems);
    check_root_name(config->agent.root_provider_name, problems);
}
