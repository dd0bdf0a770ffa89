/*
 * ini: reads INI files in oslo.config's dialect, with inih, into one flat list.
 *
 * inih splits lines into names and values. The reader that gives inih its lines does
 * what inih cannot do: it counts lines, knows where a section or a continued value
 * starts and ends in oslo.config's sense, and refuses, with file and line, what inih
 * would silently drop, cut or truncate. The dialect: sections match without regard to
 * case, options with regard to it; `#` and `;` start a comment only in the first
 * column; a line that starts with white space continues the value before it; `=` or `:`
 * after the name; a pair of quotes around the whole value is removed.
 *
 * inih's settings are variables of the process: only one thread may read configuration
 * at a time.
 */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problems.h"
#include "lib/cleanup.h"
#include "lib/strlist.h"

#define INI_FILE_MAX ((size_t)4 << 20)       /* bytes of a file */
#define INI_LINE_MAX (((size_t)1 << 20) - 3) /* bytes of a line, without its end */

struct ini_entry {
    char *section, *name;      /* as written; the section without its brackets */
    char *value;               /* without quotes; continued lines are joined by "\n" */
    bool quoted;               /* it had quotes around it */
    bool unclosed;             /* it was one quote and nothing else */
    size_t file;               /* which of the files, from 0, in the order of reading */
    struct config_place place; /* its file is borrowed from the struct ini */
};

struct ini_section {
    char *name;
    struct config_place place; /* its file is borrowed from the struct ini */
};

/* All zero is empty. Entries and sections stand in the order of reading. */
struct ini {
    struct strlist files;
    struct ini_entry *entries;
    size_t entry_count;
    struct ini_section *sections; /* one for each header, repeated ones too */
    size_t section_count;
    bool incomplete; /* a file, or a line, could not be read */
};

/* Reads one more file, whose text is in memory; `name` stands for it in places. What
 * cannot be read is added to `problems`, the rest is kept. */
void ini_read_text(struct ini *ini, const char *name, const char *text, size_t length,
                   struct config_problems *problems);

void ini_clear(struct ini *ini);
#define _cleanup_ini_ _cleanup_(ini_clear)

#endif
