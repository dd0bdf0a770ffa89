/*
 * domain_xml: which mediated devices a libvirt domain names, from its XML: a <domain>,
 * or the <domstatus> around one that libvirt keeps of running domains. Stateless.
 */
#ifndef AGENT_HOST_DOMAIN_XML_H
#define AGENT_HOST_DOMAIN_XML_H

#include <stddef.h>

#include "lib/error.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

struct domain_xml {
    char uuid[UUID_TEXT_SIZE]; /* the domain's; "" where it has none */
    /* Of <hostdev type='mdev'><source><address uuid='...'/>; lower case. */
    struct strlist mdevs;
    /* Every other uuid in attributes and text: one of them may still be a device, say
     * in the arguments of <qemu:commandline>. */
    struct strlist mentioned;
};

/* ERROR_INVALID when it is no well-formed XML, with the line; what was found until
 * there is in *out all the same. domain_xml_clear() in either case. */
int domain_xml_parse(const char *text, size_t length, struct domain_xml *out,
                     struct error *err);
void domain_xml_clear(struct domain_xml *domain);
#define _cleanup_domain_xml_ _cleanup_(domain_xml_clear)

#endif
