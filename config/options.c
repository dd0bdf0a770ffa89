#include "config/options.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "config/ini_files.h"
#include "config/slip.h"
#include "config/substitute.h"
#include "config/value.h"
#include "lib/nearest.h"
#include "lib/xalloc.h"

/* ---- which entry of the files an option gets ---- */

static bool same_name(const char *written, const char *name, bool hyphens)
{
    if (!hyphens)
        return strcmp(written, name) == 0;
    for (; *written && *name; written++, name++)
        if (*written != *name &&
            !((*written == '-' || *written == '_') && (*name == '-' || *name == '_')))
            return false;
    return *written == *name;
}

static bool matches(const struct ini_entry *entry, const char *section,
                    const char *name, bool hyphens)
{
    return strcasecmp(entry->section, section) == 0 &&
           same_name(entry->name, name, hyphens);
}

/* An old name is "name", or "section.name" where it moved between sections. */
static bool matches_old(const struct ini_entry *entry, const char *section,
                        const char *old, bool hyphens)
{
    const char *dot = strchr(old, '.');
    if (!dot)
        return matches(entry, section, old, hyphens);
    size_t length = (size_t)(dot - old);
    return strlen(entry->section) == length &&
           strncasecmp(entry->section, old, length) == 0 &&
           same_name(entry->name, dot + 1, hyphens);
}

/* The rank of the entry's name among the names of the option, 0 the best; -1: it is
 * none of them. */
static int rank(const struct option_spec *option, const char *const *sections,
                const struct ini_entry *entry)
{
    const char *const own[] = {option->section, NULL};
    int place = 0;
    for (sections = sections ? sections : own; *sections; sections++) {
        if (matches(entry, *sections, option->name, option->hyphens))
            return place + (option->hyphens && strchr(entry->name, '-'));
        place += 2;
        for (const char *const *old = option->old_names; old && *old; old++, place += 2)
            if (matches_old(entry, *sections, *old, option->hyphens))
                return place;
    }
    return -1;
}

/* Searches the entries from `first` on, those of one file, or of all with ANY_FILE. */
#define ANY_FILE SIZE_MAX
static const struct ini_entry *find_from(const struct option_spec *option,
                                         const struct ini *ini,
                                         const char *const *sections, size_t first,
                                         size_t file)
{
    const struct ini_entry *best = NULL;
    int best_rank = 0;
    for (size_t i = first; i < ini->entry_count; i++) {
        if (file != ANY_FILE && ini->entries[i].file != file)
            break;
        const struct ini_entry *entry = &ini->entries[i];
        int entry_rank = rank(option, sections, entry);
        if (entry_rank >= 0 &&
            (!best || entry->file > best->file || entry_rank <= best_rank)) {
            best = entry;
            best_rank = entry_rank;
        }
    }
    return best;
}

static const struct ini_entry *find(const struct option_spec *option,
                                    const struct ini *ini, const char *const *sections)
{
    return find_from(option, ini, sections, 0, ANY_FILE);
}

