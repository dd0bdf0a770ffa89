#include "agent/host/pci_ids.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define MAX_SIZE (16UL << 20) /* that of 2024 has 1.5 MB */

void pci_ids_read(const char *host_root, struct pci_ids *out)
{
    /* Debian's place, then Fedora's. */
    static const char *const places[] = {"usr/share/misc/pci.ids",
                                         "usr/share/hwdata/pci.ids"};
    *out = (struct pci_ids){0};
    for (size_t i = 0; i < sizeof places / sizeof *places && !out->text; i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", host_root, places[i]);
        _cleanup_free_ char *text = NULL;
        if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, NULL, NULL) == 0)
            out->text = xasprintf("\n%s", text);
    }
}

/* The first line after `from` that begins with the four digits after `tabs`, and then
 * two blanks: what follows these. NULL: there is none. */
static const char *find_line(const char *from, const char *tabs, uint16_t number)
{
    _cleanup_free_ char *begin = xasprintf("\n%s%04x  ", tabs, number);
    const char *found = strstr(from, begin);
    return found ? found + strlen(begin) : NULL;
}

/* Where the lines of the vendor end whose name is at `vendor`: at the next line that is
 * neither indented nor a comment. */
static const char *end_of_vendor(const char *vendor)
{
    const char *line = vendor;
    while ((line = strchr(line, '\n')) && strchr("\t#", line[1]))
        line++;
    return line ? line : vendor + strlen(vendor);
}

char *pci_ids_model(const struct pci_ids *ids, uint16_t vendor, uint16_t device)
{
    const char *its = ids->text ? find_line(ids->text, "", vendor) : NULL;
    const char *name = its ? find_line(its, "\t", device) : NULL;
    if (!name || name > end_of_vendor(its))
        return NULL;
    return sysfs_printable(xstrndup(name, strcspn(name, "\n")));
}

void pci_ids_clear(struct pci_ids *ids)
{
    free(ids->text);
    *ids = (struct pci_ids){0};
}
