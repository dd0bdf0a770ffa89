/*
 * substitute: `$name` and `${section.name}` in values, as oslo.config does it: the name
 * is looked up in the value's own section, then in [DEFAULT]; "$$" and "\$" stand for
 * one "$"; a "$" that no name follows stays. Stateless.
 */
#ifndef CONFIG_SUBSTITUTE_H
#define CONFIG_SUBSTITUTE_H

#include "config/options.h"

/* *out is the entry's value with all substitutions; the caller frees. An option that no
 * file sets and that has no default in `table` is an error. The error never shows any
 * part of the value, which may be a secret. */
int substitute(const struct option_table *table, const struct ini *ini,
               const struct ini_entry *entry, char **out, struct error *err);

#endif
