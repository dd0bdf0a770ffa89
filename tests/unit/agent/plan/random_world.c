#include "tests/unit/agent/plan/random_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/agent/plan/plan_model_dump.h"
#include "tests/unit/test.h"

int chance_roll(struct chance *c, int sides)
{
    return (int)((unsigned long)(unsigned)jrand48(c->state) % (unsigned)sides);
}

void chance_uuid(const char *kind, int number, char out[UUID_TEXT_SIZE])
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", kind, number);
    uuid5_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8", name, out);
}

bool chance_is_migration(const char *consumer)
{
    for (int i = CONSUMERS; i < CONSUMERS + MIGRATIONS; i++) {
        char uuid[UUID_TEXT_SIZE];
        chance_uuid("consumer", i, uuid);
        if (strcmp(uuid, consumer) == 0)
            return true;
    }
    return false;
}

void chance_wrong(const struct chance *c, const char *what)
{
    _cleanup_free_ char *dump = model_dump(&c->model);
    fprintf(stderr, "%s\n", dump);
    fail_msg("seed %u, round %d: %s", c->seed, c->round, what);
}

/* ---- a host ---- */

static void make_gpu(struct chance *c)
{
    struct model *m = &c->model;
    struct model_gpu *gpu = &m->gpus[m->gpu_count];
    *gpu = (struct model_gpu){.mixed = chance_roll(c, 3) == 0};
    gpu->shared = !gpu->mixed && chance_roll(c, 3) == 0;
    snprintf(gpu->name, sizeof gpu->name, "%02d", 84 + m->gpu_count++);
    if (chance_roll(c, 2))
        gpu->vfs = 2 + chance_roll(c, 4);
    /* Free functions show an instance of each type, which only a shared card bounds. */
    gpu->shared |= gpu->mixed && gpu->vfs;
    gpu->mixed &= !gpu->vfs;
    gpu->type_count = 2;
    for (int i = 0; i < gpu->type_count; i++) {
        snprintf(gpu->types[i].id, sizeof gpu->types[i].id, "nvidia-%d", 35 + i);
        snprintf(gpu->types[i].name, sizeof gpu->types[i].name, "GRID T-%d", 35 + i);
        gpu->types[i].capacity = 1 + chance_roll(c, 4);
    }
}

/* Both types for one card, or for all cards. */
static void configure_several(struct chance *c)
{
    struct model *m = &c->model;
    bool mixed = chance_roll(c, 2), all = chance_roll(c, 2);
    _cleanup_free_ char *address =
        xasprintf("0000:%s:00.0", m->gpus[chance_roll(c, m->gpu_count)].name);
    m->type_count = 2;
    for (int i = 0; i < 2; i++) {
        struct model_config_type *type = &m->types[i];
        snprintf(type->type, sizeof type->type, "nvidia-%d", 35 + i);
        stpcpy(type->mdev_class, chance_roll(c, 6) ? "VGPU" : "CUSTOM_FAST");
        type->max_instances = chance_roll(c, 4) ? 0 : 2;
        type->several = !mixed;
        type->mixed = mixed;
        if (!all)
            MODEL_SET(type->addresses[type->address_count++], address);
    }
}

void chance_configure(struct chance *c)
{
    struct model *m = &c->model;
    memset(m->types, 0, sizeof m->types);
    m->type_count = 0;
    if (m->mode == MODE_OWNER && chance_roll(c, 3) == 0) {
        configure_several(c);
        return;
    }
    for (int i = 0; i < 2; i++) {
        if (chance_roll(c, 4) == 0)
            continue;
        struct model_config_type *type = &m->types[m->type_count++];
        snprintf(type->type, sizeof type->type, "nvidia-%d", 35 + i);
        stpcpy(type->mdev_class, chance_roll(c, 6) ? "VGPU" : "CUSTOM_FAST");
        type->max_instances = chance_roll(c, 4) ? 0 : 2;
        if (chance_roll(c, 3) == 0)
            stpcpy(type->traits[type->trait_count++], "CUSTOM_SITE");
        /* Only one type may be the default; the others need addresses. */
        if (i == 1 || m->type_count > 1) {
            _cleanup_free_ char *address =
                xasprintf("0000:%s:00.0", m->gpus[chance_roll(c, m->gpu_count)].name);
            stpcpy(type->addresses[type->address_count++], address);
        }
    }
}

bool chance_is_held_back(struct chance *c, const struct model_provider *p)
{
    const struct journal_provider *entry =
        journal_find_provider(c->model.journal, p->uuid);
    for (size_t i = 0; entry && i < entry->inventory_count; i++)
        if (entry->inventories[i].overruled)
            return true;
    return false;
}

void chance_make(struct chance *c, unsigned seed)
{
    *c = (struct chance){
        .seed = seed,
        .state = {(unsigned short)seed, (unsigned short)(seed >> 16), 0x330e}};
    for (int i = 0; i < 8; i++)
        (void)jrand48(c->state);
    model_init(&c->model);
    for (int i = 1 + chance_roll(c, 3); i > 0; i--)
        make_gpu(c);
    c->model.mode = chance_roll(c, 5) ? MODE_OWNER : MODE_NOVA;
    const char *mode = getenv("PLAN_MODE");
    if (mode)
        c->model.mode = strcmp(mode, "nova") == 0 ? MODE_NOVA : MODE_OWNER;
    chance_configure(c);
    c->model.create_root = chance_roll(c, 2);
    c->model.old_server = seed % 8 == 3; /* a Placement before microversion 1.26 */
    /* Little time passes in a world; with the short grace period it is enough for
     * removals. */
    c->model.grace = seed % 3 ? 60 : 3;
    c->model.drain_reserve = seed / 3 % 3 ? DRAIN_UNUSED : DRAIN_TOTAL;
    stpcpy(c->model.known_traits[c->model.known_trait_count++], "CUSTOM_FOREIGN");
    stpcpy(c->model.known_traits[c->model.known_trait_count++], "OWNER_NOVA");
}
