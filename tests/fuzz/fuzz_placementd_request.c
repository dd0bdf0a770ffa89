/* libFuzzer: any bytes as requests to placementd: target, headers and body, up to the
 * handlers of every route. An input holds several, separated by lines of "---", so that
 * later ones find what earlier ones made:
 *
 *     PUT /allocations/6f0c1f52-62c4-4d0c-9a5e-1f2b7a3c9d10
 *     openstack-api-version: placement 1.39
 *
 *     {"allocations": ...}
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/http/request_reader.h"
#include "tests/fuzz/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dispatch api;

/* Cuts off and returns what is before `separator`. */
static char *cut(char **rest, const char *separator)
{
    char *part = *rest, *end = strstr(part, separator);
    if (!end) {
        *rest = part + strlen(part);
        return part;
    }
    *end = 0;
    *rest = end + strlen(separator);
    return part;
}

static void read_headers(struct incoming *incoming, char *headers)
{
    while (*headers) {
        char *line = cut(&headers, "\n"), *value = strchr(line, ':');
        if (value)
            *value++ = 0;
        incoming_header(incoming, line, value ? value + strspn(value, " ") : "");
    }
    incoming_headers_end(incoming, "HTTP/1.0");
}

static void ask(char *text)
{
    static const struct incoming_limits limits = {1 << 20, 1 << 15};
    struct bodies bodies = {.max = 1 << 20};
    struct incoming incoming = {0};
    struct reply reply = {0};
    char *head = cut(&text, "\n\n"), *line = cut(&head, "\n");
    char *method = cut(&line, " ");
    incoming_begin(&incoming, &limits, &bodies, line);
    incoming.request.method = method;
    incoming.request.token = "admin";
    incoming.request.content_type = *text ? "application/json" : NULL;
    incoming.request.client = "-";
    incoming.request.now = 1700000000;
    read_headers(&incoming, head);
    incoming_body(&incoming, text, strlen(text));
    incoming_end(&incoming);
    if (!incoming.refused && dispatch_admit(&api, &incoming.request, &reply) == 0)
        dispatch_answer(&api, &incoming.request, &reply);
    /* No request may end in an error that is nobody's. */
    if (reply.status == 500 || reply.status == 503)
        abort();
    reply_clear(&reply);
    incoming_clear(&incoming);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!api.store)
        fuzz_api_start(&api);
    char *text = xstrndup((const char *)data, size), *rest = text;
    for (int requests = 0; *rest && requests < 20; requests++)
        ask(cut(&rest, "\n---\n"));
    fuzz_api_undo(&api);
    free(text);
    return 0;
}
