/*
 * nova_pci: the plan in mode nova-pci. nova-compute has one provider for each card
 * whose virtual functions its [pci] device_spec names ("<root>_0000:41:00.0"), and
 * gives the functions to guests. The agent gives the functions their types
 * (agent/plan/devices/cut.h) and compares Nova's providers with the cut.
 *
 * It writes nothing to these providers. Nova sets the whole list of their traits from
 * device_spec whenever it reads the tree again ([compute]
 * resource_provider_association_refresh), so that a trait of anybody else's is gone some
 * minutes later: the traits of the types have to stand in device_spec, which `vgpu-agent
 * nova-config` prints.
 */
#ifndef AGENT_PLAN_PROVIDERS_NOVA_PCI_H
#define AGENT_PLAN_PROVIDERS_NOVA_PCI_H

#include "agent/plan/world/world.h"

/* Plans all cards, and the providers that Placement has for them. */
void plan_nova_pci(struct world *world);
/* The same where Placement could not be read: what is known from the host, the
 * configuration and the journal. */
void plan_nova_pci_blind(struct world *world);

#endif
