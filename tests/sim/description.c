#include "tests/sim/description.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>

#include "lib/files.h"
#include "lib/json_read.h"
#include "lib/pci_address.h"
#include "lib/xalloc.h"

#define MAX_COUNT 4096

/* Only as sysfs itself spells it. */
bool pci_address_valid(const char *text)
{
    char spelled[PCI_ADDRESS_SIZE];
    return pci_address_normalise(text, spelled) && strcmp(spelled, text) == 0;
}

/* A misspelt member must not be taken for one that is missing. */
static int check_members(struct json_object *object, const char *const *known,
                         struct error *err)
{
    if (!json_object_is_type(object, json_type_object))
        return error_set(err, ERROR_INVALID, "expected an object, got %s",
                         json_kind(object));
    json_object_object_foreach (object, name, value) {
        (void)value;
        const char *const *k = known;
        while (*k && strcmp(*k, name) != 0)
            k++;
        if (!*k)
            return error_set(err, ERROR_INVALID, "%s: unknown member", name);
    }
    return 0;
}

static int get_number(struct json_object *object, const char *name, int64_t otherwise,
                      int64_t min, int64_t max, int64_t *out, struct error *err)
{
    *out = otherwise;
    if (json_member(object, name) && json_get_int64(object, name, out, err) != 0)
        return -1;
    if (*out < min || *out > max)
        return error_set(err, ERROR_INVALID, "%s: expected %lld to %lld", name,
                         (long long)min, (long long)max);
    return 0;
}

static int get_flag(struct json_object *object, const char *name, bool otherwise,
                    bool *out, struct error *err)
{
    *out = otherwise;
    return json_member(object, name) ? json_get_bool(object, name, out, err) : 0;
}

/* `text` with {x} and {d} replaced; NULL gives NULL. */
static char *numbered(const char *text, unsigned number)
{
    if (!text)
        return NULL;
    char *out;
    size_t size;
    FILE *stream = open_memstream(&out, &size);
    if (!stream)
        abort();
    while (*text) {
        if (strncmp(text, "{x}", 3) == 0 || strncmp(text, "{d}", 3) == 0) {
            fprintf(stream, text[1] == 'x' ? "%02x" : "%u", number);
            text += 3;
        } else {
            fputc(*text++, stream);
        }
    }
    fclose(stream);
    return out;
}

static int get_range(struct json_object *object, int64_t *first, int64_t *count,
                     struct error *err)
{
    if (get_number(object, "first", 0, 0, 1 << 20, first, err) != 0 ||
        get_number(object, "count", 1, 1, MAX_COUNT, count, err) != 0)
        return -1;
    return 0;
}

static int read_types(struct json_object *object, struct model *model,
                      struct error *err)
{
    static const char *const known[] = {
        "id", "name", "description", "device_api", "instances", "first", "count", NULL};
    const char *id, *name, *description, *device_api;
    int64_t instances, first, count;
    if (check_members(object, known, err) != 0 ||
        json_get_string(object, "id", &id, err) != 0 ||
        json_get_string_or_null(object, "name", &name, err) != 0 ||
        json_get_string_or_null(object, "description", &description, err) != 0 ||
        json_get_string_or_null(object, "device_api", &device_api, err) != 0 ||
        get_number(object, "instances", 0, 1, MAX_COUNT, &instances, err) != 0 ||
        get_range(object, &first, &count, err) != 0)
        return -1;
    for (int64_t n = first; n < first + count; n++) {
        struct type_description *type = array_add(model->types, model->type_count);
        type->id = numbered(id, (unsigned)n);
        type->name = numbered(name, (unsigned)n);
        type->description = numbered(description, (unsigned)n);
        type->device_api = xstrdup(device_api ? device_api : "vfio-pci");
        type->instances = (unsigned)instances;
        if (description)
            (void)sscanf(description,
                         "low_gm_size: %uMB\nhigh_gm_size: %uMB\nfence: %u",
                         &type->takes.low, &type->takes.high, &type->takes.fence);
    }
    return 0;
}

