#include "agent/state/awaited_cards.h"

#include <string.h>

#include "agent/backend/passthrough_scan.h"

static bool has_other_kind(const struct journal *journal, const char *card)
{
    for (size_t i = 0; i < journal->device_count; i++) {
        const struct journal_device *entry = &journal->devices[i];
        if (!entry->released_at && strcmp(entry->gpu, card) == 0 &&
            strcmp(entry->backend, PASSTHROUGH_NAME) != 0)
            return true;
    }
    return false;
}

struct strlist awaited_cards(const struct journal *journal, const struct config *config)
{
    struct strlist cards = {0};
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        for (size_t j = 0; strcmp(type->type, PASSTHROUGH_TYPE) == 0 &&
                           j < type->device_addresses.count;
             j++)
            if (has_other_kind(journal, type->device_addresses.items[j]))
                strlist_add(&cards, type->device_addresses.items[j]);
    }
    return cards;
}
