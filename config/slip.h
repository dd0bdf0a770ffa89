/*
 * slip: recognises a value that was written for another dialect of INI, where a comment
 * may follow a value, quotes enclose list items, or lines may be indented at will.
 * oslo.config takes all of that as a part of the value. Stateless.
 */
#ifndef CONFIG_SLIP_H
#define CONFIG_SLIP_H

#include "config/options.h"

/* What is suspicious in `value`, which is the entry's, as a text for messages. For a
 * list, it is that of the first suspicious item, and the caller gets a copy of the item
 * in *item and frees it. NULL: nothing is suspicious, or quotes around the whole value
 * say that it is intended. */
const char *slip_find(const struct ini_entry *entry, const struct option_spec *option,
                      const char *value, char **item);

#endif
