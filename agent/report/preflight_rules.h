/*
 * preflight_rules: the rules of preflight (agent/report/preflight.h), which calls them in
 * their order. Each looks at what was seen, and adds items. Pure.
 */
#ifndef AGENT_REPORT_PREFLIGHT_RULES_H
#define AGENT_REPORT_PREFLIGHT_RULES_H

#include "agent/report/preflight.h"

/* For the rules: adds an item, whose `found` and `remedy` become the item's. */
struct preflight_item *preflight_add(struct preflight *out, const char *check,
                                     enum preflight_state state, char *found,
                                     char *remedy);
/* The same, for what check-config says as well. */
void preflight_add_told(struct preflight *out, const char *check,
                        enum preflight_state state, char *found, char *remedy);

/* preflight_cards.c */
void preflight_judge_gpus(const struct preflight_seen *seen, struct preflight *out);
void preflight_judge_driver(const struct preflight_seen *seen, struct preflight *out);
void preflight_judge_functions(const struct preflight_seen *seen,
                               struct preflight *out);
void preflight_judge_kinds(const struct preflight_seen *seen, struct preflight *out);

/* preflight_kernel.c */
void preflight_judge_iommu(const struct preflight_seen *seen, struct preflight *out);
void preflight_judge_vfio(const struct preflight_seen *seen, struct preflight *out);
void preflight_judge_vfio_pci(const struct preflight_seen *seen, struct preflight *out);
void preflight_judge_lockdown(const struct preflight_seen *seen, struct preflight *out);

/* preflight_maker.c */
void preflight_judge_vendors(const struct preflight_seen *seen, struct preflight *out);

/* preflight_agent.c */
void preflight_judge_rights(const struct preflight_seen *seen, struct preflight *out);
void preflight_judge_mdevctl(const struct preflight_seen *seen, struct preflight *out);
void preflight_judge_libvirt(const struct preflight_seen *seen, struct preflight *out);

#endif
