#include "tests/unit/placement/server/candidates/random_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static size_t slots_of(const struct group *group)
{
    size_t classes = 0;
    for (int i = 0; i < CLASSES; i++)
        classes += group->amounts[i] > 0;
    return *group->suffix ? 1 : classes;
}

bool random_group_asks(const struct group *group)
{
    for (int i = 0; i < CLASSES; i++)
        if (group->amounts[i] > 0)
            return true;
    return group->required[0].bits || group->required[1].bits ||
           group->member_of[0].bits || group->member_of[1].bits;
}

static void make_any(struct any any[2], unsigned choices, bool many)
{
    for (int i = 0; i < 2; i++) {
        if (!random_one_in(4))
            continue;
        any[i].bits = 1U << random_below(choices);
        if (many && random_one_in(2))
            any[i].bits |= 1U << random_below(choices);
    }
}

/* A required set that is all forbidden is refused: that is another test's matter. */
static void drop_conflicts(struct group *group)
{
    for (int i = 0; i < 2; i++)
        if ((group->required[i].bits & ~group->forbidden) == 0)
            group->required[i].bits = 0;
}

static void make_group(const struct world *world, const struct spec *spec,
                       struct group *group)
{
    bool resourceless = spec->same_subtree && *group->suffix && random_one_in(4);
    for (int i = 0; i < CLASSES && !resourceless; i++)
        group->amounts[i] = random_one_in(2) ? 1 + random_below(3) : 0;
    if (slots_of(group) == 0 || (*group->suffix && !resourceless))
        if (!resourceless)
            group->amounts[random_below(CLASSES)] = 1 + random_below(3);
    int version = spec->microversion;
    if (version >= 17)
        make_any(group->required, TRAITS - 1, version >= 39);
    if (version >= 22 && random_one_in(5))
        group->forbidden = 1U << random_below(TRAITS - 1);
    if (version >= 24)
        make_any(group->member_of, AGGREGATES, true);
    if (version >= 32 && random_one_in(6))
        group->not_member_of = 1U << random_below(AGGREGATES);
    if (version >= 31 && random_one_in(6))
        group->in_tree =
            world->providers[random_below((unsigned)world->provider_count)];
    drop_conflicts(group);
    if (resourceless && !random_group_asks(group) && !group->forbidden)
        group->required[0].bits = 1; /* else there is nothing to write down */
}

struct spec random_spec_make(const struct world *world)
{
    static const int versions[] = {39, 39, 39, 39, 36, 35, 33, 29, 28, 25, 17, 10};
    static const char *const suffixes[] = {"", "1", "2"};
    struct spec spec = {.microversion = versions[random_below(12)]};
    spec.isolate = random_one_in(2);
    spec.same_subtree = spec.microversion >= 36 && random_one_in(3);
    if (spec.microversion >= 35 && random_one_in(5))
        spec.root_required = 1U << random_below(TRAITS - 1);
    if (spec.microversion >= 35 && random_one_in(8))
        spec.root_forbidden = 1U << random_below(TRAITS - 1);
    spec.root_forbidden &= ~spec.root_required;
    size_t slots = 0, most = spec.microversion >= 25 ? MAX_GROUPS : 1;
    for (size_t i = 0; i < most; i++) {
        if (most > 1 && random_one_in(3) && !(i == most - 1 && spec.group_count == 0))
            continue;
        struct group *group = &spec.groups[spec.group_count];
        *group = (struct group){.suffix = suffixes[i]};
        make_group(world, &spec, group);
        if (slots + slots_of(group) > MAX_SLOTS)
            continue;
        slots += slots_of(group);
        spec.group_count++;
    }
    return spec;
}

/* ---- as a query string ---- */

static void add_set(FILE *out, const char *name, const char *suffix, unsigned bits,
                    const char *(*spell)(const struct world *, int),
                    const struct world *world)
{
    const char *separator = (bits & (bits - 1)) != 0 ? "in:" : "";
    fprintf(out, "&%s%s=", name, suffix);
    for (int i = 0; i < 8; i++)
        if (bits & (1U << i)) {
            fprintf(out, "%s%s", separator, spell(world, i));
            separator = ",";
        }
}

static const char *trait_name(const struct world *world, int i)
{
    return world->traits[i]->name;
}

static const char *aggregate_uuid(const struct world *world, int i)
{
    return world->aggregates[i]->uuid;
}

/* Before 1.39 `required` counts once: all names in one value. */
static void add_required(FILE *out, const struct world *world, const struct spec *spec,
                         const struct group *group)
{
    if (spec->microversion >= 39) {
        for (int i = 0; i < 2; i++)
            if (group->required[i].bits)
                add_set(out, "required", group->suffix, group->required[i].bits,
                        trait_name, world);
        if (group->forbidden)
            fprintf(out, "&required%s=!%s", group->suffix,
                    trait_name(world, __builtin_ctz(group->forbidden)));
        return;
    }
    const char *separator = "";
    if (!group->required[0].bits && !group->required[1].bits && !group->forbidden)
        return;
    fprintf(out, "&required%s=", group->suffix);
    for (int i = 0; i < 2; i++)
        if (group->required[i].bits) {
            fprintf(out, "%s%s", separator,
                    trait_name(world, __builtin_ctz(group->required[i].bits)));
            separator = ",";
        }
    if (group->forbidden)
        fprintf(out, "%s!%s", separator,
                trait_name(world, __builtin_ctz(group->forbidden)));
}

static void add_group(FILE *out, const struct world *world, const struct spec *spec,
                      const struct group *group)
{
    const char *separator = "";
    for (int i = 0; i < CLASSES; i++)
        if (group->amounts[i] > 0) {
            if (!*separator)
                fprintf(out, "&resources%s=", group->suffix);
            fprintf(out, "%s%s:%d", separator, world->classes[i]->name,
                    (int)group->amounts[i]);
            separator = ",";
        }
    add_required(out, world, spec, group);
    for (int i = 0; i < 2; i++)
        if (group->member_of[i].bits)
            add_set(out, "member_of", group->suffix, group->member_of[i].bits,
                    aggregate_uuid, world);
    if (group->not_member_of)
        fprintf(out, "&member_of%s=!%s", group->suffix,
                aggregate_uuid(world, __builtin_ctz(group->not_member_of)));
    if (group->in_tree)
        fprintf(out, "&in_tree%s=%s", group->suffix, group->in_tree->uuid);
}

char *random_spec_query(const struct world *world, const struct spec *spec)
{
    char *text = NULL;
    const char *separator = "&same_subtree=";
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < spec->group_count; i++)
        add_group(out, world, spec, &spec->groups[i]);
    if (spec->microversion >= 25)
        fprintf(out, "&group_policy=%s", spec->isolate ? "isolate" : "none");
    for (size_t i = 0; spec->same_subtree && i < spec->group_count; i++)
        if (*spec->groups[i].suffix) {
            fprintf(out, "%s%s", separator, spec->groups[i].suffix);
            separator = ",";
        }
    if (spec->root_required || spec->root_forbidden)
        fprintf(out, "&root_required=%s%s%s",
                spec->root_required
                    ? trait_name(world, __builtin_ctz(spec->root_required))
                    : "",
                spec->root_required && spec->root_forbidden ? "," : "",
                spec->root_forbidden ? "!" : "");
    if (spec->root_forbidden)
        fputs(trait_name(world, __builtin_ctz(spec->root_forbidden)), out);
    fclose(out);
    return text;
}
