/*
 * root_identity: which provider in Placement is this host. Nova names it by the uuid
 * that its compute service keeps in the file `compute_id`; before 2023.1 only by the
 * name that libvirt calls the host (`virsh hostname`).
 *
 * In this order: [agent] compute_id_file; [agent] root_provider_name; the file
 * compute_id in Nova's places (all that exist must agree, as Nova itself demands); the
 * host's own name.
 */
#ifndef AGENT_TREE_ROOT_IDENTITY_H
#define AGENT_TREE_ROOT_IDENTITY_H

#include "config/config.h"
#include "lib/error.h"
#include "lib/uuid.h"

struct root_identity {
    char uuid[UUID_TEXT_SIZE]; /* "": known by name only */
    char *name;                /* NULL: known by uuid only */
};

/* NOT_FOUND when [agent] compute_id_file does not exist (yet: nova-compute writes it at
 * its first start); INVALID when a file holds no uuid or two places disagree. Nova's
 * places are below [agent] host_root. */
int root_identity_find(const struct config *config, struct root_identity *out,
                       struct error *err);
void root_identity_clear(struct root_identity *identity);

/* What libvirt calls this host: gethostname(2)'s answer, made fully qualified by the
 * resolver where it has no dot and is not localhost. May take as long as DNS does. The
 * caller frees. */
char *root_identity_host_name(void);

/* The uuid of a root that the agent itself creates: computed, so that a second try
 * finds what the first one made. */
void root_identity_computed_uuid(const char *name, char out[UUID_TEXT_SIZE]);

#endif
