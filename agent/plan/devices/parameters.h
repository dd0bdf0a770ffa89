/*
 * parameters: the settings that a device gets beside its type (NVIDIA's vgpu_params): an
 * operator's for this device alone, which the journal has, else those of its type's
 * configuration. They are written when a device is made and when it is handed over; what
 * a crash has left in doubt is written again, before a consumer gets the device.
 */
#ifndef AGENT_PLAN_DEVICES_PARAMETERS_H
#define AGENT_PLAN_DEVICES_PARAMETERS_H

#include "agent/plan/world/world.h"

/* True when the device's parameters are still to be written. False while a guest has it,
 * whose driver takes none. */
bool parameters_are_due(const struct present *present);

/* Completes the plan, when all its steps are decided: adds a step for each device whose
 * parameters are due, and says of all steps what is written. */
void plan_parameters(struct world *world);

#endif
