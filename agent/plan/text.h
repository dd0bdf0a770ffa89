/*
 * text: a plan in words: names of its enumerations and what `vgpu-agent plan`
 * prints. The names are stable; JSON uses '_' for ' '.
 */
#ifndef AGENT_PLAN_TEXT_H
#define AGENT_PLAN_TEXT_H

#include <stdio.h>

#include "agent/plan/plan.h"
#include "lib/json_write.h"
#include "lib/table.h"

/* "pending", "ready", "in use", "releasing", "failed" */
const char *allocation_state_name(enum allocation_state state);

/* The custom ones by name, as they are what a flavor asks for, and how many others: a
 * type earns some twenty standard ones. The caller frees. */
char *traits_text(const struct strlist *traits);
/* What the step does to what, as one phrase: "VGPU total=16 reserved=0". The caller
 * frees. */
char *step_text(const struct step *step);
/* The same in the columns that plans and what became of them have in common. */
void step_add_to(struct table *table, const struct step *step);
void step_write(struct json_writer *w, const struct step *step);

/* Steps and what is not well, which may be more than the plan's own problems: a table
 * and lines, or {"steps": [...], "problems": [...]}. 0, or -1 when the stream failed. */
int plan_print(const struct plan *plan, const struct strlist *problems,
               enum output_format format, FILE *out);

#endif
