/*
 * gpu_argument: finds the GPU that an operator names on the command line: by its
 * address in any spelling, also without the domain as lspci(8) prints it ("84:00.0");
 * by libvirt's name; by the address or name of one of its virtual functions; by its place
 * on the bus ("gpupci1" is the first); or by the name or uuid of its provider.
 * Stateless.
 */
#ifndef AGENT_COMMAND_GPU_ARGUMENT_H
#define AGENT_COMMAND_GPU_ARGUMENT_H

#include "agent/cycle.h"
#include "agent/host/host.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* Names that are known beside those of the host. All zero: none. */
struct gpu_names {
    struct strlist gpus; /* GPUs that are not on the host, but may be named */
    /* providers[i] is the name or uuid of a provider, and provider_gpus[i] is its
     * GPU. */
    struct strlist providers, provider_gpus;
};

/* Adds the names and uuids of this host's providers from the cycle and the state
 * file. */
void gpu_names_add_cycle(struct gpu_names *names, const struct cycle *cycle);
/* Adds the GPUs that the files name. */
void gpu_names_add_config(struct gpu_names *names, const struct config *config);
void gpu_names_add_journal(struct gpu_names *names, const struct journal *journal);
void gpu_names_clear(struct gpu_names *names);

#define _cleanup_gpu_names_ _cleanup_(gpu_names_clear)

/* Finds a GPU of the host. NOT_FOUND, with the GPUs of the host; INVALID, with the
 * candidates, when several match. */
int gpu_argument_find(const struct host *host, const struct gpu_names *names,
                      const char *asked, const struct gpu **out, struct error *err);

/* Like gpu_argument_find(), but gives the name of a GPU of the host or of names->gpus.
 * The caller frees *out. */
int gpu_argument_name(const struct host *host, const struct gpu_names *names,
                      const char *asked, char **out, struct error *err);

#endif
