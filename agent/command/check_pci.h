/*
 * check_pci: compares [pci] in nova.conf with the cut of the cards, in mode nova-pci.
 */
#ifndef AGENT_COMMAND_CHECK_PCI_H
#define AGENT_COMMAND_CHECK_PCI_H

#include "agent/host/host.h"
#include "agent/plan/steps/plan.h"
#include "config/config.h"

/* Adds a problem for each difference. The cards are those of a plan for this host. An
 * error: a guest would get another device than its flavor asks for, or none. */
void check_pci(const struct config *config, const struct host *host,
               const struct pci_card *cards, size_t card_count,
               struct config_problems *problems);

#endif
