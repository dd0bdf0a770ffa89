/*
 * reference_candidates: the allocation candidates of a request, found by trying every
 * provider in every slot at every anchor, and checking each rule by its definition.
 */
#ifndef TESTS_UNIT_PLACEMENT_SERVER_CANDIDATES_REFERENCE_CANDIDATES_H
#define TESTS_UNIT_PLACEMENT_SERVER_CANDIDATES_REFERENCE_CANDIDATES_H

#include "lib/strlist.h"
#include "tests/unit/placement/server/candidates/random_spec.h"

/* Each as text, "provider:class=sum ..." and "suffix>provider ...", each part sorted;
 * sorted. The caller clears. */
struct strlist reference_candidates(const struct world *world, const struct spec *spec);

#endif
