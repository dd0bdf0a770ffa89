/*
 * device_spec: the entries of [pci] device_spec in nova.conf, read and matched as
 * nova-compute does it. Pure. Facts are from Nova's documentation of [pci] and from runs
 * of nova/pci/devspec.py and nova/compute/pci_placement_translator.py (Nova 26 and the
 * heads of 2026):
 *
 * - A value is a JSON object, or a list of them. An address is a glob ("*:41:00.*", parts
 *   that are missing match all), an object of regular expressions, which match from the
 *   beginning on, or exact. The exact address of a card also means all its functions.
 * - The first entry that matches a device decides. resource_class and traits are brought
 *   to Placement's form: upper case, CUSTOM_ where they are not standard.
 * - `managed` is true, `live_migratable` false where they are not set (2025.1).
 * - The functions of one card must have one resource class and one set of traits, or
 *   nova-compute reports nothing at all.
 *
 * The ids of a virtual function are not known here: product_id is not compared.
 */
#ifndef AGENT_DESIRED_DEVICE_SPEC_H
#define AGENT_DESIRED_DEVICE_SPEC_H

#include "agent/host/host.h"
#include "config/nova_pci.h"
#include "lib/cleanup.h"

struct device_spec;
struct device_specs {
    struct device_spec *items;
    size_t count;
};

/* Each value that nova-compute would refuse is an error. */
void device_specs_read(const struct nova_pci_config *config, struct device_specs *out,
                       struct config_problems *problems);
void device_specs_clear(struct device_specs *specs);
#define _cleanup_specs_ _cleanup_(device_specs_clear)

/* What an entry says of the devices that it matches; borrowed from it. */
struct device_tags {
    const struct config_place *place;
    const char *resource_class; /* NULL: none, and Nova makes one of the device's ids */
    const struct strlist *traits; /* sorted */
    bool managed, live_migratable;
    bool has_network; /* physical_network: then it is not reported to Placement */
};

/* The entry that decides on the function `address` of the card, or with `address` the
 * card's own name, on the card. False: none matches. */
bool device_specs_find(const struct device_specs *specs, const struct gpu *gpu,
                       const char *address, struct device_tags *out);

#endif