static const struct option_spec *spec(const struct option_table *table,
                                      const char *section, const char *name)
{
    for (size_t i = 0; i < table->option_count; i++) {
        const struct option_spec *option = &table->options[i];
        if (strcmp(option->section, section) == 0 && strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

const struct ini_entry *options_entry(const struct option_table *table,
                                      const struct ini *ini, const char *section,
                                      const char *name, const char *const *sections)
{
    const struct option_spec *option = spec(table, section, name);
    return option ? find(option, ini, sections) : NULL;
}

/* ---- values ---- */

static void set_default(const struct option_spec *option, void *values)
{
    value_clear(option, values);
    if (!option->default_value)
        return;
    int rc = value_set(option, option->default_value, values, NULL);
    assert(rc == 0); /* the table refuses its own default */
    (void)rc;
}

/* A name or a secret may look odd on purpose: nova-compute accepts it, too. */
static bool may_be_odd(const struct option_spec *option)
{
    return option->secret ||
           (option->type == OPTION_STRING && !option->choices && !option->pattern);
}

/* Warns of a value that is accepted but is probably not the intended one. */
static void check_slip(const struct option_spec *option, const struct ini_entry *entry,
                       const char *text, void *values, struct config_problems *problems)
{
    _cleanup_free_ char *item = NULL;
    const char *slip = slip_find(entry, option, text, &item);
    if (!slip)
        return;
    if (!may_be_odd(option)) {
        config_error(problems, &entry->place, "%s.%s: '%.200s' is not accepted: %s",
                     entry->section, entry->name, item ? item : text, slip);
        set_default(option, values);
    } else if (option->secret) {
        config_warning(problems, &entry->place,
                       "%s.%s: the value is taken as it stands: %s", entry->section,
                       entry->name, slip);
    } else {
        config_warning(problems, &entry->place,
                       "%s.%s: '%.200s' is taken as it stands: %s", entry->section,
                       entry->name, text, slip);
    }
}

static void set_from_text(const struct option_spec *option,
                          const struct ini_entry *entry, const char *text, void *values,
                          struct config_problems *problems)
{
    struct error err;
    if (value_set(option, text, values, &err) == 0) {
        check_slip(option, entry, text, values, problems);
        return;
    }
    _cleanup_free_ char *item = NULL;
    const char *slip = slip_find(entry, option, text, &item);
    config_error(problems, &entry->place, "%s.%s: %s%s%s", entry->section, entry->name,
                 err.text, slip ? "; " : "", slip ? slip : "");
}

static void set_from_entry(const struct option_spec *option, const struct ini *ini,
                           const struct option_table *table,
                           const struct ini_entry *entry, void *values,
                           struct config_problems *problems)
{
    _cleanup_free_ char *text = NULL;
    struct error err;
    set_default(option, values);
    if (substitute(table, ini, entry, &text, &err) != 0)
        config_error(problems, &entry->place, "%s.%s: %s", entry->section, entry->name,
                     err.text);
    else if (*text)
        set_from_text(option, entry, text, values, problems);
    else if (entry->unclosed)
        config_error(problems, &entry->place,
                     "%s.%s: one quote and nothing else; expected a pair of them, or a "
                     "value",
                     entry->section, entry->name);
    if (text && option->secret)
        explicit_bzero(text, strlen(text));
}

void options_apply(const struct option_table *table, const struct ini *ini,
                   const char *const *sections, void *values,
                   struct config_problems *problems)
{
    for (size_t i = 0; i < table->option_count; i++) {
        const struct option_spec *option = &table->options[i];
        const struct ini_entry *entry = find(option, ini, sections);
        if (entry)
            set_from_entry(option, ini, table, entry, values, problems);
        else
            set_default(option, values);
    }
}

int options_override(const struct option_table *table, void *values,
                     const char *section, const char *name, const char *text,
                     const char *from, struct error *err)
{
    const struct option_spec *option = spec(table, section, name);
    if (!option)
        return error_set(err, ERROR_NOT_FOUND, "%s: no option %s.%s", from, section,
                         name);
    return value_set(option, text, values, err) == 0 ? 0
                                                     : error_prefix(err, "%s", from);
}

char *options_accepted(const struct option_table *table, const char *section,
                       const char *name)
{
    const struct option_spec *option = spec(table, section, name);
    return option ? value_accepted(option) : NULL;
}

void options_clear(const struct option_table *table, void *values)
{
    for (size_t i = 0; i < table->option_count; i++)
        value_clear(&table->options[i], values);
}

/* ---- options that are set more than once ---- */

static void warn_beaten(const struct ini_entry *entry, const struct ini_entry *winner,
                        struct config_problems *problems)
{
    bool same = strcasecmp(entry->section, winner->section) == 0 &&
                strcmp(entry->name, winner->name) == 0;
    if (same)
        config_warning(
            problems, &entry->place,
            "%s.%s: not used: line %u sets it again, and the last one counts",
            entry->section, entry->name, winner->place.line);
    else
        config_warning(problems, &entry->place,
                       "%s.%s: not used: line %u has %s.%s, which is the same option",
                       entry->section, entry->name, winner->place.line, winner->section,
                       winner->name);
}

static void warn_repeated(const struct option_spec *option, const struct ini *ini,
                          const char *const *sections, struct config_problems *problems)
{
    const struct ini_entry *winner = NULL; /* in the file of the last match */
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (rank(option, sections, entry) < 0)
            continue;
        if (!winner || winner->file != entry->file)
            winner = find_from(option, ini, sections, i, entry->file);
        if (winner != entry)
            warn_beaten(entry, winner, problems);
    }
}

void options_warn_repeated(const struct option_table *table, const struct ini *ini,
                           const char *const *sections,
                           struct config_problems *problems)
{
    for (size_t i = 0; i < table->option_count; i++)
        warn_repeated(&table->options[i], ini, sections, problems);
}

/* ---- names that the table does not know ---- */

const struct option_spec *options_of_entry(const struct option_table *table,
                                           const char *table_section,
                                           const struct ini_entry *entry)
{
    const char *const sections[] = {entry->section, NULL};
    for (size_t i = 0; i < table->option_count; i++)
        if (strcmp(table->options[i].section, table_section) == 0 &&
            rank(&table->options[i], sections, entry) >= 0)
            return &table->options[i];
    return NULL;
}

char *options_nearest(const struct option_table *const *tables,
                      const char *table_section, const char *name)
{
    _cleanup_strlist_ struct strlist names = {0}, near = {0};
    for (; *tables; tables++)
        for (size_t i = 0; i < (*tables)->option_count; i++)
            if (strcmp((*tables)->options[i].section, table_section) == 0)
                strlist_add(&names, (*tables)->options[i].name);
    nearest_names(name, (const char *const *)names.items, names.count, &near);
    return near.count ? xstrdup(near.items[0]) : NULL;
}

void options_say_unknown(const struct ini_entry *entry, const char *place,
                         const char *meant, bool refused,
                         struct config_problems *problems)
{
    _cleanup_free_ char *text =
        place   ? xasprintf("not used; it belongs into [%s]", place)
        : meant ? xasprintf("unknown option; did you mean %s?", meant)
                : xstrdup("unknown option, not used");
    (refused ? config_error : config_warning)(problems, &entry->place, "%s.%s: %s",
                                              entry->section, entry->name, text);
}

void options_warn_unknown(const struct option_table *table, const char *table_section,
                          const struct ini *ini, const char *section,
                          const char *(*place_of)(const char *name),
                          struct config_problems *problems)
{
    const struct option_table *const tables[] = {table, NULL};
    for (size_t i = 0; i < ini->entry_count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (strcasecmp(entry->section, section) != 0 ||
            options_of_entry(table, table_section, entry))
            continue;
        const char *place = place_of(entry->name);
        _cleanup_free_ char *near = options_nearest(tables, table_section, entry->name);
        options_say_unknown(entry, place, near, place, problems);
    }
}
