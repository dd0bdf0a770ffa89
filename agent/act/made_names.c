#include "agent/act/made_names.h"

#include <string.h>

#include "lib/xalloc.h"

void made_names_unwanted(const struct journal *journal, const struct config *config,
                         const struct desired_tree *desired, struct strlist *traits,
                         struct strlist *classes)
{
    _cleanup_strlist_ struct strlist wanted = desired_traits(desired);
    for (size_t i = 0; i < journal->made_traits.count; i++)
        if (!strlist_contains(&wanted, journal->made_traits.items[i]))
            strlist_add(traits, journal->made_traits.items[i]);
    strlist_clear(&wanted);
    for (size_t i = 0; i < config->type_count; i++)
        strlist_add_unique(&wanted, config->types[i].mdev_class);
    for (size_t i = 0; i < desired->provider_count; i++)
        if (!desired->providers[i].is_card)
            strlist_add_unique(&wanted, desired->providers[i].resource_class);
    for (size_t i = 0; i < journal->made_classes.count; i++)
        if (!strlist_contains(&wanted, journal->made_classes.items[i]))
            strlist_add(classes, journal->made_classes.items[i]);
}

/* What the deletion of one kind of name needs. */
struct deletion {
    int (*delete)(struct placement_client *client, const char *name, struct error *err);
    struct strlist *made; /* the journal's */
    struct placement_client *client;
    bool *changed;
    struct error *err;
};

static int delete_all(const struct deletion *with, const struct strlist *names)
{
    int rc = 0;
    for (size_t i = 0; i < names->count; i++) {
        struct error err;
        int failed = with->delete (with->client, names->items[i], &err);
        if (failed && err.code == ERROR_BUSY) /* a provider has it */
            continue;
        if (!failed || err.code == ERROR_NOT_FOUND)
            *with->changed |= strlist_remove(with->made, names->items[i]);
        else if (rc == 0) {
            *with->err = err;
            rc = -1;
        }
    }
    return rc;
}

int made_names_delete(struct placement_client *client, const struct strlist *traits,
                      const struct strlist *classes, struct journal *journal,
                      bool *changed, struct error *err)
{
    struct error of_classes;
    struct deletion traits_with = {placement_delete_trait, &journal->made_traits,
                                   client, changed, err};
    struct deletion classes_with = {placement_delete_class, &journal->made_classes,
                                    client, changed, &of_classes};
    *changed = false;
    int rc = delete_all(&traits_with, traits);
    if (delete_all(&classes_with, classes) != 0 && rc == 0) {
        *err = of_classes;
        rc = -1;
    }
    return rc;
}
