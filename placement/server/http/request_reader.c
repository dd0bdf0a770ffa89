#include "placement/server/http/request_reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "lib/xalloc.h"

#define LIST(name, member)                           \
    {                                                \
        name, offsetof(struct request, member), NULL \
    }
#define ONE(name, member)                                                     \
    {                                                                         \
        name, offsetof(struct request, member), "there are two headers " name \
    }

/* The headers that are read, and their members in struct request. Several of those that
 * are lists are joined with commas (RFC 9110, 5.3). Of another that stands twice one
 * reader takes the first, the next one the last: such a request is refused. */
static const struct {
    const char *name;
    size_t offset;
    const char *twice; /* NULL: it is a list */
} headers[INCOMING_HEADERS] = {
    LIST("Accept", accept),
    ONE("Content-Type", content_type),
    ONE("Content-Length", content_length),
    ONE("Expect", expect),
    ONE("Host", host),
    LIST("OpenStack-API-Version", api_version),
    ONE("X-Auth-Token", token),
    ONE("X-Roles", roles),
    LIST("X-Openstack-Request-Id", global_id),
    ONE("X-Project-Id", project_id),
    ONE("OpenStack-System-Scope", system_scope),
    ONE("X-Domain-Id", domain_id),
    ONE("Origin", origin),
    ONE("Access-Control-Request-Method", cors_method),
    LIST("Access-Control-Request-Headers", cors_headers),
};

static void read_target(struct incoming *incoming)
{
    struct request *request = &incoming->request;
    const char *question = strchrnul(incoming->target, '?');
    struct error err;
    _cleanup_free_ char *path =
        xstrndup(incoming->target, (size_t)(question - incoming->target));
    request->raw_target = incoming->target;
    /* No path is the root's. One with a NUL cannot be decoded, and leads to 404. */
    incoming->path = query_decode_path(*path ? path : "/");
    request->path = incoming->path ? incoming->path : "";
    if (query_parse(*question ? question + 1 : NULL, &request->query, &err) != 0)
        request->query_problem = incoming->query_problem = xstrdup(err.text);
}

void incoming_begin(struct incoming *incoming, const struct incoming_limits *limits,
                    struct bodies *bodies, const char *target)
{
    incoming->limits = *limits;
    incoming->bodies = bodies;
    incoming->target = xstrdup(target);
    incoming->request.body = "";
    incoming->request.microversion = -1;
    read_target(incoming);
}

/* A blank in it would be the end of the target to another reader (RFC 9112, 3.2). */
static bool is_target(const char *target)
{
    while ((unsigned char)*target > ' ' && *target != 0x7f)
        target++;
    return !*target;
}

void incoming_refuse(struct incoming *incoming, const char *problem)
{
    if (!incoming->problem)
        incoming->problem = problem;
    incoming->refused = 400;
}

/* A header's name is visible ASCII. A blank in it, as in "Transfer-Encoding : chunked",
 * is a known way to smuggle requests past proxies. */
static bool is_name(const char *name)
{
    const char *at = name;
    while (*at > ' ' && *at < 0x7f)
        at++;
    return *name && !*at;
}

/* libmicrohttpd reads no chunks where blanks are behind it, which are none of it. */
static const char *coding_problem(const char *value)
{
    const size_t length = strlen("chunked");
    bool chunked = strncasecmp(value, "chunked", length) == 0;
    if (chunked && !value[length + strspn(value + length, " \t")])
        return "there is a blank at the end of the Transfer-Encoding";
    return "the only Transfer-Encoding that is taken is chunked";
}

/* Reads what determines where the request ends. */
static void read_framing(struct incoming *incoming, const char *name, const char *value)
{
    if (!is_name(name))
        incoming_refuse(incoming, "a header has a name that is none");
    if (strchr(value, '\r'))
        incoming_refuse(incoming, "a header has a carriage return in it");
    if (strcasecmp(name, "transfer-encoding") != 0)
        return;
    if (incoming->transfer_encoding)
        incoming_refuse(incoming, "there are two Transfer-Encodings");
    if (strcasecmp(value, "chunked") != 0)
        incoming_refuse(incoming, coding_problem(value));
    incoming->transfer_encoding = value;
}

/* Two lengths that are the same are no question (RFC 9112, 6.3). */
static bool is_same_length(const struct incoming *incoming, const char **field,
                           const char *value)
{
    return field == &incoming->request.content_length && strcmp(*field, value) == 0;
}

/* Takes the value of the header of that index. Blanks at its end are none of it (RFC
 * 9110, 5.5); those at its beginning are gone already. */
static void take_value(struct incoming *incoming, size_t index, const char *value)
{
    const char *twice = headers[index].twice;
    const char **field =
        (const char **)(void *)((char *)&incoming->request + headers[index].offset);
    bool again = incoming->seen & 1u << index;
    size_t length = strlen(value), kept = length;
    while (kept > 0 && (value[kept - 1] == ' ' || value[kept - 1] == '\t'))
        kept--;
    char *own = again && !twice ? xasprintf("%s,%.*s", *field, (int)kept, value)
                : kept < length ? xstrndup(value, kept)
                                : NULL;
    if (again && twice && !is_same_length(incoming, field, own ? own : value))
        incoming_refuse(incoming, twice);
    *field = own ? own : value;
    free(incoming->values[index]);
    incoming->values[index] = own;
    incoming->seen |= 1u << index;
}

