/*
 * journal_notes: changes the journal for the steps of a plan. Pure: the executor saves
 * the journal when one of these functions says that it has changed. A crash at any
 * moment is harmless because of the order: note all intentions, save, carry out the
 * steps, note each step as done, save (before the next plan at the latest).
 */
#ifndef AGENT_PLAN_STEPS_JOURNAL_NOTES_H
#define AGENT_PLAN_STEPS_JOURNAL_NOTES_H

#include "agent/plan/steps/plan.h"
#include "agent/state/journal.h"

/* Notes which root provider the plan is for; called before all other notes. True when
 * the journal has changed. */
bool plan_note_root(struct journal *journal, const struct plan *plan);
/* Notes what the step is going to do; called before any step is carried out. True when
 * the journal has changed. */
bool plan_note_intention(struct journal *journal, const struct step *step);
/* Notes what the step has done; called after it has been carried out. `existed`: the
 * device, trait or class that the step was to make existed already. `address`: the
 * device's address; NULL or "": it is as planned. True when the journal has changed. */
bool plan_note_done(struct journal *journal, const struct step *step, bool existed,
                    const char *address);
/* Notes that a device could not be made since somebody else's is there. An address that
 * can be used again (it is not the uuid) is not this device's any more. True when the
 * journal has changed. */
bool plan_note_taken(struct journal *journal, const char *uuid);
/* Notes the result of an operation that ended after its plan. `address`: where the
 * created device is; "" for a removal. True when the journal has changed. */
bool plan_note_late(struct journal *journal, const char *uuid, const char *address);

#endif
