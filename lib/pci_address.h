/*
 * pci_address: "0000:84:00.0" as Linux writes it: a domain of four to eight hexadecimal
 * digits (nvidia-smi pads to eight, VMD domains need five), bus, device, function.
 * Stateless.
 */
#ifndef LIB_PCI_ADDRESS_H
#define LIB_PCI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_ADDRESS_SIZE 17

/* The address as one number whose order is the bus's order. False when `text` is none:
 * the whole text must be one, the device at most 1f and the function at most 7. Upper
 * case is taken. `number` may be NULL. */
bool pci_address_parse(const char *text, uint64_t *number);

/* The address that the number stands for. */
void pci_address_text(uint64_t number, char out[PCI_ADDRESS_SIZE]);

/* As sysfs spells it: lower case, no more than four digits of domain unless they count.
 * False, and `out` untouched, when `text` is no address. */
bool pci_address_normalise(const char *text, char out[PCI_ADDRESS_SIZE]);

/* What an address means that is written as others do, such as lspci ("84:00.0"), libvirt
 * ("pci_0000_84_00_0", also at the end of a provider's name) or with wrong separators:
 * as above. False, and `out` untouched, when nothing can be guessed. */
bool pci_address_guess(const char *text, char out[PCI_ADDRESS_SIZE]);

/* As people and lspci(8) write one of domain 0000: "84:00.0"; a part of `text`. Any other
 * name, or NULL, is given back as it is. */
const char *pci_address_brief(const char *text);

#endif
