/*
 * fake_kind: a kind of device that there is not. Its devices are virtual functions with PCI
 * addresses; the host knows no uuid of them; and an address is used again. A function's
 * file below fake/ says of which type it is, "0" of none. It comes in two sorts: one whose
 * parent is the function itself, so that the address is known beforehand, and one where
 * the card chooses the function, so that only create() learns it.
 */
#ifndef TESTS_UNIT_AGENT_BACKEND_FAKE_KIND_H
#define TESTS_UNIT_AGENT_BACKEND_FAKE_KIND_H

#include "agent/backend/backend.h"

#define CARD "0000:41:00.0"
#define VF_1 "0000:41:00.1"
#define VF_2 "0000:41:00.2"
#define VF_3 "0000:41:00.3"
#define TYPE "1147"
#define OTHER_TYPE "1148"
#define FAKE_KIND_FUNCTIONS 3

extern const struct backend fake_kind;
/* The sort: the card chooses the function. */
extern bool fake_kind_chooses;
extern const char *const fake_kind_functions[FAKE_KIND_FUNCTIONS];

/* The folder with the functions' files. */
int fake_kind_open(const char *sysfs_root);
/* NULL: of none. The caller frees. */
char *fake_kind_type_of(int folder, const char *function);

#endif
