#include "agent/backend/xe_vf_scan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/virtual_function.h"
#include "agent/backend/xe_files.h"
#include "agent/host/capacity.h"
#include "agent/host/sysfs.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* A card while its functions are read. */
struct card {
    const struct scan *scan;
    const char *name;
    int folder;
    bool enabled;             /* its functions are */
    const char *bus_path;     /* "devices/pci0000:00/.../0000:03:00.0" */
    uint64_t memory_mib;      /* 0: it cannot be seen */
    struct xe_profile *found; /* of each function, in their order */
    size_t count;
};

static struct gpu *gpu_of(const struct card *card)
{
    return host_add_gpu(card->scan->host, card->name);
}

/* ---- types ---- */

static struct xe_profile profile_of(const struct vf_type_config *vf)
{
    struct xe_profile profile = {.vram_mib = vf->vram_mib,
                                 .quantum_ms = vf->exec_quantum_ms,
                                 .timeout_us = vf->preempt_timeout_us};
    text_copy_array(profile.priority, vf->sched_priority ? vf->sched_priority : "");
    return profile;
}

static struct device_type *add_type(struct parent *parent, const char *id, char *name,
                                    uint64_t vram_mib)
{
    struct device_type *type = array_add(parent->types, parent->type_count);
    type->id = xstrdup(id);
    type->name = name;
    type->device_api = xstrdup("vfio-pci");
    type->attributes.framebuffer_mib = (unsigned)vram_mib;
    return type;
}

static bool has_types(const struct config *config)
{
    for (size_t i = 0; config && i < config->type_count; i++)
        if (config->types[i].vf.vram_mib)
            return true;
    return false;
}

/* Before the functions are enabled one may have been given its share already, by an
 * agent that was killed then, or by hand: as a device of that type it can still be
 * made. */
static void add_types(const struct card *card, struct parent *parent,
                      const struct xe_profile *found)
{
    const struct config *config = card->scan->config;
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        struct xe_profile wanted = profile_of(&type->vf);
        if (!wanted.vram_mib)
            continue;
        struct device_type *added =
            add_type(parent, type->type, xe_profile_name(&wanted), wanted.vram_mib);
        added->available =
            !found->vram_mib || (!card->enabled && xe_profile_matches(&wanted, found));
    }
}

/* What no configured type is has its values for a name. */
static const struct device_type *type_found(struct parent *parent,
                                            const struct xe_profile *found)
{
    struct xe_profile wanted;
    for (size_t i = 0; i < parent->type_count; i++)
        if (xe_profile_parse(parent->types[i].name, &wanted) &&
            xe_profile_matches(&wanted, found))
            return &parent->types[i];
    char *name = xe_profile_name(found);
    return add_type(parent, name, name, found->vram_mib);
}

/* ---- functions ---- */

static bool read_profile(const struct card *card, struct gpu *gpu, int admin,
                         unsigned number, struct xe_profile *out)
{
    struct error err = {0};
    if (!card_may_read(card->scan, gpu, XE_QUOTA))
        return false;
    if (xe_read_profile(admin, out, &err) == 0)
        return true;
    if (!errno_is_gone(err.errnum))
        card_set_unreadable(gpu, XE_ADMIN "/vf%u/%s", number, err.text);
    return false;
}

/* A function that is not enabled has none. */
static void read_nodes(const struct card *card, struct device *device)
{
    _cleanup_free_ char *sibling = xasprintf("../%s", device->address);
    _cleanup_close_ int folder = folder_open(card->folder, sibling);
    if (folder >= 0)
        device_read_nodes(folder, device);
}

static void add_device(const struct card *card, struct parent *parent,
                       const struct xe_profile *found)
{
    struct device *device = parent_add_device(parent, parent->name);
    device->type_id = xstrdup(type_found(parent, found)->id);
    read_nodes(card, device);
}

/* A function that is not enabled while others are cannot be had without ending them. */
static bool is_there(const struct card *card, unsigned number)
{
    char link[32];
    snprintf(link, sizeof link, "virtfn%u", number - 1);
    return !card->enabled || faccessat(card->folder, link, F_OK, 0) == 0;
}

