/*
 * domain_xml: which mediated and PCI devices of the host a libvirt domain has. It reads
 * the domain's XML: a <domain>, or the <domstatus> around it that libvirt keeps for a
 * running domain. Only a <hostdev> of the domain, which names a device by its address,
 * counts. Any other uuid in the XML may be a tenant's text (the name of a server, its
 * metadata) and is ignored. Stateless.
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
    char *name;                /* the domain's, "instance-0000002a"; NULL: none */
    /* From devices/hostdev[@type='mdev']/source/address/@uuid, in lower case, and from
     * devices/hostdev[@type='pci']/source/address, in sysfs's spelling. */
    struct strlist addresses;
};

/* INVALID, with the line, when the XML is not well-formed, or a <hostdev> or the domain
 * lacks the uuid that libvirt writes there. *out has what was found also then; the
 * caller ends it with domain_xml_clear() in both cases. */
int domain_xml_parse(const char *text, size_t length, struct domain_xml *out,
                     struct error *err);
void domain_xml_clear(struct domain_xml *domain);
#define _cleanup_domain_xml_ _cleanup_(domain_xml_clear)

/* The <address> of a PCI device in a <hostdev>'s <source>; NULL: `address` is none. The
 * caller frees. */
char *domain_xml_pci_address(const char *address);

#endif
