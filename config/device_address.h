/*
 * device_address: an item of device_addresses. Stateless.
 */
#ifndef CONFIG_DEVICE_ADDRESS_H
#define CONFIG_DEVICE_ADDRESS_H

#include <stdbool.h>

/* Normalises an item of device_addresses: a PCI address, in either case and with any
 * number of digits in its domain, to the kernel's spelling; the name of a parent that
 * is not PCI ("mtty", "matrix", "0.0.26ab") to the kernel's name, also from libvirt's
 * form ("mtty_mtty"). NULL when it is neither, or a logical name; the caller frees. */
char *device_address_normalise(const char *text);

/* Whether it is the name of a GPU by its place on the bus, LOGICAL_NAME_PREFIX and a
 * number from 1 on ("gpupci2"), as commands take it. Such a name means another GPU once
 * a card is added or taken out, so that the files must not have one. */
#define LOGICAL_NAME_PREFIX "gpupci"
bool device_address_is_logical(const char *text);

#endif
