/*
 * script_words: a plan_script while it runs: its world, the words of the current line,
 * and the names that it gives to uuids. All functions fail the test, with file, line
 * and case, where a line makes no sense.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_SCRIPT_WORDS_H
#define TESTS_UNIT_AGENT_PLAN_SCRIPT_WORDS_H

#include "tests/unit/agent/plan/plan_model.h"
#include "tests/unit/agent/plan/plan_script.h"

#define MAX_WORDS 16

struct script {
    const struct script_file *file;
    const struct script_block *running;
    int line; /* the number of the current line in the file */
    struct model model;
    struct plan *seen;       /* the plan for the world as it is; NULL: not made yet */
    struct strlist expected; /* "=>" lines since the last other line */
    int expected_line;       /* the line number of the first of `expected` */
    struct strlist labels, label_uuids;
    int word_count;
    char *words[MAX_WORDS];
};

void script_wrong(const struct script *s, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* Splits the line into s->words, which point into it. */
void script_split_words(struct script *s, char *line);
const char *script_word(const struct script *s, int index);
bool script_has_word(const struct script *s, const char *text);
/* The value of the word "key=value"; NULL where there is no such word. */
const char *script_value(const struct script *s, const char *key);
int script_number(const struct script *s, const char *key, int otherwise);
int script_integer(const char *text);
/* The index of a type that a line calls "35". */
int script_type_index(const struct script *s, int gpu, const char *type);

/* Gives a uuid a name that is shown for it, unless it has one. */
void script_label(struct script *s, const char *uuid, const char *text);
/* The name of the uuid; the uuid itself where it has none. */
const char *script_label_of(const struct script *s, const char *uuid);
/* The uuid for a name: the same name always gives the same uuid. */
void script_named_uuid(struct script *s, const char *name, char out[UUID_TEXT_SIZE]);
/* The uuid of a device, by its name or, for a computed one, by "c1.0@84". */
void script_device_uuid(struct script *s, const char *name, char out[UUID_TEXT_SIZE]);
struct model_device *script_device(struct script *s, const char *name);
/* Converts between "84" and "host_pci_0000_84_00_0"; the caller frees. */
char *script_provider_name(const struct script *s, const char *gpu);
char *script_gpu_of_provider(const struct script *s, const char *name);
struct model_provider *script_provider(struct script *s, const char *gpu);

#endif