void incoming_header(struct incoming *incoming, const char *name, const char *value)
{
    size_t i = 0;
    value = value ? value : "";
    incoming->header_size += strlen(name) + strlen(value);
    read_framing(incoming, name, value);
    while (i < INCOMING_HEADERS && strcasecmp(headers[i].name, name) != 0)
        i++;
    if (i < INCOMING_HEADERS)
        take_value(incoming, i, value);
}

void incoming_has_bad_length(struct incoming *incoming)
{
    incoming->bad_length = true;
}

/* As the headers say. */
static unsigned long long body_length(const struct incoming *incoming)
{
    const char *length = incoming->request.content_length;
    return length && !incoming->bad_length ? strtoull(length, NULL, 10) : 0;
}

void incoming_headers_end(struct incoming *incoming, const char *version)
{
    const struct incoming_limits *limits = &incoming->limits;
    const char *length = incoming->request.content_length;
    bool old = strcmp(version, "HTTP/1.0") == 0;
    if (incoming->transfer_encoding && (old || length))
        incoming_refuse(incoming, old ? "HTTP/1.0 has no Transfer-Encoding"
                                      : "Transfer-Encoding and Content-Length exclude "
                                        "each other");
    if (!is_target(incoming->target))
        incoming_refuse(incoming, "there is a blank or a control character in the "
                                  "target");
    if (!old && !incoming->request.host)
        incoming_refuse(incoming, "there is no Host header");
    if (incoming->refused)
        return;
    if (strlen(incoming->target) > limits->max_header)
        incoming->refused = 414;
    else if (incoming->header_size > limits->max_header)
        incoming->refused = 431;
    else if (body_length(incoming) > limits->max_body)
        incoming->refused = 413;
}

bool incoming_has_body(const struct incoming *incoming)
{
    return incoming->transfer_encoding || body_length(incoming) > 0;
}

/* ---- the body ---- */

void incoming_drop_body(struct incoming *incoming)
{
    if (incoming->body_room == 0)
        return;
    incoming->bodies->used -= incoming->body_room;
    *incoming->previous = incoming->next;
    if (incoming->next)
        incoming->next->previous = incoming->previous;
    free(incoming->body);
    incoming->body = NULL;
    incoming->body_room = 0;
    incoming->request.body = "";
    incoming->request.body_length = 0;
}

static void refuse_body(struct incoming *incoming, int status)
{
    incoming_drop_body(incoming);
    incoming->refused = status;
}

static struct incoming *largest_unfinished(const struct bodies *bodies)
{
    struct incoming *largest = NULL;
    for (struct incoming *one = bodies->first; one; one = one->next)
        if (!one->body_is_whole && (!largest || one->body_room > largest->body_room))
            largest = one;
    return largest;
}

/* Makes room in the memory for bodies. False when this body cannot have it. */
static bool find_room(struct incoming *incoming, size_t room)
{
    struct bodies *bodies = incoming->bodies;
    while (room - incoming->body_room > bodies->max - bodies->used) {
        struct incoming *largest = largest_unfinished(bodies);
        if (!largest || largest == incoming || largest->body_room <= room)
            return false;
        refuse_body(largest, 503);
    }
    return true;
}

static void enlarge(struct incoming *incoming, size_t room)
{
    struct bodies *bodies = incoming->bodies;
    if (incoming->body_room == 0) {
        incoming->next = bodies->first;
        incoming->previous = &bodies->first;
        if (incoming->next)
            incoming->next->previous = &incoming->next;
        bodies->first = incoming;
    }
    incoming->body = xreallocarray(incoming->body, room, 1);
    bodies->used += room - incoming->body_room;
    incoming->body_room = room;
    incoming->request.body = incoming->body;
}

/* Makes room for `wanted` bytes of the body; false when the request was refused. */
static bool make_room(struct incoming *incoming, size_t wanted)
{
    const size_t most = incoming->limits.max_body + 1;
    size_t room = incoming->body_room ? incoming->body_room : 512;
    if (wanted <= incoming->body_room)
        return true;
    while (room < wanted)
        room *= 2;
    room = room < most ? room : most;
    if (!find_room(incoming, room)) {
        refuse_body(incoming, 503);
        return false;
    }
    enlarge(incoming, room);
    return true;
}

void incoming_body(struct incoming *incoming, const char *data, size_t size)
{
    struct request *request = &incoming->request;
    if (!incoming->refused && size > incoming->limits.max_body - request->body_length)
        refuse_body(incoming, 413);
    if (incoming->refused || !make_room(incoming, request->body_length + size + 1))
        return;
    memcpy(incoming->body + request->body_length, data, size);
    request->body_length += size;
    incoming->body[request->body_length] = 0;
}

void incoming_end(struct incoming *incoming)
{
    incoming->body_is_whole = true;
}

void incoming_clear(struct incoming *incoming)
{
    incoming_drop_body(incoming);
    query_clear(&incoming->request.query);
    identity_clear(&incoming->request.identity);
    free(incoming->target);
    free(incoming->path);
    for (size_t i = 0; i < INCOMING_HEADERS; i++)
        free(incoming->values[i]);
    free(incoming->query_problem);
    *incoming = (struct incoming){0};
}
