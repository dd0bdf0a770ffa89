#include "agent/host/domain_xml.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/pci_address.h"
#include "lib/xalloc.h"

/* Only libvirt writes the contents of these elements. A tenant can choose the text
 * of others: the domain's name, its description, and what a service stores in
 * <metadata>. */
#define DOMAIN_UUID "/domain/uuid"
#define DOMAIN_NAME "/domain/name"
#define HOSTDEV "/domain/devices/hostdev"
#define HOSTDEV_ADDRESS HOSTDEV "/source/address"
#define STATUS "/domstatus"

struct reader {
    struct domain_xml *out;
    XML_Parser parser;
    char *path; /* of the current element: "/domain/devices" */
    size_t path_length, path_room;
    bool in_mdev, in_pci; /* within <hostdev type='mdev'> or type='pci' */
    bool named;           /* that <hostdev> has named its device */
    bool names_mdev;
    char *text; /* the text of <uuid> or <name>, which expat gives in pieces */
    size_t length, room;
    struct error *err;
    bool failed;
};

/* Records XML that libvirt would not write: then the devices of the domain are not
 * known. */
static void refuse(struct reader *reader, const char *what)
{
    if (!reader->failed)
        (void)error_set(reader->err, ERROR_INVALID, "line %lu: %s",
                        (unsigned long)XML_GetCurrentLineNumber(reader->parser), what);
    reader->failed = true;
}

static void append(char **bytes, size_t *length, size_t *room, const char *more,
                   size_t count)
{
    if (*length + count > *room) {
        *room = (*length + count) * 2;
        *bytes = xreallocarray(*bytes, *room, 1);
    }
    memcpy(*bytes + *length, more, count);
    *length += count;
}

/* The XML of a running domain has <domain> below <domstatus>. */
static bool is_at(const struct reader *reader, const char *place)
{
    const char *path = reader->path;
    size_t length = reader->path_length;
    if (length >= strlen(STATUS) && memcmp(path, STATUS, strlen(STATUS)) == 0) {
        path += strlen(STATUS);
        length -= strlen(STATUS);
    }
    return length == strlen(place) && memcmp(path, place, length) == 0;
}

static const char *attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void take_mdev(struct reader *reader, const char *text)
{
    char uuid[UUID_TEXT_SIZE];
    if (!text || !uuid_parse_text(text, uuid))
        return;
    strlist_add_unique(&reader->out->addresses, uuid);
    reader->named = reader->names_mdev = true;
}

/* An address that lacks a part is skipped: libvirt makes no device of it. */
static void take_pci(struct reader *reader, const char **attributes)
{
    static const char *const names[] = {"domain", "bus", "slot", "function"};
    static const unsigned long most[] = {UINT32_MAX, 0xff, 0x1f, 7};
    unsigned long numbers[4];
    for (int i = 0; i < 4; i++) {
        const char *text = attribute(attributes, names[i]);
        char *end;
        errno = 0;
        numbers[i] = text ? strtoul(text, &end, 0) : 0;
        if (!text || end == text || *end || errno || numbers[i] > most[i])
            return;
    }
    char address[PCI_ADDRESS_SIZE];
    snprintf(address, sizeof address, "%04lx:%02lx:%02lx.%lx", numbers[0], numbers[1],
             numbers[2], numbers[3]);
    strlist_add_unique(&reader->out->addresses, address);
}

static void XMLCALL start_element(void *data, const char *name, const char **attributes)
{
    struct reader *reader = data;
    append(&reader->path, &reader->path_length, &reader->path_room, "/", 1);
    append(&reader->path, &reader->path_length, &reader->path_room, name, strlen(name));
    reader->length = 0;
    if (is_at(reader, HOSTDEV)) {
        const char *type = attribute(attributes, "type");
        reader->in_mdev = type && strcmp(type, "mdev") == 0;
        reader->in_pci = type && strcmp(type, "pci") == 0;
        reader->named = false;
    } else if (reader->in_mdev && is_at(reader, HOSTDEV_ADDRESS))
        take_mdev(reader, attribute(attributes, "uuid"));
    else if (reader->in_pci && is_at(reader, HOSTDEV_ADDRESS))
        take_pci(reader, attributes);
}

static void take_domain_uuid(struct reader *reader)
{
    static const char space[] = " \t\r\n";
    append(&reader->text, &reader->length, &reader->room, "", 1);
    char *start = reader->text + strspn(reader->text, space);
    start[strcspn(start, space)] = 0;
    if (*reader->out->uuid)
        refuse(reader, "the domain has a second <uuid>");
    else if (!uuid_parse_text(start, reader->out->uuid))
        refuse(reader, "the domain's <uuid> is none");
}

static void XMLCALL end_element(void *data, const char *name)
{
    struct reader *reader = data;
    if (is_at(reader, DOMAIN_UUID))
        take_domain_uuid(reader);
    if (is_at(reader, DOMAIN_NAME) && !reader->out->name)
        reader->out->name =
            xstrndup(reader->length ? reader->text : "", reader->length);
    if (reader->in_mdev && is_at(reader, HOSTDEV)) {
        if (!reader->named)
            refuse(reader, "a <hostdev> of a mediated device has no uuid");
        reader->in_mdev = false;
    }
    reader->path_length -= strlen(name) + 1;
}

static void XMLCALL add_text(void *data, const char *text, int length)
{
    struct reader *reader = data;
    if (is_at(reader, DOMAIN_UUID) || is_at(reader, DOMAIN_NAME))
        append(&reader->text, &reader->length, &reader->room, text, (size_t)length);
}

int domain_xml_parse(const char *text, size_t length, struct domain_xml *out,
                     struct error *err)
{
    *out = (struct domain_xml){0};
    if (length > INT_MAX)
        return error_set(err, ERROR_INVALID, "larger than %d bytes", INT_MAX);
    XML_Parser parser = XML_ParserCreate(NULL);
    if (!parser)
        abort();
    struct reader reader = {.out = out, .parser = parser, .err = err};
    XML_SetUserData(parser, &reader);
    XML_SetElementHandler(parser, start_element, end_element);
    XML_SetCharacterDataHandler(parser, add_text);
    if (XML_Parse(parser, text, (int)length, XML_TRUE) != XML_STATUS_OK)
        refuse(&reader, XML_ErrorString(XML_GetErrorCode(parser)));
    if (reader.names_mdev && !*out->uuid)
        refuse(&reader, "a domain without a <uuid> names a mediated device");
    else if (out->addresses.count && !*out->uuid)
        refuse(&reader, "a domain without a <uuid> names a PCI device");
    XML_ParserFree(parser);
    free(reader.path);
    free(reader.text);
    return reader.failed ? -1 : 0;
}

void domain_xml_clear(struct domain_xml *domain)
{
    free(domain->name);
    strlist_clear(&domain->addresses);
}

char *domain_xml_pci_address(const char *address)
{
    char pci[PCI_ADDRESS_SIZE];
    if (!pci_address_normalise(address, pci))
        return NULL;
    /* "0000:84:00.0": the domain may be longer, the end has fixed places. */
    const char *end = pci + strlen(pci);
    return xasprintf("<address domain='0x%.*s' bus='0x%.2s' slot='0x%.2s' "
                     "function='0x%s'/>",
                     (int)(end - 8 - pci), pci, end - 7, end - 4, end - 1);
}
