/*
 * machine_id: which machine this is: what the state file tells of is on it, and on no
 * other. From machine-id(5), hashed: the file itself is not to be shown around. Where it
 * is not there, or not yet initialised, the machine is not known. Stateless.
 */
#ifndef AGENT_STATE_MACHINE_ID_H
#define AGENT_STATE_MACHINE_ID_H

#include "lib/uuid.h"

/* `out` is "" when it is not known. */
void machine_id_read(const char *host_root, char out[UUID_TEXT_SIZE]);

#endif
