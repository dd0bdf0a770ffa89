#include "agent/state/known_types.h"

#include <stdio.h>
#include <string.h>

#include "agent/backend/backend.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

/* The card's first parent of a kind whose lists shrink, which has the same types as the
 * others; NULL: it has none. */
static const struct parent *parent_to_recall(const struct gpu *gpu)
{
    for (size_t i = 0; i < gpu->parent_count; i++) {
        const struct backend *backend = backend_find(gpu->parents[i].backend);
        if (backend && backend->recall)
            return &gpu->parents[i];
    }
    return NULL;
}

static void model_of(const struct gpu *gpu, char out[MODEL_SIZE])
{
    snprintf(out, MODEL_SIZE, "%04x:%04x", gpu->vendor, gpu->device);
}

/* ---- noting ---- */

/* Whether the driver is another one than that of the noted types: it gives one of their
 * ids to another name, or one of their names to another id. */
static bool is_of_another_driver(const struct journal *journal, const char *model,
                                 const struct parent *parent)
{
    for (size_t i = 0; i < journal->type_count; i++) {
        const struct journal_type *known = &journal->types[i];
        if (strcmp(known->model, model) != 0 ||
            strcmp(known->backend, parent->backend) != 0)
            continue;
        for (size_t j = 0; j < parent->type_count; j++) {
            const struct device_type *type = &parent->types[j];
            if (type->name && (strcmp(known->id, type->id) == 0) !=
                                  (strcmp(known->name, type->name) == 0))
                return true;
        }
    }
    return false;
}

static bool note_type(struct journal *journal, const char *model,
                      const struct parent *parent, const struct device_type *type)
{
    if (journal_find_type(journal, parent->backend, model, type->id))
        return false;
    struct journal_type *known = array_add(journal->types, journal->type_count);
    text_copy_array(known->backend, parent->backend);
    text_copy_array(known->model, model);
    known->id = xstrdup(type->id);
    known->name = xstrdup(type->name);
    return true;
}

bool known_types_note(struct journal *journal, const struct host *host)
{
    bool changed = false;
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct parent *parent = parent_to_recall(&host->gpus[i]);
        char model[MODEL_SIZE];
        if (!parent || !host->gpus[i].vendor)
            continue;
        model_of(&host->gpus[i], model);
        if (is_of_another_driver(journal, model, parent)) {
            journal_drop_types(journal, parent->backend, model);
            changed = true;
        }
        for (size_t j = 0; j < parent->type_count; j++)
            if (parent->types[j].name)
                changed |= note_type(journal, model, parent, &parent->types[j]);
    }
    return changed;
}

/* ---- putting ---- */

/* A card that does not answer may be of any model that is known: its type has still a
 * name then, and the card is sick instead of not configured. */
static void complete(const struct journal *journal, struct gpu *gpu,
                     const struct parent *parent)
{
    _cleanup_free_ struct known_type *known =
        xcalloc(journal->type_count + 1, sizeof *known);
    size_t count = 0;
    char model[MODEL_SIZE];
    model_of(gpu, model);
    for (size_t i = 0; i < journal->type_count; i++) {
        const struct journal_type *type = &journal->types[i];
        if (strcmp(type->backend, parent->backend) == 0 &&
            (!gpu->vendor || strcmp(type->model, model) == 0))
            known[count++] = (struct known_type){type->id, type->name};
    }
    backend_find(parent->backend)->recall(gpu, known, count);
}

void known_types_put(const struct journal *journal, struct host *host)
{
    bool any = false;
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct parent *parent = parent_to_recall(&host->gpus[i]);
        if (parent)
            complete(journal, &host->gpus[i], parent);
        any |= parent != NULL;
    }
    if (any)
        host_sort(host);
}

/* ---- one name ---- */

static bool is_called(const struct journal_type *type, const char *configured)
{
    const char *dash = strrchr(type->id, '-');
    return strcmp(type->id, configured) == 0 ||
           (dash && *configured && !configured[strspn(configured, "0123456789")] &&
            strcmp(dash + 1, configured) == 0);
}

const char *known_types_name(const struct journal *journal, const struct gpu *gpu,
                             const char *configured)
{
    const struct device_type *listed = gpu_resolve_type(gpu, configured);
    char model[MODEL_SIZE];
    if (listed)
        return listed->name;
    model_of(gpu, model);
    for (size_t i = 0; i < journal->type_count; i++)
        if (strcmp(journal->types[i].model, model) == 0 &&
            is_called(&journal->types[i], configured))
            return journal->types[i].name;
    return NULL;
}
