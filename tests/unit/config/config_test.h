/*
 * config_test: files for the tests of config/: written to a temporary folder, read, and
 * taken away again. Problems name the file by its base name, so that tables can spell
 * them out.
 */
#ifndef TESTS_UNIT_CONFIG_CONFIG_TEST_H
#define TESTS_UNIT_CONFIG_CONFIG_TEST_H

#include "config/config.h"

/* A new empty folder under $TMPDIR; the caller frees the name and removes it with
 * remove_folder(). */
char *make_folder(void);
void remove_folder(const char *folder);
/* Writes folder/name; gives its path, the caller's. */
char *write_file(const char *folder, const char *name, const char *text, size_t length);

/* Loads one file "a.conf" with this text. *problems gets one line for each problem,
 * with the folder's name taken off. */
int load(const char *text, size_t length, struct config **out,
         struct strlist *problems);
/* The same for text that must load without any problem. */
struct config *load_text(const char *text);
/* Fails the test unless the text gives exactly these lines (NULL at the end). */
void assert_problems(const char *text, size_t length, const char *const *lines);

#endif
