/*
 * script_file: reads a file of cases in the format of
 * tests/unit/agent/plan/cases/README.rst: blocks of lines, each with its line number in
 * the file. A block is a case, or the beginning that cases of the file share. This
 * module does not know the commands.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_SCRIPT_FILE_H
#define TESTS_UNIT_AGENT_PLAN_SCRIPT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/cleanup.h"
#include "lib/error.h"

struct script_line {
    int number;
    char *text; /* without white space around it */
};

struct script_block {
    bool is_case;
    int number; /* the line of its name */
    char *name;
    struct script_line *lines;
    size_t line_count;
};

struct script_file {
    char *path;
    struct script_block *blocks;
    size_t block_count;
};

/* Reads a file. Fails with ERROR_INVALID, with file and line, where the format is
 * wrong. The caller frees with script_file_free(). */
int script_file_read(const char *path, struct script_file **out, struct error *err);
void script_file_free(struct script_file *file);
DEFINE_CLEANUP(struct script_file *, script_file_free)

/* The beginning of that name above the line; NULL: there is none. */
const struct script_block *script_file_beginning(const struct script_file *file,
                                                 const char *name, int above);

#endif
