/*
 * journal_example: a journal that has every member, for the tests of what it becomes in
 * its file.
 */
#ifndef TESTS_UNIT_AGENT_STATE_JOURNAL_EXAMPLE_H
#define TESTS_UNIT_AGENT_STATE_JOURNAL_EXAMPLE_H

#include "agent/state/journal.h"

#define UUID_A "11111111-1111-5111-8111-111111111111"
#define UUID_B "22222222-2222-5222-8222-222222222222"
#define UUID_C "33333333-3333-4333-8333-333333333333"

/* An mdev that UUID_C has of UUID_B; its strings are borrowed. */
struct journal_device journal_example_device(const char *uuid, char *type_name);
/* A provider with two devices, and one device that was made by hand. The caller frees. */
struct journal *journal_example(void);

void assert_journal_equal(const struct journal *a, const struct journal *b);

#endif
