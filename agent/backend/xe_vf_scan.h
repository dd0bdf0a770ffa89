/*
 * xe_vf_scan: reads the virtual functions of cards with Intel's driver xe
 * (agent/backend/xe_files.h) from sysfs, and offers the types that the configuration
 * names. Keeps nothing.
 */
#ifndef AGENT_BACKEND_XE_VF_SCAN_H
#define AGENT_BACKEND_XE_VF_SCAN_H

#include "agent/backend/backend.h"

/* The kind's name, in the journal and in every device. */
#define XE_VF_NAME "xe_vf"

/* As in struct backend. A card has parents only where a type is configured that its
 * functions could get. */
int xe_vf_scan(const struct scan *scan, int root, struct error *err);

#endif
