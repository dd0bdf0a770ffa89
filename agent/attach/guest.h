/*
 * guest: a libvirt domain, as far as its devices matter: which devices of the host it
 * has now, and which it will have at its next start. Plain data, parsed from the two
 * XML documents that libvirt gives. No I/O.
 */
#ifndef AGENT_ATTACH_GUEST_H
#define AGENT_ATTACH_GUEST_H

#include <stdbool.h>

#include "agent/host/host.h"
#include "lib/error.h"

struct guest {
    char uuid[UUID_TEXT_SIZE]; /* the domain's, which is the server's and so the
                                  consumer's */
    char *name;                /* the domain's, "instance-0000002a" */
    bool running;              /* a QEMU process is there: it has a live XML */
    bool persistent;           /* it has a configuration, so it outlives its stop */
    /* Addresses of the devices that its <hostdev> elements name, as in struct device:
     * of the running guest, and of its configuration. Sorted. */
    struct strlist live, configured;
};

/* `live_xml` and `configured_xml` are what virDomainGetXMLDesc() gives without flags
 * and with VIR_DOMAIN_XML_INACTIVE; NULL: the domain does not run, or has no
 * configuration. Of a domain that does not run libvirt gives the configuration in both
 * cases: the caller asks virDomainIsActive(). INVALID as domain_xml_parse(), where both
 * are of different domains, and where both are NULL. On failure *out is all zero. */
int guest_parse(const char *live_xml, const char *configured_xml, struct guest *out,
                struct error *err);
void guest_clear(struct guest *guest);
#define _cleanup_guest_ _cleanup_(guest_clear)
struct guest guest_copy(const struct guest *guest);
bool guest_equal(const struct guest *a, const struct guest *b);

/* An element that names the device to libvirt, to take it out of a configuration:
 * libvirt compares the source's address and nothing else. A uuid is a mediated device,
 * all else a PCI device; NULL where it is neither. The caller frees.
 * https://libvirt.org/formatdomain.html#host-device-assignment */
char *guest_device_xml(const char *address);

#endif
