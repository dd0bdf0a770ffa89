/*
 * fetch_rig: a placement_fetch for the root "host", and a scripted peer below it, for
 * its tests: short ways to queue Placement's answers and to see what was asked.
 */
#ifndef TESTS_UNIT_AGENT_TREE_FETCH_RIG_H
#define TESTS_UNIT_AGENT_TREE_FETCH_RIG_H

#include "agent/tree/fetch.h"
#include "tests/unit/peer.h"

#define ROOT "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER_ROOT "aaaaaaaa-0000-4000-8000-000000000002"
#define CHILD_84 "bbbbbbbb-0000-4000-8000-000000000084"
#define CHILD_85 "bbbbbbbb-0000-4000-8000-000000000085"

struct rig {
    struct peer *peer;
    struct config config;
    struct placement_client *client;
    struct journal *journal;
    struct placement_fetch *fetch;
    const struct observed *observed;
    size_t seen; /* requests looked at so far */
    int64_t now;
    struct error err;
};

/* By name; the question for the version is answered. */
void rig_open(struct rig *rig);
/* A tree of two GPUs, read: 84 at generation 4 with 16 units, 85 at 5 with 8. */
void rig_with_tree(struct rig *rig);
void rig_close(struct rig *rig);
/* Another process: it knows what the state file has. */
void rig_restart(struct rig *rig);
#define _cleanup_rig_ _cleanup_(rig_close)

int rig_fetch(struct rig *rig);
/* The units of a provider that was read in detail. */
int64_t rig_total_of(const struct rig *rig, const char *uuid);

/* The requests since the last look, a line each, without "GET /resource_providers". */
void assert_requests(struct rig *rig, const char *expected);
#define BY_NAME "?name=host"
#define BELOW "?in_tree=" ROOT
#define DETAILS(uuid) "/" uuid "/inventories\n/" uuid "/traits\n/" uuid "/allocations"
#define DETAILS_84 DETAILS(CHILD_84)
#define DETAILS_85 DETAILS(CHILD_85)

/* ---- answers ---- */

struct row {
    const char *uuid, *name, *parent;
    int generation;
};

void answer_list(struct rig *rig, const struct row *rows, size_t count);
#define answer_rows(rig, ...)                           \
    answer_list(rig, (const struct row[]){__VA_ARGS__}, \
                sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))
struct row row_root(int generation);
struct row row_84(int generation);
struct row row_85(int generation);

void answer_inventories(struct rig *rig, int total, int generation);
void answer_traits(struct rig *rig, int generation); /* CUSTOM_A */
void answer_allocations(struct rig *rig, int amount, int generation);
void answer_404(struct rig *rig);
/* All three, with one unit allocated. */
void answer_details(struct rig *rig, int total, int generation);

#endif