static int read_sriov(struct json_object *object, struct sriov_description *sriov,
                      struct error *err)
{
    static const char *const known[] = {"total", "offset", "stride", "by_hand", NULL};
    int64_t total, offset, stride;
    if (check_members(object, known, err) != 0 ||
        get_number(object, "total", 0, 1, 250, &total, err) != 0 ||
        get_number(object, "offset", 4, 1, 255, &offset, err) != 0 ||
        get_number(object, "stride", 1, 1, 255, &stride, err) != 0 ||
        get_flag(object, "by_hand", true, &sriov->by_hand, err) != 0)
        return -1;
    if (offset + stride * (total - 1) > 255)
        return error_set(err, ERROR_INVALID, "total: does not fit on one bus");
    sriov->total = (unsigned)total;
    sriov->offset = (unsigned)offset;
    sriov->stride = (unsigned)stride;
    return 0;
}

static int read_graphics(struct json_object *object, struct graphics *graphics,
                         struct error *err)
{
    static const char *const known[] = {"low", "high", "fence", NULL};
    int64_t low, high, fence;
    if (check_members(object, known, err) != 0 ||
        get_number(object, "low", 0, 1, MAX_COUNT, &low, err) != 0 ||
        get_number(object, "high", 0, 1, MAX_COUNT, &high, err) != 0 ||
        get_number(object, "fence", 0, 1, MAX_COUNT, &fence, err) != 0)
        return -1;
    *graphics = (struct graphics){(unsigned)low, (unsigned)high, (unsigned)fence};
    return 0;
}

static int read_sharing(struct json_object *object, struct model *model,
                        struct error *err)
{
    const char *sharing, *exhausted;
    if (json_get_string_or_null(object, "sharing", &sharing, err) != 0 ||
        json_get_string_or_null(object, "exhausted", &exhausted, err) != 0)
        return -1;
    model->mixed = sharing && strcmp(sharing, "mixed") == 0;
    if (sharing && !model->mixed && strcmp(sharing, "one-type") != 0)
        return error_set(err, ERROR_INVALID,
                         "sharing: expected \"one-type\" or \"mixed\"");
    model->exhausted = exhausted && strcmp(exhausted, "EUSERS") == 0 ? EUSERS : ENOSPC;
    if (exhausted && model->exhausted == ENOSPC && strcmp(exhausted, "ENOSPC") != 0)
        return error_set(err, ERROR_INVALID,
                         "exhausted: expected \"ENOSPC\" or \"EUSERS\"");
    return 0;
}

/* Types that functions are given have a name each, and numbers for their ids. */
static int check_interface(const struct model *model, struct error *err)
{
    for (size_t i = 0;
         model->interface == INTERFACE_VENDOR_VFIO && i < model->type_count; i++) {
        const struct type_description *type = &model->types[i];
        if (!type->name || type->id[strspn(type->id, "0123456789")])
            return error_set(
                err, ERROR_INVALID,
                "types[%zu]: of vendor-vfio: expected a number for the id, "
                "and a name",
                i);
    }
    return 0;
}

static int read_interface(struct json_object *object, struct model *model,
                          struct error *err)
{
    static const char *const names[] = {[INTERFACE_MDEV] = "mdev",
                                        [INTERFACE_VENDOR_VFIO] = "vendor-vfio",
                                        [INTERFACE_FIXED] = "fixed",
                                        [INTERFACE_NONE] = "none",
                                        [INTERFACE_XE] = "xe"};
    const char *interface;
    if (json_get_string_or_null(object, "interface", &interface, err) != 0)
        return -1;
    for (size_t i = 0; interface && i < sizeof names / sizeof *names; i++)
        if (strcmp(interface, names[i]) == 0) {
            model->interface = (enum interface)i;
            return 0;
        }
    return !interface ? 0
                      : error_set(err, ERROR_INVALID,
                                  "interface: expected \"mdev\", \"vendor-vfio\", "
                                  "\"fixed\", \"xe\" or \"none\"");
}

