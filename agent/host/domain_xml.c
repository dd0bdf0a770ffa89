#include "agent/host/domain_xml.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

#include "lib/xalloc.h"

struct reader {
    struct domain_xml *out;
    unsigned depth;
    unsigned domain; /* the depth of <domain>; 0 while outside */
    unsigned mdev;   /* the depth of the <hostdev type='mdev'> that we are in, or 0 */
    char *text;      /* characters since the last tag: expat gives them in pieces */
    size_t length, room;
};

/* Adds every uuid in `text`, wherever it stands, to `list`. */
static void collect_uuids(const char *text, size_t length, struct strlist *list)
{
    char window[UUID_TEXT_SIZE], uuid[UUID_TEXT_SIZE];
    for (size_t i = 0; i + UUID_TEXT_SIZE - 1 <= length; i++) {
        if (text[i + 8] != '-')
            continue;
        memcpy(window, text + i, sizeof window - 1);
        window[sizeof window - 1] = 0;
        if (uuid_parse_text(window, uuid))
            strlist_add_unique(list, uuid);
    }
}

static const char *attribute(const char **attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

/* The text between two tags is whole. */
static void flush_text(struct reader *reader)
{
    collect_uuids(reader->text, reader->length, &reader->out->mentioned);
    reader->length = 0;
}

static void XMLCALL start_element(void *data, const char *name, const char **attributes)
{
    struct reader *reader = data;
    flush_text(reader);
    reader->depth++;
    if (!reader->domain && strcmp(name, "domain") == 0)
        reader->domain = reader->depth;
    const char *type = attribute(attributes, "type");
    if (!reader->mdev && strcmp(name, "hostdev") == 0 && type &&
        strcmp(type, "mdev") == 0)
        reader->mdev = reader->depth;
    bool address = reader->mdev && strcmp(name, "address") == 0;
    for (; *attributes; attributes += 2)
        collect_uuids(attributes[1], strlen(attributes[1]),
                      address && strcmp(attributes[0], "uuid") == 0
                          ? &reader->out->mdevs
                          : &reader->out->mentioned);
}

/* <domain>'s own <uuid> is its direct child, and the first of them. */
static void take_domain_uuid(struct reader *reader)
{
    struct strlist found = {0};
    collect_uuids(reader->text, reader->length, &found);
    if (found.count && !*reader->out->uuid)
        memcpy(reader->out->uuid, found.items[0], UUID_TEXT_SIZE);
    strlist_clear(&found);
}

static void XMLCALL end_element(void *data, const char *name)
{
    struct reader *reader = data;
    if (reader->domain && reader->depth == reader->domain + 1 &&
        strcmp(name, "uuid") == 0)
        take_domain_uuid(reader);
    flush_text(reader);
    if (reader->depth == reader->mdev)
        reader->mdev = 0;
    if (reader->depth == reader->domain)
        reader->domain = 0;
    reader->depth--;
}

static void XMLCALL add_text(void *data, const char *text, int length)
{
    struct reader *reader = data;
    size_t wanted = reader->length + (size_t)length;
    if (wanted > reader->room) {
        reader->room = wanted * 2;
        reader->text = xreallocarray(reader->text, reader->room, 1);
    }
    memcpy(reader->text + reader->length, text, (size_t)length);
    reader->length = wanted;
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
    struct reader reader = {.out = out};
    XML_SetUserData(parser, &reader);
    XML_SetElementHandler(parser, start_element, end_element);
    XML_SetCharacterDataHandler(parser, add_text);
    int rc = 0;
    if (XML_Parse(parser, text, (int)length, XML_TRUE) != XML_STATUS_OK)
        rc = error_set(err, ERROR_INVALID, "line %lu: %s",
                       (unsigned long)XML_GetCurrentLineNumber(parser),
                       XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    free(reader.text);
    return rc;
}

void domain_xml_clear(struct domain_xml *domain)
{
    strlist_clear(&domain->mdevs);
    strlist_clear(&domain->mentioned);
}
