/*
 * xe_vf: virtual functions of cards with Intel's driver xe, which get their share of the
 * card by what is written below sriov_admin/vf<N>/profile (agent/backend/xe_files.h).
 * The types are those that the configuration names, `[vf_type_<type>] vram_quota = 8G`.
 * The functions are the parents, each with at most one device, whose address is the
 * function's: known beforehand, also while it is not enabled, and used again.
 *
 * A function with a quota is a device, of the type that has its values. The first device
 * of a card is written before the functions are enabled, since the driver shares the
 * memory among all of them otherwise; then they are enabled, all that the card can have.
 * Where somebody else has enabled them without a quota, each has a share that is no
 * configured type, and nothing is made.
 *
 * As with nvidia_vfio, what is there is compared with what was asked for right before
 * each write, and a function is not written that anybody uses.
 */
#ifndef AGENT_BACKEND_XE_VF_H
#define AGENT_BACKEND_XE_VF_H

#include "agent/backend/backend.h"

extern const struct backend backend_xe_vf;

#endif
