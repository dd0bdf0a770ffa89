/*
 * file: a policy file's text, YAML or JSON: one document, a mapping of the names of
 * rules to rules. In YAML a tab between words is refused, as by PyYAML, with which
 * oslo.policy reads what is no JSON. Stateless.
 */
#ifndef PLACEMENT_SERVER_POLICY_FILE_H
#define PLACEMENT_SERVER_POLICY_FILE_H

#include <stddef.h>

#include "lib/error.h"

/* Is called for each rule of the file; -1 ends the reading. */
typedef int policy_file_taker(void *context, const char *name, const char *rule,
                              struct error *err);

/* Gives each rule of the text to `take`, in order. ERROR_INVALID for what is no such
 * text. */
int policy_file_parse(const char *text, size_t length, policy_file_taker *take,
                      void *context, struct error *err);

/* The same for a file. */
int policy_file_read(const char *path, policy_file_taker *take, void *context,
                     struct error *err);

#endif
