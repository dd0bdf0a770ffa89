#include "lib/pci_address.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>

/* Takes `least` to `most` hexadecimal digits. NULL when there are fewer. */
static const char *take_hex(const char *text, int least, int most, uint64_t *value)
{
    int digits = 0;
    for (*value = 0; digits < most && isxdigit((unsigned char)*text); digits++, text++)
        *value =
            *value << 4 | (uint64_t)(isdigit((unsigned char)*text)
                                         ? *text - '0'
                                         : tolower((unsigned char)*text) - 'a' + 10);
    return digits >= least ? text : NULL;
}

static const char *take(const char *text, char wanted)
{
    return text && *text == wanted ? text + 1 : NULL;
}

bool pci_address_parse(const char *text, uint64_t *number)
{
    uint64_t domain, bus, device, function;
    text = take(take_hex(text, 4, 8, &domain), ':');
    text = text ? take(take_hex(text, 2, 2, &bus), ':') : NULL;
    text = text ? take(take_hex(text, 2, 2, &device), '.') : NULL;
    text = text ? take_hex(text, 1, 1, &function) : NULL;
    if (!text || *text || device > 0x1f || function > 7)
        return false;
    if (number)
        *number = domain << 16 | bus << 8 | device << 3 | function;
    return true;
}

bool pci_address_normalise(const char *text, char out[PCI_ADDRESS_SIZE])
{
    uint64_t number;
    if (!pci_address_parse(text, &number))
        return false;
    snprintf(out, PCI_ADDRESS_SIZE, "%04x:%02x:%02x.%x", (unsigned)(number >> 16),
             (unsigned)(number >> 8 & 0xff), (unsigned)(number >> 3 & 0x1f),
             (unsigned)(number & 7));
    return true;
}
