#include "config/nova_pci.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

static bool is_option(const struct ini_entry *entry, const char *section,
                      const char *name)
{
    return strcasecmp(entry->section, section) == 0 && strcmp(entry->name, name) == 0;
}

/* The old names are those that Nova still reads. */
static bool is_spec(const struct ini_entry *entry)
{
    return is_option(entry, "pci", "device_spec") ||
           is_option(entry, "pci", "passthrough_whitelist") ||
           is_option(entry, "DEFAULT", "pci_passthrough_whitelist");
}

static bool is_alias(const struct ini_entry *entry)
{
    return is_option(entry, "pci", "alias") || is_option(entry, "DEFAULT", "pci_alias");
}

bool nova_pci_has_section(const char *name)
{
    return strcasecmp(name, "pci") == 0 || strcasecmp(name, "filter_scheduler") == 0;
}

static bool is_true(const char *text)
{
    static const char *const words[] = {"true", "1", "on", "yes"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static struct nova_pci_value value_of(const struct ini_entry *entry)
{
    return (struct nova_pci_value){.text = xstrdup(entry->value),
                                   .place = config_place_copy(&entry->place)};
}

void nova_pci_apply(struct nova_pci_config *out, const struct ini *ini)
{
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (is_spec(entry))
            *array_add(out->specs, out->spec_count) = value_of(entry);
        else if (is_alias(entry))
            *array_add(out->aliases, out->alias_count) = value_of(entry);
        else if (is_option(entry, "pci", "report_in_placement"))
            out->report_in_placement = is_true(entry->value);
        else if (is_option(entry, "filter_scheduler", "pci_in_placement")) {
            out->pci_in_placement = is_true(entry->value);
            out->scheduler_known = true;
        }
    }
}

static void clear(struct nova_pci_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(values[i].text);
        config_place_clear(&values[i].place);
    }
    free(values);
}

void nova_pci_clear(struct nova_pci_config *config)
{
    clear(config->specs, config->spec_count);
    clear(config->aliases, config->alias_count);
    *config = (struct nova_pci_config){0};
}
