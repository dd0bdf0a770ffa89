#include "tests/unit/agent/plan/script_steps.h"

#include <string.h>

#include "lib/xalloc.h"

static char *gpu_text(const struct script *s, const struct step *step)
{
    return step->provider_name ? script_gpu_of_provider(s, step->provider_name)
                               : xstrdup("-");
}

static char *traits_text(const struct script *s, const struct step *step)
{
    _cleanup_strlist_ struct strlist parts = {0};
    struct model_provider nothing = {0};
    struct model_provider *p =
        model_provider((struct model *)&s->model, step->provider);
    if (!p)
        p = &nothing;
    for (size_t i = 0; i < step->traits.count; i++)
        if (!model_has_trait(p, step->traits.items[i]))
            strlist_add_take(&parts, xasprintf("+%s", step->traits.items[i]));
    for (int i = 0; i < p->trait_count; i++)
        if (!strlist_contains(&step->traits, p->traits[i]))
            strlist_add_take(&parts, xasprintf("-%s", p->traits[i]));
    strlist_sort(&parts);
    return strlist_join(&parts, " ");
}

static char *inventory_text(const struct step *step)
{
    _cleanup_strlist_ struct strlist parts = {0};
    for (size_t i = 0; i < step->inventory_count; i++) {
        const struct inventory *inventory = &step->inventories[i].inventory;
        _cleanup_free_ char *reserved =
            inventory->reserved ? xasprintf("/%ld", (long)inventory->reserved)
                                : xstrdup("");
        _cleanup_free_ char *ratio = inventory->allocation_ratio != 1.0
                                         ? xasprintf("*%g", inventory->allocation_ratio)
                                         : xstrdup("");
        strlist_add_take(&parts,
                         xasprintf("%s=%ld%s%s", step->inventories[i].resource_class,
                                   (long)inventory->total, reserved, ratio));
    }
    return parts.count ? strlist_join(&parts, " ") : xstrdup("none");
}

/* Gives a computed uuid its name "c1.0@84", whichever consumer and provider it is
 * computed for. */
static void label_device(struct script *s, const char *uuid)
{
    for (size_t i = 0; i < s->labels.count; i++)
        for (int p = 0; p < s->model.provider_count; p++)
            for (int index = 0; index < 4; index++) {
                _cleanup_free_ char *gpu =
                    script_gpu_of_provider(s, s->model.providers[p].name);
                _cleanup_free_ char *name =
                    xasprintf("%s.%d@%s", s->labels.items[i], index, gpu);
                char computed[UUID_TEXT_SIZE];
                _cleanup_free_ char *text =
                    xasprintf("%s:VGPU:%d", s->label_uuids.items[i], index);
                uuid5_text(s->model.providers[p].uuid, text, computed);
                if (strcmp(computed, uuid) == 0)
                    script_label(s, uuid, name);
            }
}

char *script_step_words(struct script *s, const struct step *step)
{
    _cleanup_free_ char *gpu = gpu_text(s, step), *detail = NULL;
    const struct journal_device *d = &step->device;
    if (d->uuid[0])
        label_device(s, d->uuid);
    const char *name = d->uuid[0] ? script_label_of(s, d->uuid) : "";
    switch (step->kind) {
    case STEP_CREATE_TRAIT:
        return xasprintf("trait %s", step->name);
    case STEP_CREATE_CLASS:
        return xasprintf("class %s", step->name);
    case STEP_CREATE_ROOT:
        return xstrdup("root");
    case STEP_CREATE_PROVIDER:
        return xasprintf("provider %s", gpu);
    case STEP_DELETE_PROVIDER:
        return xasprintf("delete %s", gpu);
    case STEP_NOTE_PROVIDER:
        return xasprintf("note %s", gpu);
    case STEP_FORGET_PROVIDER:
        return xasprintf("forgetprovider %s", gpu);
    case STEP_END_REBUILD:
        return xstrdup("rebuilt");
    case STEP_SET_TRAITS:
        detail = traits_text(s, step);
        return xasprintf("traits %s %s", gpu, detail);
    case STEP_SET_INVENTORY:
        detail = inventory_text(step);
        return xasprintf("inventory %s %s", gpu, detail);
    case STEP_CREATE_DEVICE:
        detail = d->parent[11] != '0' ? xasprintf(" vf=%d", d->parent[11] - '1')
                                      : xstrdup("");
        return xasprintf("create %s %s%s%s%s", name, d->type_id + strlen("nvidia-"),
                         detail, d->migration[0] ? " for " : "",
                         d->migration[0] ? script_label_of(s, d->migration) : "");
    case STEP_REMOVE_DEVICE:
        return xasprintf("remove %s", name);
    case STEP_SET_PARAMETERS:
        return xasprintf("parameters %s '%s'", name,
                         step->parameters ? step->parameters : "");
    case STEP_MARK_RELEASED:
        return xasprintf("release %s", name);
    case STEP_FORGET_DEVICE:
        return xasprintf("forget %s", name);
    case STEP_TAKE_DEVICE:
    case STEP_HAND_OVER_DEVICE:
        return xasprintf("%s %s %s.%u%s%s%s",
                         step->kind == STEP_TAKE_DEVICE ? "take" : "handover", name,
                         script_label_of(s, d->consumer), d->index,
                         d->adopted ? " adopted" : "", d->migration[0] ? " for " : "",
                         d->migration[0] ? script_label_of(s, d->migration) : "");
    }
    return NULL;
}
