/*
 * nova_pci: the options of nova.conf that decide which virtual functions nova-compute
 * gives to guests: [pci] device_spec, alias and report_in_placement, and
 * [filter_scheduler] pci_in_placement. They are Nova's; the agent only compares them
 * with the host. Read from the same files as all others, and only in mode nova-pci.
 *
 * As with oslo.config, device_spec and alias may be repeated, and the values of all
 * files count. The values are kept as they are written: JSON, which
 * agent/desired/device_spec.h parses.
 */
#ifndef CONFIG_NOVA_PCI_H
#define CONFIG_NOVA_PCI_H

#include <stdbool.h>
#include <stddef.h>

#include "config/ini.h"
#include "config/problems.h"

struct nova_pci_value {
    char *text;
    struct config_place place;
};

struct nova_pci_config {
    struct nova_pci_value *specs; /* in the order of reading */
    size_t spec_count;
    struct nova_pci_value *aliases;
    size_t alias_count;
    /* The last value of each, true where oslo.config takes it for true. */
    bool report_in_placement, pci_in_placement;
    bool scheduler_known; /* pci_in_placement stands in a file */
};

/* Whether such options stand in the section of that name. */
bool nova_pci_has_section(const char *name);
void nova_pci_apply(struct nova_pci_config *out, const struct ini *ini);
void nova_pci_clear(struct nova_pci_config *config);

#endif
