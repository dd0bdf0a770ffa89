/*
 * random_world: a plan_model that is made and changed at random from a seed; the same
 * seed gives the same world. It also records what others have set in it and the agent
 * must never change.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_WORLD_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_WORLD_H

#include "tests/unit/agent/plan/plan_model.h"

#define CONSUMERS 8
#define MIGRATIONS 3

/* What others have set on a provider; the agent must never change it. */
struct foreign {
    char provider[UUID_TEXT_SIZE];
    bool trait, class; /* CUSTOM_FOREIGN, CUSTOM_ELSE */
    int64_t reserved;  /* -1: neither reserved nor the ratio was set, or the values are
                          lost */
    double ratio;
};

struct chance {
    struct model model;
    unsigned short state[3];
    unsigned seed;
    int round;
    struct foreign foreign[24];
    int foreign_count;
    int nova_children; /* children that Nova has ever created */
};

/* Makes a world. PLAN_MODE=owner or nova in the environment replaces the random mode.
 * The caller clears the model. */
void chance_make(struct chance *c, unsigned seed);
/* A random number from 0 to sides - 1. */
int chance_roll(struct chance *c, int sides);
void chance_uuid(const char *kind, int number, char out[UUID_TEXT_SIZE]);
/* True when the consumer is a migration and not a server. */
bool chance_is_migration(const char *consumer);
/* Changes the configuration of the types. */
void chance_configure(struct chance *c);
/* True when the agent overrules what an operator has set on the provider. */
bool chance_is_held_back(struct chance *c, const struct model_provider *p);
/* Shows the world and fails the test. */
void chance_wrong(const struct chance *c, const char *what);

#endif
