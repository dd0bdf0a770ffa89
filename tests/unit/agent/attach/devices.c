#include "tests/unit/agent/attach/devices.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/xalloc.h"

const char *device_address(char letter, char out[DEVICE_ADDRESS_SIZE])
{
    if (letter < 'p')
        snprintf(out, DEVICE_ADDRESS_SIZE, "dddddddd-0000-4000-8000-0000000000%02x",
                 (unsigned)letter);
    else
        snprintf(out, DEVICE_ADDRESS_SIZE, "0000:41:%02x.0", (unsigned)(letter - 'p'));
    return out;
}

char device_letter(const char *address)
{
    char candidate[DEVICE_ADDRESS_SIZE];
    for (char letter = 'a'; letter <= 'z'; letter++)
        if (strcmp(device_address(letter, candidate), address) == 0)
            return letter;
    return '?';
}

struct strlist device_list(const char *letters)
{
    struct strlist list = {0};
    char address[DEVICE_ADDRESS_SIZE];
    for (; *letters; letters++)
        strlist_add(&list, device_address(*letters, address));
    strlist_sort(&list);
    return list;
}

/* In the order of the letters. */
const char *device_letters(const struct strlist *list, char out[27])
{
    char address[DEVICE_ADDRESS_SIZE], *end = out;
    for (char letter = 'a'; letter <= 'z'; letter++)
        if (strlist_contains(list, device_address(letter, address)))
            *end++ = letter;
    *end = 0;
    return out;
}

void add_wanted(struct wanted *wanted, const char *letters)
{
    struct strlist addresses = device_list(letters);
    for (size_t i = 0; i < addresses.count; i++) {
        _cleanup_free_ char *xml =
            xasprintf("<%c/>", device_letter(addresses.items[i]));
        wanted_add_device(wanted, addresses.items[i], xml);
    }
    strlist_clear(&addresses);
}

struct guest make_guest(const char *uuid, const char *how, const char *live,
                        const char *configured)
{
    struct guest guest = {.name = xstrdup("instance-00000001"),
                          .running = strcmp(how, "off") != 0,
                          .persistent = strcmp(how, "transient") != 0,
                          .live = device_list(live),
                          .configured = device_list(configured)};
    uuid_text_copy(guest.uuid, uuid);
    return guest;
}
