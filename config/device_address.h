/*
 * device_address: an item of device_addresses. Stateless.
 */
#ifndef CONFIG_DEVICE_ADDRESS_H
#define CONFIG_DEVICE_ADDRESS_H

/* Normalises an item of device_addresses: a PCI address, in either case and with any
 * number of digits in its domain, to the kernel's spelling; the name of a parent that
 * is not PCI ("mtty", "matrix", "0.0.26ab") to the kernel's name, also from libvirt's
 * form ("mtty_mtty"). NULL when it is neither; the caller frees. */
char *device_address_normalise(const char *text);

#endif
