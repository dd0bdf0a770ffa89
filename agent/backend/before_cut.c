#include "agent/backend/before_cut.h"

#include <fcntl.h>
#include <string.h>

#include "agent/backend/nvidia_mig.h"
#include "agent/backend/program_run.h"
#include "lib/folder.h"
#include "lib/xalloc.h"

static bool has_devices(const struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        if (gpu->parents[i].device_count)
            return true;
    return false;
}

bool before_cut_is_for(const struct gpu *gpu, const char *type)
{
    return gpu->health == GPU_OK && gpu->partitions == 0 && !has_devices(gpu) &&
           gpu->driver && strcmp(gpu->driver, "nvidia") == 0 &&
           nvidia_mig_is_type(type);
}

int before_cut_run(const char *program, const struct device_place *place,
                   const char *card, const char *type, int64_t deadline,
                   struct error *err)
{
    _cleanup_free_ struct program_run *run = xcalloc(1, sizeof *run);
    char *const argv[] = {(char *)program, (char *)card, (char *)type, NULL};
    if (program_run(run, argv, deadline, err) != 0)
        return -1;
    _cleanup_close_ int root = folder_open(AT_FDCWD, place->use.root);
    if (root >= 0 && nvidia_mig_count(root, card) > 0)
        return 0;
    const char *said = program_last_line(run);
    if (!run->ended)
        return error_set(err, ERROR_TIMEOUT,
                         "%s %s %s did not end in time, and the card has no GPU "
                         "instance",
                         program, card, type);
    return error_set(err, ERROR_IO,
                     "%s %s %s has ended, and the card has no GPU instance%s%.200s",
                     program, card, type, *said ? ": " : "", said);
}
