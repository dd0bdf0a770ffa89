/*
 * ours: which providers below the root are read in detail: the agent's own (their uuid
 * is uuid5 of the root's uuid and their name), and those with a name that the agent or
 * Nova would give a GPU. Pure.
 */
#ifndef AGENT_TREE_OURS_H
#define AGENT_TREE_OURS_H

#include <stdbool.h>

#include "config/config.h"
#include "placement/model.h"

bool provider_is_ours(const struct provider *provider, const struct provider *root,
                      enum agent_mode mode);

#endif
