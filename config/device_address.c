#include "config/device_address.h"

#include <ctype.h>
#include <string.h>

#include "lib/pci_address.h"
#include "lib/xalloc.h"

/* Whether it is the name of a channel device of s390: "0.0.26ab". */
static bool is_css(const char *text)
{
    static const char form[] = "x.x.xxxx";
    if (strlen(text) != strlen(form))
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    return true;
}

static bool is_name(const char *text)
{
    /* libvirt's name of a PCI device, or the name of a provider, which contains it */
    char pci[PCI_ADDRESS_SIZE];
    if (!isalpha((unsigned char)*text) || strncasecmp(text, "pci_", 4) == 0 ||
        (strcasestr(text, "_pci_") && pci_address_guess(text, pci)))
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_' && *text != '-')
            return false;
    return true;
}

bool device_address_is_logical(const char *text)
{
    size_t prefix = strlen(LOGICAL_NAME_PREFIX);
    if (strncmp(text, LOGICAL_NAME_PREFIX, prefix) != 0)
        return false;
    const char *number = text + prefix;
    return *number >= '1' && *number <= '9' &&
           number[strspn(number, "0123456789")] == 0;
}

char *device_address_normalise(const char *text)
{
    char pci[PCI_ADDRESS_SIZE];
    if (pci_address_normalise(text, pci))
        return xstrdup(pci);
    if (is_css(text)) {
        char *name = xstrdup(text);
        for (char *p = name; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        return name;
    }
    if (!is_name(text) || device_address_is_logical(text))
        return NULL;
    /* libvirt's name is <subsystem>_<name>, and such a driver uses one word for
     * both. */
    size_t half = strlen(text) / 2;
    if (strlen(text) % 2 && text[half] == '_' &&
        strncmp(text, text + half + 1, half) == 0)
        return xstrdup(text + half + 1);
    return xstrdup(text);
}
