/* libFuzzer: what the daemon and vgpu-agent-libvirt tell each other, and the XML that
 * libvirt gives. What is taken is written and taken again, and must be the same then.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/attach/message.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void take_line(const char *line, size_t length)
{
    _cleanup_message_ struct message message, again;
    struct error err = {0};
    int rc = message_decode(line, length, &message, &err);
    must((rc == 0) == (err.code == ERROR_NONE));
    if (rc != 0) {
        again = (struct message){0};
        return;
    }
    _cleanup_free_ char *text = message_encode(&message);
    size_t end = strlen(text) - 1;
    must(text[end] == '\n' && !memchr(text, '\n', end));
    must(message_decode(text, end, &again, NULL) == 0);
    _cleanup_free_ char *same = message_encode(&again);
    must(strcmp(text, same) == 0);
}

/* Up to the first NUL the live XML, behind it the configured one; empty is none. */
static void take_guest(const char *data, size_t size)
{
    _cleanup_free_ char *live = xstrndup(data, size);
    size_t length = strlen(live);
    _cleanup_free_ char *configured =
        length < size ? xstrndup(data + length + 1, size - length - 1) : NULL;
    _cleanup_guest_ struct guest guest;
    struct error err = {0};
    int rc = guest_parse(length ? live : NULL, configured, &guest, &err);
    must((rc == 0) == (err.code == ERROR_NONE));
    if (rc != 0)
        return;
    must(guest.name && strlen(guest.uuid) == UUID_TEXT_SIZE - 1);
    for (size_t i = 0; i < guest.live.count; i++)
        free(guest_device_xml(guest.live.items[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && *data == '{')
        take_line((const char *)data, size);
    else
        take_guest((const char *)data, size);
    return 0;
}
