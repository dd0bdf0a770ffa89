/*
 * cloud_script: what the agent of one host with eight GPUs sends in a cycle, request
 * by request, as tests/bench/agent's relay has seen it. The hosts are node0, node1, ...
 * whose roots tests/bench/load.py has made; their GPUs' names and uuids are those of
 * load.py, too. Each write names the generation that the host has read, so that a
 * Placement takes or refuses it as it would the agent's.
 */
#ifndef TESTS_BENCH_CLOUD_SCRIPT_H
#define TESTS_BENCH_CLOUD_SCRIPT_H

#include "tests/bench/cloud.h"

enum { SCRIPT_GPUS = 8 };

/* What the host knows of its GPUs' providers. */
struct script {
    int generations[SCRIPT_GPUS]; /* -1: there is no provider */
    /* What an earlier cycle has done, though it failed later: kinds of requests that
     * are sent once, traits that were made, and providers that were read to their
     * end. */
    unsigned once, traits, read;
    /* A bit for each GPU whose provider was made, and has them as they are to be. */
    unsigned made, has_traits, has_inventories;
};

/* Passes over what the present cycle need not send: what is there or was read already. */
void script_advance(const struct script *script, struct cloud_host *host);
/* Writes the next request of the cycle, with its head, and gives its size. */
size_t script_request(const struct script *script, const struct cloud_host *host,
                      size_t node, char *out, size_t size);
/* Whether the next request of the cycle changes something. */
bool script_writes(const struct cloud_host *host);
/* Whether script_take() wants the body of its answer. */
bool script_reads(const struct cloud_host *host);
/* Its answer has come, and is good. `body` may be NULL where script_reads() says no.
 * False: it is not what a Placement answers. */
bool script_take(struct script *script, struct cloud *cloud, struct cloud_host *host,
                 const char *body);

#endif
