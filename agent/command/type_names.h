/*
 * type_names: the types that GPUs offer, as messages name them: by id, which is what the
 * files take, and by name, which is what people know. Stateless.
 */
#ifndef AGENT_COMMAND_TYPE_NAMES_H
#define AGENT_COMMAND_TYPE_NAMES_H

#include "agent/host/host.h"

/* "nvidia-35 (GRID M10-0B), nvidia-36 (GRID M10-0Q)", each type once, at most a dozen
 * of them; NULL: they offer none. The caller frees. */
char *type_names_list(const struct gpu *gpus, size_t count);

/* The one that was probably meant by `asked`, "nvidia-41 (GRID M10-2Q)": a slip of the
 * finger, or a name without its beginning; NULL: none. The caller frees. */
char *type_names_nearest(const struct gpu *gpus, size_t count, const char *asked);

#endif
