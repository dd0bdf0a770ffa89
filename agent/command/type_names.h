/*
 * type_names: the types of GPUs as messages name them: by id, which the configuration
 * uses, and by name, which people know. Stateless.
 */
#ifndef AGENT_COMMAND_TYPE_NAMES_H
#define AGENT_COMMAND_TYPE_NAMES_H

#include "agent/host/host.h"

/* "nvidia-35 (GRID M10-0B), nvidia-36 (GRID M10-0Q)": each type once, at most a dozen.
 * NULL: the GPUs offer no type. The caller frees. */
char *type_names_list(const struct gpu *gpus, size_t count);

/* The type that `asked` probably means, "nvidia-41 (GRID M10-2Q)": `asked` is misspelt,
 * or a name without its beginning. NULL: there is none. The caller frees. */
char *type_names_nearest(const struct gpu *gpus, size_t count, const char *asked);

#endif
