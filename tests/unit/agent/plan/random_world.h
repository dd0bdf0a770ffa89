/*
 * random_world: a plan_model that chance makes and moves, from a seed: the same seed is
 * the same world. With what others have put into it and the agent must never change.
 */
#ifndef TESTS_UNIT_AGENT_PLAN_RANDOM_WORLD_H
#define TESTS_UNIT_AGENT_PLAN_RANDOM_WORLD_H

#include "tests/unit/agent/plan/plan_model.h"

#define CONSUMERS 8
#define MIGRATIONS 3

/* What others have put onto a provider; never changed by the agent. */
struct foreign {
    char provider[UUID_TEXT_SIZE];
    bool trait, class; /* CUSTOM_FOREIGN, CUSTOM_ELSE */
    int64_t reserved;  /* -1: he set neither this nor the ratio, or they are lost */
    double ratio;
};

struct chance {
    struct model model;
    unsigned short state[3];
    unsigned seed;
    int round;
    struct foreign foreign[10];
    int foreign_count;
    int nova_children; /* that there ever were */
};

/* PLAN_MODE=owner or nova in the environment stands in place of a random mode. The
 * model is to be cleared. */
void chance_make(struct chance *c, unsigned seed);
/* 0 to sides - 1 */
int chance_roll(struct chance *c, int sides);
void chance_uuid(const char *kind, int number, char out[UUID_TEXT_SIZE]);
/* The consumer is a migration, and no server. */
bool chance_is_migration(const char *consumer);
/* Another configuration of the types. */
void chance_configure(struct chance *c);
/* The agent overrules what the operator has set there. */
bool chance_is_held_back(struct chance *c, const struct model_provider *p);
/* Shows the world and fails the test. */
void chance_wrong(const struct chance *c, const char *what);

#endif
