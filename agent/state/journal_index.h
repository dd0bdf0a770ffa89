/*
 * journal_index: which of the journal's entries a device on the host is. An entry is found
 * by its place (backend and address), or by its uuid while its address is not known yet;
 * an address that was used again, for a device of another type, is not the entry's any
 * more. Pure; borrows the journal.
 */
#ifndef AGENT_STATE_JOURNAL_INDEX_H
#define AGENT_STATE_JOURNAL_INDEX_H

#include "agent/host/host.h"
#include "agent/state/journal.h"

/* Sorted by address and backend. */
struct journal_index {
    const struct journal_device **entries;
    bool *seen; /* those whose device is on the host, so far */
    size_t count;
};

/* The caller ends it with journal_index_clear(). */
struct journal_index journal_index_make(const struct journal *journal);
void journal_index_clear(struct journal_index *index);

/* The device's entry, which is seen then; NULL: there is none. `parent` may be NULL where
 * it is not known. */
const struct journal_device *journal_index_see(struct journal_index *index,
                                               const struct device *device,
                                               const struct parent *parent);
/* An entry of another kind at the device's address, which is not released; or NULL. */
const struct journal_device *journal_index_other_kind(const struct journal_index *index,
                                                      const struct device *device);

#endif
