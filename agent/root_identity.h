/*
 * root_identity: which provider in Placement is this host. Nova names it by the uuid
 * that its compute service keeps in the file `compute_id`; before 2023.1 only by the
 * name that libvirt calls the host (`virsh hostname`).
 *
 * In this order: [agent] compute_id_file; [agent] root_provider_name; the file
 * compute_id in Nova's places (all that exist must agree, as Nova itself demands); the
 * host's own name.
 */
#ifndef AGENT_ROOT_IDENTITY_H
#define AGENT_ROOT_IDENTITY_H

#include "config/config.h"
#include "lib/error.h"
#include "lib/uuid.h"

struct root_identity {
    char uuid[UUID_TEXT_SIZE]; /* "": known by name only */
    char *name; /* of the configuration, else of the host: what a root that is to be
                   created is called. Placement's own word wins once it is found. */
};

/* NOT_FOUND when [agent] compute_id_file does not exist (yet: nova-compute writes it at
 * its first start); INVALID when a file holds no uuid or two of Nova's disagree. */
int root_identity_find(const struct config *config, struct root_identity *out,
                       struct error *err);
void root_identity_clear(struct root_identity *identity);

/* The uuid of a root that the agent itself creates: computed, so that a second try
 * finds what the first one made. */
void root_identity_computed_uuid(const char *name, char out[UUID_TEXT_SIZE]);

#endif
