/*
 * failure: what follows from an error of libvirt's. Its codes are coarse: most of what
 * matters is told apart by the text only. The texts come from the daemon (libvirtd,
 * virtqemud) in its locale, which is C unless somebody has given it another; in a
 * translation they count as "refused", and settle() then believes the XML. Stateless.
 *
 * Seen with libvirt 9.0:
 *   config  OPERATION_INVALID  "... device is already in the domain configuration"
 *   live    OPERATION_INVALID  "... device U is in use by driver QEMU, domain NAME"
 *   live    INTERNAL_ERROR     "... No more available PCI slots"
 *   live    OPERATION_INVALID  "... domain is not running"
 *   both    OPERATION_TIMEOUT  "... cannot acquire state change lock ...", after 30 s
 */
#ifndef AGENT_LIBVIRT_FAILURE_H
#define AGENT_LIBVIRT_FAILURE_H

#include <libvirt/virterror.h>

#include "agent/attach/hypervisor.h"

/* `error` NULL: libvirt says nothing more. `alive`: of the connection. `domain`: the
 * name of the one that the call was for; NULL: not known. Sets *err. */
enum hypervisor_failure libvirt_failure(const virError *error, bool alive,
                                        const char *domain, struct error *err);

#endif
