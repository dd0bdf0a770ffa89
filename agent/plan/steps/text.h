/*
 * text: names of a plan's enumerations, and the output of `vgpu-agent plan`. The names
 * are stable; JSON uses '_' for ' '.
 */
#ifndef AGENT_PLAN_STEPS_TEXT_H
#define AGENT_PLAN_STEPS_TEXT_H

#include <stdio.h>

#include "agent/plan/steps/plan.h"
#include "lib/json_write.h"
#include "lib/table.h"

/* The name of the state: "pending", "ready", "in use", "migrating", "releasing",
 * "failed". */
const char *allocation_state_name(enum allocation_state state);

/* The custom traits by name, since flavors ask for them, and the number of the others:
 * a type has some twenty standard traits. The caller frees. */
char *traits_text(const struct strlist *traits);
/* What the step does, as one phrase: "VGPU total=16 reserved=0". The caller frees. */
char *step_text(const struct step *step);
/* Adds the step to a table, in the columns that plans and their results share. */
void step_add_to(struct table *table, const struct step *step);
void step_write(struct json_writer *w, const struct step *step);

/* Prints the steps and `problems`, which may be more than the plan's own: a table and
 * lines, or {"steps": [...], "problems": [...]}. Returns 0, or -1 when the stream
 * failed. */
int plan_print(const struct plan *plan, const struct strlist *problems,
               enum output_format format, FILE *out);

#endif