static int read_model(struct json_object *object, struct model *model,
                      struct error *err)
{
    static const char *const known[] = {"vendor",    "device", "class", "driver",
                                        "sharing",   "sriov",  "types", "exhausted",
                                        "interface", "vram",   "gvtg",  NULL};
    const char *vendor, *device, *class, *driver;
    int64_t vram;
    struct json_object *types, *sriov = json_member(object, "sriov");
    struct json_object *gvtg = json_member(object, "gvtg");
    if (check_members(object, known, err) != 0 ||
        json_get_string_or_null(object, "vendor", &vendor, err) != 0 ||
        json_get_string_or_null(object, "device", &device, err) != 0 ||
        json_get_string_or_null(object, "class", &class, err) != 0 ||
        json_get_string(object, "driver", &driver, err) != 0 ||
        read_sharing(object, model, err) != 0 ||
        read_interface(object, model, err) != 0 ||
        get_number(object, "vram", 0, 0, 1 << 20, &vram, err) != 0 ||
        json_get_array(object, "types", &types, err) != 0)
        return -1;
    model->vendor = xstrdup(vendor);
    model->device = xstrdup(device);
    model->class = xstrdup(class ? class : "0x030000");
    model->driver = xstrdup(driver);
    model->vram = (uint64_t)vram;
    if (sriov) {
        if (json_get_object(object, "sriov", &sriov, err) != 0)
            return -1;
        if (read_sriov(sriov, &model->sriov, err) != 0)
            return error_prefix(err, "sriov");
    }
    if (gvtg && (json_get_object(object, "gvtg", &gvtg, err) != 0 ||
                 read_graphics(gvtg, &model->graphics, err) != 0))
        return error_prefix(err, "gvtg");
    for (size_t i = 0; i < json_object_array_length(types); i++)
        if (read_types(json_object_array_get_idx(types, i), model, err) != 0)
            return error_prefix(err, "types[%zu]", i);
    return check_interface(model, err);
}

static const struct model *find_model(const struct description *description,
                                      const char *name)
{
    for (size_t i = 0; i < description->model_count; i++)
        if (strcmp(description->models[i]->name, name) == 0)
            return description->models[i];
    return NULL;
}

