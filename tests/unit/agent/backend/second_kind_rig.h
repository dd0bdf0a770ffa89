/*
 * second_kind_rig: a host with cards of fake_kind and of mdev, a Placement that is only
 * said, and the agent's way from one to the other: seen, planned, noted and carried out.
 * A test that has it defines backends[] with the two kinds.
 */
#ifndef TESTS_UNIT_AGENT_BACKEND_SECOND_KIND_RIG_H
#define TESTS_UNIT_AGENT_BACKEND_SECOND_KIND_RIG_H

#include "agent/act/device_worker.h"
#include "agent/plan/steps/plan.h"
#include "tests/unit/agent/backend/fake_kind.h"

#define CONSUMER_1 "00000000-0000-4000-8000-0000000000c1"
#define CONSUMER_2 "00000000-0000-4000-8000-0000000000c2"
#define STRANGER "00000000-0000-4000-8000-0000000000c9"
#define MDEV "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define PATIENCE 10000 /* milliseconds; never waited out when all is well */

struct rig {
    char *tree; /* sysfs, and what stands for "/" */
    char *journal_path;
    struct device_place place;
    struct device_worker *worker;
    struct journal *journal;
    bool journal_unsaved;
    struct strlist late;
    char *addresses[1], *class;
    struct mdev_type_config type;
    struct config config;
    const char *consumer; /* who has an allocation; NULL: nobody */
    bool unreachable;
};

/* What one cycle sees and decides. */
struct sight {
    struct host *host;
    struct device_use *use;
    struct desired_tree *desired;
    struct observed *observed;
    struct plan *plan;
};

#define HOSTDEV(function)                                                          \
    "<hostdev type='pci'><source><address domain='0x0000' bus='0x41' slot='0x00' " \
    "function='0x" function "'/></source></hostdev>"

void rig_set_function(const struct rig *rig, const char *function, const char *type);
/* Three functions without a type, beside an mdev. */
void rig_set_up(struct rig *rig, bool card_chooses);
void rig_tear_down(struct rig *rig);
/* A domain of that uuid, which names the function. */
void rig_write_domain_naming(const struct rig *rig, const char *domain,
                             const char *function);
struct sight rig_look(const struct rig *rig);
void sight_clear(struct sight *sight);
/* Notes, and carries out all steps of the kind; how many there were. Of Placement there
 * is only what the rig says. */
size_t rig_carry_out(struct rig *rig, struct plan *plan, enum step_kind kind);
/* Looks, and does that. */
size_t rig_cycle(struct rig *rig, enum step_kind kind);
size_t plan_count_steps(const struct plan *plan, enum step_kind kind);
const struct allocation_status *plan_status_of(const struct plan *plan,
                                               const char *consumer);
void expect_function(const struct rig *rig, const char *function, const char *expected);
void expect_entry(const struct rig *rig, const char *consumer, const char *address);

/* Runs what follows for both sorts. */
#define FOR_BOTH(rig)                                                \
    for (int sort_ = 0; sort_ < 2 && (rig_set_up(rig, sort_), true); \
         rig_tear_down(rig), sort_++)

#endif
