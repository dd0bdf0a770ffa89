/*
 * fixed_vf: virtual functions that are units as they are, cut beforehand by their
 * driver or by an operator (AMD's MxGPU, a card that divides itself when its functions
 * are enabled). Which cards, only the configuration says: device_addresses of a type
 * with `[vf_type_<type>] fixed = true`.
 *
 * Each function is a parent with one device, always, whose address is the function's.
 * Nothing is made, removed or written: a device that nobody has is taken for an
 * allocation (agent/plan/world/match.h), and let go when that is gone. So the journal
 * has them as made by somebody else. A guest gets a function through libvirt's
 * vfio-pci.
 */
#ifndef AGENT_BACKEND_FIXED_VF_H
#define AGENT_BACKEND_FIXED_VF_H

#include "agent/backend/backend.h"

extern const struct backend backend_fixed_vf;

#endif
