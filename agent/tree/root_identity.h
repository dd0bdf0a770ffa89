/*
 * root_identity: which provider in Placement is this host's root. Nova identifies it by
 * the uuid that its compute service keeps in the file `compute_id`; before 2023.1 only
 * by the name that libvirt gives the host (`virsh hostname`).
 *
 * The first of these decides: [agent] compute_id_file; [agent] root_provider_name; the
 * file compute_id in Nova's folders (where there are several, they must agree, as Nova
 * demands); the host's own name.
 */
#ifndef AGENT_TREE_ROOT_IDENTITY_H
#define AGENT_TREE_ROOT_IDENTITY_H

#include "config/config.h"
#include "lib/error.h"
#include "lib/uuid.h"

struct root_identity {
    char uuid[UUID_TEXT_SIZE]; /* "": only the name is known */
    char *name;                /* NULL: only the uuid is known */
};

/* NOT_FOUND when [agent] compute_id_file does not exist (nova-compute writes it at its
 * first start); INVALID when a file holds no uuid or two files disagree. Nova's folders
 * are below [agent] host_root. */
int root_identity_find(const struct config *config, struct root_identity *out,
                       struct error *err);
void root_identity_clear(struct root_identity *identity);

/* The name that libvirt gives this host: gethostname(2), made fully qualified by the
 * resolver when it has no dot and is not localhost. May take as long as DNS does. The
 * caller frees. */
char *root_identity_host_name(void);

/* The uuid of a root that the agent itself makes. It is computed from the name, so that
 * a second attempt finds what the first one made. */
void root_identity_computed_uuid(const char *name, char out[UUID_TEXT_SIZE]);

#endif
