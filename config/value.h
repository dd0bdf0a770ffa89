/*
 * value: the text of one option, made into the type of its field. Stateless.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/options.h"

/* Sets the member of `option` in `values` and frees its old value. After an error the
 * member is unchanged, and `err` says what is wrong and what is accepted, without the
 * value where it is secret. */
int value_set(const struct option_spec *option, const char *text, void *values,
              struct error *err);

/* Frees the value of the member and zeroes it. */
void value_clear(const struct option_spec *option, void *values);

/* What the option accepts, for messages: "an integer from 1 to 86400", "one of owner,
 * nova", "an absolute path". The caller frees. */
char *value_accepted(const struct option_spec *option);

#endif
