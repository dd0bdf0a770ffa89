#include "lib/pci_address.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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

void pci_address_text(uint64_t number, char out[PCI_ADDRESS_SIZE])
{
    snprintf(out, PCI_ADDRESS_SIZE, "%04x:%02x:%02x.%x", (unsigned)(number >> 16),
             (unsigned)(number >> 8 & 0xff), (unsigned)(number >> 3 & 0x1f),
             (unsigned)(number & 7));
}

bool pci_address_normalise(const char *text, char out[PCI_ADDRESS_SIZE])
{
    uint64_t number;
    if (!pci_address_parse(text, &number))
        return false;
    pci_address_text(number, out);
    return true;
}

/* The groups of hexadecimal digits in `text`, one separator between two of them. How
 * many; 0: too many, or something else is in it. */
static size_t take_groups(const char *text, uint64_t values[4])
{
    for (size_t count = 0; count < 4; text++) {
        text = take_hex(text, 1, 8, &values[count++]);
        if (!text || !*text)
            return text ? count : 0;
        if (!strchr(":._-", *text))
            return 0;
    }
    return 0;
}

/* "84:00.0" has no domain, "0000:84:00" no function, "84:00" neither. */
static bool lacks_domain(const char *text, size_t groups)
{
    size_t length = strlen(text);
    bool one_digit = length > 2 && !isxdigit((unsigned char)text[length - 2]);
    return groups == 2 || (groups == 3 && one_digit);
}

bool pci_address_guess(const char *text, char out[PCI_ADDRESS_SIZE])
{
    const char *pci = strcasestr(text, "pci");
    if (pci && pci[3] && strchr(":._-@", pci[3]))
        text = pci + 4;
    uint64_t all[5] = {0}, *v = all;
    size_t count = take_groups(text, all + 1);
    if (count < 2)
        return false;
    if (!lacks_domain(text, count))
        v++;
    char guess[80];
    snprintf(guess, sizeof guess, "%04jx:%02jx:%02jx.%jx", (uintmax_t)v[0],
             (uintmax_t)v[1], (uintmax_t)v[2], (uintmax_t)v[3]);
    return pci_address_normalise(guess, out);
}

const char *pci_address_brief(const char *text)
{
    static const char domain[] = "0000:";
    bool is_brief = text && pci_address_parse(text, NULL) &&
                    strncmp(text, domain, strlen(domain)) == 0;
    return is_brief ? text + strlen(domain) : text;
}