/* False: the card cannot have so many. */
static bool read_function(struct card *card, unsigned number)
{
    char name[PCI_ADDRESS_SIZE];
    _cleanup_close_ int admin = xe_open_admin(card->folder, number);
    if (admin < 0)
        return false;
    struct gpu *gpu = gpu_of(card);
    struct xe_profile found = {0};
    bool readable = read_profile(card, gpu, admin, number, &found);
    *array_add(card->found, card->count) = found;
    if (!is_there(card, number) ||
        !xe_function_name(card->folder, card->name, number, name) ||
        host_parent(card->scan->host, name, NULL))
        return true;
    struct parent *parent = gpu_add_parent(gpu, XE_VF_NAME, name);
    parent->path = xasprintf("%s/" XE_ADMIN "/vf%u", card->bus_path, number);
    add_types(card, parent, &found);
    for (size_t i = 0; i < parent->type_count && !readable; i++)
        parent->types[i].available = -1;
    if (found.vram_mib && card->enabled)
        add_device(card, parent, &found);
    else
        read_nodes(card, parent_add_place(parent, parent->name));
    return true;
}

/* ---- the card's memory ---- */

static uint64_t memory_given(const struct card *card)
{
    uint64_t given = 0;
    for (size_t i = 0; i < card->count; i++)
        given += card->found[i].vram_mib;
    return given;
}

/* Of the available functions, those that have their memory already. */
static unsigned count_prepared(const struct card *card, const struct device_type *type)
{
    struct xe_profile wanted;
    unsigned count = 0;
    if (card->enabled || !xe_profile_parse(type->name, &wanted))
        return 0;
    for (size_t i = 0; i < card->count; i++)
        count += xe_profile_matches(&wanted, &card->found[i]);
    return count;
}

/* How many of the type the card can have beside its devices. Where its memory cannot be
 * seen, only the next one is certain enough to be tried. */
static unsigned room_of(const struct card *card, const struct gpu *gpu,
                        const struct device_type *type)
{
    /* Functions that are free, or have the type's share but are not enabled yet. */
    unsigned available = gpu_offering_count(gpu, type->id);
    uint64_t given = memory_given(card);
    if (!card->memory_mib)
        return available ? 1 : 0;
    uint64_t left = card->memory_mib > given ? card->memory_mib - given : 0;
    uint64_t room =
        left / type->attributes.framebuffer_mib + count_prepared(card, type);
    return room < available ? (unsigned)room : available;
}

static void set_most(struct gpu *gpu, const char *type_id, unsigned exist,
                     unsigned room)
{
    for (size_t i = 0; i < gpu->parent_count; i++) {
        struct device_type *type =
            (struct device_type *)parent_type(&gpu->parents[i], type_id);
        if (!type)
            continue;
        type->attributes.max_instance = exist + room;
        type->attributes.beside_others = true;
        if (!room && type->available > 0)
            type->available = 0;
    }
}

/* Of each type the most; configured types stand on all parents, others where they
 * are. */
static void limit_types(const struct card *card, struct gpu *gpu)
{
    const struct config *config = card->scan->config;
    const struct parent *first = &gpu->parents[0];
    for (size_t i = 0; i < config->type_count; i++) {
        const struct device_type *type = parent_type(first, config->types[i].type);
        if (type)
            set_most(gpu, type->id, gpu_device_count(gpu, type->id),
                     room_of(card, gpu, type));
    }
}

/* ---- cards ---- */

static bool has_parents_of_ours(const struct gpu *gpu)
{
    return gpu->parent_count && strcmp(gpu->parents[0].backend, XE_VF_NAME) == 0;
}

static bool takes_quotas(int folder)
{
    return faccessat(folder, XE_ADMIN "/vf1/" XE_QUOTA, F_OK, 0) == 0;
}

/* The links are the kernel's own, so that this is seen of a card that hangs as well. */
static void read_card(const struct scan *scan, int cards, const char *name)
{
    char path[PCI_ADDRESS_SIZE + sizeof XE_ADMIN];
    if (!pci_address_parse(name, NULL) ||
        snprintf(path, sizeof path, "%s/" XE_ADMIN, name) >= (int)sizeof path ||
        faccessat(cards, path, F_OK, 0) != 0)
        return;
    _cleanup_close_ int folder = folder_open(cards, name);
    if (folder < 0 || !takes_quotas(folder))
        return;
    (void)card_of_function(scan, folder, name);
    _cleanup_free_ char *bus_path = function_path(cards, name);
    struct card card = {
        .scan = scan,
        .name = name,
        .folder = folder,
        .enabled = faccessat(folder, "virtfn0", F_OK, 0) == 0,
        .bus_path = bus_path,
        .memory_mib = xe_card_memory(cards, name),
    };
    for (unsigned number = 1; read_function(&card, number);)
        number++;
    struct gpu *gpu = host_add_gpu(scan->host, name);
    if (has_parents_of_ours(gpu))
        limit_types(&card, gpu);
    free(card.found);
}

int xe_vf_scan(const struct scan *scan, int root, struct error *err)
{
    if (!has_types(scan->config))
        return 0;
    return card_scan_list(scan, root, FUNCTIONS_FOLDER, read_card, err);
}
