/*
 * pci_ids: the names of PCI devices' models in pci.ids, the list that lspci(8) reads:
 * the package pci.ids or hwdata. A vendor's line is its number and its name; below it,
 * each after a tab, are its devices. Plain data; the caller clears it.
 */
#ifndef AGENT_HOST_PCI_IDS_H
#define AGENT_HOST_PCI_IDS_H

#include <stdint.h>

#include "lib/cleanup.h"

struct pci_ids {
    char *text; /* with a line feed before the first line; NULL: there is no list */
};

/* Reads the list below host_root ("/" on a host). Where there is none, or it cannot be
 * read, no model has a name. */
void pci_ids_read(const char *host_root, struct pci_ids *out);
/* "AD102GL [L40S]"; NULL when the list does not have it. The caller frees. */
char *pci_ids_model(const struct pci_ids *ids, uint16_t vendor, uint16_t device);
void pci_ids_clear(struct pci_ids *ids);

#define _cleanup_pci_ids_ _cleanup_(pci_ids_clear)

#endif
