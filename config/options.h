/*
 * options: the machinery between INI files and a program's struct of typed values. A
 * program describes its options once, in a constant table; parsing, defaults, messages,
 * `--help`, the sample file and the manual page all come from there. Adding an option
 * is one entry in the table and one field in the struct. Stateless.
 *
 * Precedence as in oslo.config: a later file wins over an earlier one; within a file
 * the current name wins over an old one, then the last line wins. An empty value means:
 * not set. `$name` and `${section.name}` stand for other options, `$$` for a dollar
 * sign.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/ini.h"
#include "config/problems.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* Accepted form, and the C type of the field where the value lands. */
enum option_type {
    OPTION_STRING,   /* char *; NULL: not set. `choices`, where given, narrow it */
    OPTION_PATH,     /* char *; absolute */
    OPTION_URL,      /* char *; http(s)://HOST[:PORT][/PATH] and nothing more: a user in
                        it would be a secret */
    OPTION_ADDRESS,  /* char *; "HOST:PORT", "[IPv6]:PORT" or "PORT" (on loopback): see
                        config/listen_address.h */
    OPTION_CHOICE,   /* unsigned or an enum: the index in `choices` */
    OPTION_BOOL,     /* bool */
    OPTION_INT,      /* int */
    OPTION_UNSIGNED, /* unsigned */
    OPTION_SECONDS,  /* unsigned */
    OPTION_NUMBER,   /* double */
    OPTION_LIST,     /* struct strlist; empty items are dropped, `choices` may narrow */
};

struct option_spec {
    const char *section, *name;
    enum option_type type;
    size_t offset;              /* of the field in the program's struct */
    const char *default_value;  /* as it would stand in a file; NULL: none */
    double minimum, maximum;    /* of numbers and times; both 0: as the type. Of
                                text and items, `maximum` is the length */
    const char *const *choices; /* NULL at the end */
    const char *pattern;        /* extended regular expression for text and each item */
    const char *accepted;       /* says in words what the pattern accepts */
    const char *const *old_names; /* NULL at the end; "name" or "section.name" */
    bool hyphens;        /* `-` in the name is as good as `_`, as with keystoneauth */
    bool secret;         /* its value is never shown */
    const char *example; /* for the sample file, where there is no default */
    const char *help;    /* whole sentences, the first one short: it is in --help */
};

struct option_section {
    const char *name;
    const char *example; /* for the sample file, where the name is a pattern */
    bool ours;           /* warn of unknown options in it */
    const char *help;
};

struct option_table {
    const struct option_section *sections;
    size_t section_count;
    const struct option_spec *options;
    size_t option_count;
};

/* One entry of a table, which does not compile unless the field has the C type of the
 * kind; further members may follow:
 *
 *     OPTION(SECONDS, struct config, "agent", "sync_interval", agent.sync_interval,
 *            "How often ...", .default_value = "30", .minimum = 1, .maximum = 86400)
 */
#define OPTION(kind, structure, section_, name_, field, help_, ...)     \
    {                                                                   \
        .section = (section_), .name = (name_), .type = OPTION_##kind,  \
        .offset = OPTION_OFFSET(structure, field, OPTION_CTYPE_##kind), \
        .help = (help_), ##__VA_ARGS__                                  \
    }

#define OPTION_CTYPE_STRING char *
#define OPTION_CTYPE_PATH char *
#define OPTION_CTYPE_URL char *
#define OPTION_CTYPE_ADDRESS char *
#define OPTION_CTYPE_CHOICE unsigned
#define OPTION_CTYPE_BOOL bool
#define OPTION_CTYPE_INT int
#define OPTION_CTYPE_UNSIGNED unsigned
#define OPTION_CTYPE_SECONDS unsigned
#define OPTION_CTYPE_NUMBER double
#define OPTION_CTYPE_LIST struct strlist

#define OPTION_OFFSET(structure, field, type)                                          \
    (offsetof(structure, field) +                                                      \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((structure *)0)->field), \
                                                  type)                                \
                         ? 1                                                           \
                         : -1]))

#define OPTION_COUNT(array) (sizeof(array) / sizeof *(array))

/* Sets every option of the table from the files, or to its default. `sections`, when
 * not NULL, replaces the options' own section: it lists the names of one section, the
 * current one first, then old ones, NULL at the end. */
void options_apply(const struct option_table *table, const struct ini *ini,
                   const char *const *sections, void *values,
                   struct config_problems *problems);

/* The entry that sets the option of the table; NULL when none does. `sections` as in
 * options_apply(). */
const struct ini_entry *options_entry(const struct option_table *table,
                                      const struct ini *ini, const char *section,
                                      const char *name, const char *const *sections);

/* Sets one option from the command line; `from` ("--listen") is named in the
 * message. */
int options_override(const struct option_table *table, void *values,
                     const char *section, const char *name, const char *text,
                     const char *from, struct error *err);

/* Warns of each line that sets an option of the table again in the same file, under
 * this name or another, and does not take effect. `sections` as in options_apply(). */
void options_warn_repeated(const struct option_table *table, const struct ini *ini,
                           const char *const *sections,
                           struct config_problems *problems);

/* Warns of options in the files' `section` that the table does not have in
 * `table_section`, with the most similar name. One that another section has is an error;
 * place_of() names that section, or NULL. */
void options_warn_unknown(const struct option_table *table, const char *table_section,
                          const struct ini *ini, const char *section,
                          const char *(*place_of)(const char *name),
                          struct config_problems *problems);
/* Adds the warning, or with `refused` the error, for an unknown option. `place` is the
 * section that has an option of that name; NULL: none. `meant` is the most similar name
 * of the option's own section; NULL: none is similar. */
void options_say_unknown(const struct ini_entry *entry, const char *place,
                         const char *meant, bool refused,
                         struct config_problems *problems);
/* The name in the tables (NULL at the end) that is most similar to `name`; NULL: none
 * is similar. The caller frees. */
char *options_nearest(const struct option_table *const *tables,
                      const char *table_section, const char *name);
/* The option of the table whose name, or old name, the entry has; NULL: none. */
const struct option_spec *options_of_entry(const struct option_table *table,
                                           const char *table_section,
                                           const struct ini_entry *entry);

/* "one of owner, nova": what the option accepts, for messages. The caller frees. */
char *options_accepted(const struct option_table *table, const char *section,
                       const char *name);

/* Frees what the fields hold, secrets overwritten first; the struct stays the
 * caller's. */
void options_clear(const struct option_table *table, void *values);

#endif
