/*
 * journal_notes: what the steps of a plan leave in the journal. Pure: the executor saves
 * when one of these says that something changed. The order that makes a crash at any
 * moment harmless: note all intentions, save, carry out the steps, note each as done,
 * save (before the next plan at the latest).
 */
#ifndef AGENT_PLAN_JOURNAL_NOTES_H
#define AGENT_PLAN_JOURNAL_NOTES_H

#include "agent/plan/plan.h"
#include "agent/state/journal.h"

/* First of all: whose the plan is. True when the journal has changed. */
bool plan_note_root(struct journal *journal, const struct plan *plan);
/* Before anything is carried out. True when the journal has changed. */
bool plan_note_intention(struct journal *journal, const struct step *step);
/* After the step has been carried out. `existed`: the device that it was to make was
 * there already; `address`: where it is, NULL or "" where that is as planned. True when
 * the journal has changed. */
bool plan_note_done(struct journal *journal, const struct step *step, bool existed,
                    const char *address);
/* Of an operation that has outlived its plan: where the device is that it has made, ""
 * where it was to be removed. True when the journal has changed. */
bool plan_note_late(struct journal *journal, const char *uuid, const char *address);

#endif