static int read_nodes(struct json_object *object, unsigned number,
                      struct card_description *card, struct error *err)
{
    struct json_object *nodes = json_member(object, "nodes");
    if (!nodes)
        return 0;
    if (json_get_array(object, "nodes", &nodes, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(nodes); i++) {
        const char *node = json_object_get_string(json_object_array_get_idx(nodes, i));
        _cleanup_free_ char *name = numbered(node, number);
        strlist_add(&card->nodes, name);
    }
    return 0;
}

static int read_cards(struct json_object *object, struct description *description,
                      struct error *err)
{
    static const char *const known[] = {"model",   "path",  "numa_node",  "numvfs",
                                        "first",   "count", "sriov_mode", "group",
                                        "console", "nodes", NULL};
    const char *model_name, *path, *group;
    int64_t first, count, numa_node, numvfs;
    bool sriov_mode, console;
    if (check_members(object, known, err) != 0 ||
        json_get_string(object, "model", &model_name, err) != 0 ||
        json_get_string(object, "path", &path, err) != 0 ||
        get_number(object, "numa_node", -1, -1, 1023, &numa_node, err) != 0 ||
        json_get_string_or_null(object, "group", &group, err) != 0 ||
        get_flag(object, "console", false, &console, err) != 0 ||
        get_flag(object, "sriov_mode", true, &sriov_mode, err) != 0 ||
        get_range(object, &first, &count, err) != 0)
        return -1;
    const struct model *model = find_model(description, model_name);
    if (!model)
        return error_set(err, ERROR_INVALID, "model: \"%s\" is none of the models",
                         model_name);
    if (get_number(object, "numvfs", 0, 0, model->sriov.total, &numvfs, err) != 0)
        return -1;
    for (int64_t n = first; n < first + count; n++) {
        struct card_description *card =
            array_add(description->cards, description->card_count);
        card->model = model;
        card->path = numbered(path, (unsigned)n);
        card->numa_node = (int)numa_node;
        card->numvfs = (unsigned)numvfs;
        card->sriov_mode = sriov_mode;
        card->group = numbered(group, (unsigned)n);
        card->console = console;
        if (read_nodes(object, (unsigned)n, card, err) != 0)
            return -1;
        const char *slash = strrchr(card->path, '/');
        if (!slash)
            return error_set(err, ERROR_INVALID,
                             "path: expected the bus and the device, as in "
                             "\"pci0000:80/0000:84:00.0\"");
        if (model->vendor && !pci_address_valid(slash + 1))
            return error_set(err, ERROR_INVALID, "path: %s is no PCI address",
                             slash + 1);
    }
    return 0;
}

static int read_host(struct json_object *object, struct description *description,
                     struct error *err)
{
    static const char *const known[] = {"models",   "cards",   "mdev", "iommu",
                                        "vfio_pci", "comment", NULL};
    struct json_object *models, *cards;
    if (check_members(object, known, err) != 0 ||
        json_get_object(object, "models", &models, err) != 0 ||
        json_get_array(object, "cards", &cards, err) != 0 ||
        get_flag(object, "mdev", true, &description->mdev, err) != 0 ||
        get_flag(object, "iommu", true, &description->iommu, err) != 0 ||
        get_flag(object, "vfio_pci", true, &description->vfio_pci, err) != 0)
        return -1;
    json_object_object_foreach (models, name, value) {
        struct model *model = xcalloc(1, sizeof *model);
        *array_add(description->models, description->model_count) = model;
        model->name = xstrdup(name);
        if (read_model(value, model, err) != 0)
            return error_prefix(err, "models.%s", name);
    }
    for (size_t i = 0; i < json_object_array_length(cards); i++)
        if (read_cards(json_object_array_get_idx(cards, i), description, err) != 0)
            return error_prefix(err, "cards[%zu]", i);
    return 0;
}

int description_parse(const char *text, size_t length, struct description **out,
                      struct error *err)
{
    _cleanup_json_ struct json_object *document = NULL;
    if (json_parse(text, length, &document, err) != 0)
        return -1;
    _cleanup_(description_freep) struct description *description =
        xcalloc(1, sizeof *description);
    if (read_host(document, description, err) != 0)
        return -1;
    *out = steal(description);
    return 0;
}

int description_read(const char *file, struct description **out, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    if (file_read_at(AT_FDCWD, file, 1 << 20, &text, &length, err) != 0)
        return -1;
    if (description_parse(text, length, out, err) != 0)
        return error_prefix(err, "%s", file);
    return 0;
}

static void free_model(struct model *model)
{
    for (size_t i = 0; i < model->type_count; i++) {
        free(model->types[i].id);
        free(model->types[i].name);
        free(model->types[i].description);
        free(model->types[i].device_api);
    }
    free(model->types);
    free(model->name);
    free(model->vendor);
    free(model->device);
    free(model->class);
    free(model->driver);
    free(model);
}

void description_free(struct description *description)
{
    if (!description)
        return;
    for (size_t i = 0; i < description->model_count; i++)
        free_model(description->models[i]);
    for (size_t i = 0; i < description->card_count; i++) {
        free(description->cards[i].path);
        free(description->cards[i].group);
        strlist_clear(&description->cards[i].nodes);
    }
    free(description->models);
    free(description->cards);
    free(description);
}
