/*
 * device_address: an item of device_addresses. Stateless.
 */
#ifndef CONFIG_DEVICE_ADDRESS_H
#define CONFIG_DEVICE_ADDRESS_H

/* A PCI address as the kernel spells it, whatever the case and the domain's digits;
 * else the name of a parent that is not PCI as the kernel has it ("mtty", "matrix",
 * "0.0.26ab"), also where it was written as libvirt does ("mtty_mtty"). NULL when it is
 * neither; the caller frees. */
char *device_address_normalise(const char *text);

#endif
