#include "agent/attach/guest.h"

#include <stdlib.h>
#include <string.h>

#include "agent/host/domain_xml.h"
#include "lib/xalloc.h"

/* One of the two documents, NULL for none. */
static int read_document(const char *xml, const char *which, struct guest *guest,
                         struct strlist *addresses, struct error *err)
{
    if (!xml)
        return 0;
    _cleanup_domain_xml_ struct domain_xml domain = {0};
    if (domain_xml_parse(xml, strlen(xml), &domain, err) != 0)
        return error_prefix(err, "the %s XML", which);
    if (!*domain.uuid || !domain.name)
        return error_set(err, ERROR_INVALID, "the %s XML: the domain has no %s", which,
                         *domain.uuid ? "<name>" : "<uuid>");
    if (*guest->uuid && strcmp(guest->uuid, domain.uuid) != 0)
        return error_set(err, ERROR_INVALID,
                         "the live XML is that of %s, the configured one that of %s",
                         guest->uuid, domain.uuid);
    uuid_text_copy(guest->uuid, domain.uuid);
    if (!guest->name)
        guest->name = steal(domain.name);
    *addresses = domain.addresses;
    domain.addresses = (struct strlist){0};
    strlist_sort(addresses);
    return 0;
}

int guest_parse(const char *live_xml, const char *configured_xml, struct guest *out,
                struct error *err)
{
    *out = (struct guest){.running = live_xml, .persistent = configured_xml};
    if (!live_xml && !configured_xml)
        return error_set(err, ERROR_INVALID, "a domain without any XML");
    if (read_document(live_xml, "live", out, &out->live, err) != 0 ||
        read_document(configured_xml, "configured", out, &out->configured, err) != 0) {
        guest_clear(out);
        return -1;
    }
    return 0;
}

void guest_clear(struct guest *guest)
{
    free(guest->name);
    strlist_clear(&guest->live);
    strlist_clear(&guest->configured);
    *guest = (struct guest){0};
}

struct guest guest_copy(const struct guest *guest)
{
    struct guest copy = {.name = xstrdup(guest->name),
                         .running = guest->running,
                         .persistent = guest->persistent,
                         .live = strlist_copy(&guest->live),
                         .configured = strlist_copy(&guest->configured)};
    uuid_text_copy(copy.uuid, guest->uuid);
    return copy;
}

bool guest_equal(const struct guest *a, const struct guest *b)
{
    if (!a->name != !b->name || (a->name && strcmp(a->name, b->name) != 0))
        return false;
    return strcmp(a->uuid, b->uuid) == 0 && a->running == b->running &&
           a->persistent == b->persistent && strlist_equal(&a->live, &b->live) &&
           strlist_equal(&a->configured, &b->configured);
}

char *guest_device_xml(const char *address)
{
    char uuid[UUID_TEXT_SIZE];
    if (uuid_parse_text(address, uuid))
        /* libvirt reads no mediated device without a model. */
        return xasprintf("<hostdev mode='subsystem' type='mdev' model='vfio-pci'>"
                         "<source><address uuid='%s'/></source></hostdev>",
                         uuid);
    _cleanup_free_ char *pci = domain_xml_pci_address(address);
    return pci ? xasprintf("<hostdev mode='subsystem' type='pci' managed='no'><source>"
                           "%s</source></hostdev>",
                           pci)
               : NULL;
}
