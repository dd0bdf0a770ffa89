/*
 * gpu_argument: which GPU an operator means on the command line: by its name (a PCI
 * address in any spelling), libvirt's name of it, or the name of one of its virtual
 * functions. Stateless.
 */
#ifndef AGENT_COMMAND_GPU_ARGUMENT_H
#define AGENT_COMMAND_GPU_ARGUMENT_H

#include "agent/host/host.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* NOT_FOUND, with those that there are. */
int gpu_argument_find(const struct host *host, const char *asked,
                      const struct gpu **out, struct error *err);

/* The GPU's name, also of one that is not on the host but among `known`, the names of
 * others that make sense. *out is the caller's. */
int gpu_argument_name(const struct host *host, const struct strlist *known,
                      const char *asked, char **out, struct error *err);

#endif
