/*
 * domain_xml: which mediated and PCI devices of the host a libvirt domain has, from its
 * XML: a <domain>, or the <domstatus> around one that libvirt keeps of running domains. A
 * device is one that a <hostdev> of the domain names by its address. Any other uuid in there may be
 * text of a tenant's (a server's name, its metadata) and says nothing. Stateless.
 *
 * https://libvirt.org/formatdomain.html#host-device-assignment
 */
#ifndef AGENT_HOST_DOMAIN_XML_H
#define AGENT_HOST_DOMAIN_XML_H

#include <stddef.h>

#include "lib/error.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

struct domain_xml {
    char uuid[UUID_TEXT_SIZE]; /* the domain's; "" where it has none */
    /* Of devices/hostdev[@type='mdev']/source/address/@uuid, in lower case, and
     * devices/hostdev[@type='pci']/source/address, as sysfs spells it. */
    struct strlist addresses;
};

/* ERROR_INVALID, with the line, when it is no well-formed XML, or a <hostdev> or the
 * domain lacks the uuid that libvirt writes there; what was found is in *out all the
 * same. domain_xml_clear() in either case. */
int domain_xml_parse(const char *text, size_t length, struct domain_xml *out,
                     struct error *err);
void domain_xml_clear(struct domain_xml *domain);
#define _cleanup_domain_xml_ _cleanup_(domain_xml_clear)

#endif
