/*
 * slip: the marks of a value that was written in another dialect of INI, where a
 * comment may stand behind a value, quotes are for items, or lines may be indented at
 * will. oslo.config takes all of it into the value. Stateless.
 */
#ifndef CONFIG_SLIP_H
#define CONFIG_SLIP_H

#include "config/options.h"

/* What is odd in `value`, which is the entry's: a text for messages. Of a list it is the
 * first odd item's, of which *item becomes a copy, the caller's. NULL: nothing is odd, or
 * quotes around the value say that it is meant so. */
const char *slip_find(const struct ini_entry *entry, const struct option_spec *option,
                      const char *value, char **item);

#endif
