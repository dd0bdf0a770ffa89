/*
 * machine_id: identifies the machine, so that a state file which was copied from
 * another machine is recognised. It is a hash of machine-id(5), which is confidential
 * itself. Where that file does not exist or is not initialised yet, the machine is not
 * known. Stateless.
 */
#ifndef AGENT_STATE_MACHINE_ID_H
#define AGENT_STATE_MACHINE_ID_H

#include "lib/uuid.h"

/* Sets `out` to "" when the machine is not known. */
void machine_id_read(const char *host_root, char out[UUID_TEXT_SIZE]);

#endif
