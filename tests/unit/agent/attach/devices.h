/*
 * devices: what the tests of agent/attach share: guests and devices in a few letters.
 * A device is a letter: 'a' to 'o' are mediated devices, 'p' to 'z' PCI devices; a list
 * of devices is a text such as "abp".
 */
#ifndef TESTS_UNIT_AGENT_ATTACH_DEVICES_H
#define TESTS_UNIT_AGENT_ATTACH_DEVICES_H

#include "agent/attach/decide.h"

#define SERVER(digit) #digit "1111111-0000-4000-8000-000000000000"

/* The address that the letter stands for. */
const char *device_address(char letter, char out[DEVICE_ADDRESS_SIZE]);
/* The letter of an address. */
char device_letter(const char *address);
struct strlist device_list(const char *letters);
/* "ab" for a list; `out` has room for all letters. */
const char *device_letters(const struct strlist *list, char out[27]);

void add_wanted(struct wanted *wanted, const char *letters);

/* "off", "run" or "transient", with its devices; `configured` as it is, whatever the
 * first says. */
struct guest make_guest(const char *uuid, const char *how, const char *live,
                        const char *configured);

#endif
