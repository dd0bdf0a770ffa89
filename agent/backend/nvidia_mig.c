#include "agent/backend/nvidia_mig.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/backend/mdev_scan.h"
#include "agent/host/capacity.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "lib/xalloc.h"

#define DRIVER "proc/driver/nvidia"
#define MINOR "Device Minor:"
#define INFORMATION_MAX 65536

/* ---- instances ---- */

/* gpus/<card>/information has "Device Minor: \t 0". */
long nvidia_device_minor(int root, const char *card)
{
    _cleanup_free_ char *path = xasprintf(DRIVER "/gpus/%s/information", card);
    _cleanup_free_ char *text = NULL;
    if (file_read_at(root, path, INFORMATION_MAX, &text, NULL, NULL) != 0)
        return -1;
    const char *line = strstr(text, MINOR);
    char *end;
    errno = 0;
    long minor = line ? strtol(line + strlen(MINOR), &end, 10) : -1;
    return !line || errno || end == line + strlen(MINOR) || minor < 0 ? -1 : minor;
}

/* capabilities/gpu<minor>/mig/gi<number>, a folder for each. A card that cannot be cut
 * has no such folder. */
int nvidia_mig_count(int root, const char *card)
{
    long minor = nvidia_device_minor(root, card);
    if (minor < 0)
        return -1;
    _cleanup_free_ char *path = xasprintf(DRIVER "/capabilities/gpu%ld/mig", minor);
    _cleanup_folder_ DIR *folder = folder_open_list(root, path);
    int errnum = folder ? 0 : errno, count = 0;
    const char *name;
    while (folder && (name = folder_next(folder, &errnum)))
        count += strncmp(name, "gi", 2) == 0;
    return errnum && !errno_is_gone(errnum) ? -1 : count;
}

/* ---- types ---- */

/* The shape that the type is for, "1-5" of "A100-1-5C" and "1-5ME" of "A100-1-5CME". The
 * caller frees; NULL: it is no MIG-backed type. */
static char *shape_of(const char *name)
{
    const char *size = name ? strrchr(name, '-') : NULL;
    if (!size)
        return NULL;
    const char *slices = size;
    while (slices > name && isdigit((unsigned char)slices[-1]))
        slices--;
    size_t digits = strspn(size + 1, "0123456789");
    const char *letters = size + 1 + digits;
    size_t count = strspn(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (slices == size || slices == name || slices[-1] != '-' || !digits || !count ||
        letters[count])
        return NULL;
    bool media = count > 2 && strcmp(letters + count - 2, "ME") == 0;
    return xasprintf("%.*s%s", (int)(letters - slices), slices, media ? "ME" : "");
}

bool nvidia_mig_is_type(const char *name)
{
    _cleanup_free_ char *shape = shape_of(name);
    return shape != NULL;
}

/* Whether the types that the card offers or has are for instances of the one shape. */
static bool has_one_shape(const struct gpu *gpu, const char *shape)
{
    for (size_t i = 0; i < gpu->parent_count; i++)
        for (size_t j = 0; j < gpu->parents[i].type_count; j++) {
            const struct device_type *type = &gpu->parents[i].types[j];
            if (!gpu_offering_count(gpu, type->id) && !gpu_device_count(gpu, type->id))
                continue;
            _cleanup_free_ char *other = shape_of(type->name);
            if (!other || strcmp(other, shape) != 0)
                return false;
        }
    return true;
}

static int count_devices(const struct gpu *gpu)
{
    int count = 0;
    for (size_t i = 0; i < gpu->parent_count; i++)
        count += (int)gpu->parents[i].device_count;
    return count;
}

unsigned nvidia_mig_room(const struct gpu *gpu, const struct device_type *type)
{
    _cleanup_free_ char *shape = shape_of(type->name);
    int devices = count_devices(gpu);
    if (!gpu_offering_count(gpu, type->id))
        return 0;
    return shape && gpu->partitions > devices && has_one_shape(gpu, shape)
               ? (unsigned)(gpu->partitions - devices)
               : 1;
}

/* ---- mdevs ---- */

static void limit_types(struct gpu *gpu, const struct parent *like)
{
    for (size_t i = 0; i < like->type_count; i++) {
        if (!nvidia_mig_is_type(like->types[i].name))
            continue;
        unsigned most = gpu_device_count(gpu, like->types[i].id) +
                        nvidia_mig_room(gpu, &like->types[i]);
        for (size_t j = 0; j < gpu->parent_count; j++) {
            struct device_type *type =
                (struct device_type *)parent_type(&gpu->parents[j], like->types[i].id);
            if (!type || !most)
                continue;
            if (!type->attributes.max_instance || type->attributes.max_instance > most)
                type->attributes.max_instance = most;
            type->attributes.beside_others = true;
        }
    }
}

void nvidia_mig_limit(struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++) {
        struct gpu *gpu = &host->gpus[i];
        if (gpu->partitions > 0 && gpu->parent_count &&
            strcmp(gpu->parents[0].backend, MDEV_NAME) == 0)
            limit_types(gpu, &gpu->parents[0]);
    }
}
