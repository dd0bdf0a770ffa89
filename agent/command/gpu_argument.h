/*
 * gpu_argument: which GPU an operator means on the command line: by its address in any
 * spelling, also without the domain as lspci(8) writes it ("84:00.0"), by libvirt's name
 * of it, by those of one of its virtual functions, or by its provider's name or uuid.
 * Stateless.
 */
#ifndef AGENT_COMMAND_GPU_ARGUMENT_H
#define AGENT_COMMAND_GPU_ARGUMENT_H

#include "agent/cycle.h"
#include "agent/host/host.h"
#include "lib/error.h"
#include "lib/strlist.h"

/* What is known beside the host itself. All zero: nothing. */
struct gpu_names {
    struct strlist gpus; /* that are not on the host, and yet make sense */
    /* providers[i], a name or a uuid, is that of the GPU provider_gpus[i] */
    struct strlist providers, provider_gpus;
};

/* Names and uuids of the providers of this host that the cycle saw or the state file
 * has. */
void gpu_names_add_cycle(struct gpu_names *names, const struct cycle *cycle);
void gpu_names_add_journal(struct gpu_names *names, const struct journal *journal);
void gpu_names_clear(struct gpu_names *names);

#define _cleanup_gpu_names_ _cleanup_(gpu_names_clear)

/* A GPU of the host. NOT_FOUND, with those that there are; INVALID where several are
 * called so, with these. */
int gpu_argument_find(const struct host *host, const struct gpu_names *names,
                      const char *asked, const struct gpu **out, struct error *err);

/* The name of a GPU of the host, or of names->gpus. *out is the caller's. */
int gpu_argument_name(const struct host *host, const struct gpu_names *names,
                      const char *asked, char **out, struct error *err);

#endif
