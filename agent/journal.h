/*
 * journal: what the agent itself has made, in one small JSON file (mode 0600, replaced
 * atomically): the traits it set on each provider, the devices it made and for whom.
 * What is not in it is somebody else's and is never removed. Each device is written
 * down BEFORE it is made, and struck out AFTER it is gone; an entry without a device is
 * only an intention.
 *
 * A missing file is an empty journal on a first start. A damaged one is moved aside
 * (FILE.damaged-<time>), `rebuilding` is set, and then nothing is removed: entries for
 * devices whose computed uuid matches an allocation are taken up again. One thread.
 */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

struct journal_device {
    char uuid[UUID_TEXT_SIZE];
    char provider[UUID_TEXT_SIZE];
    char consumer[UUID_TEXT_SIZE];
    char *resource_class;
    unsigned index; /* 0 to amount - 1 */
    char *gpu;      /* struct gpu's name */
    char *parent;   /* struct mdev_parent's name; NULL while not chosen */
    char *type_id, *type_name;
    int64_t released_at; /* seconds since the epoch when no allocation named it any
                            more; 0: wanted */
};

struct journal_provider {
    char uuid[UUID_TEXT_SIZE];
    char *name;
    char *gpu;
    struct strlist traits; /* that the agent set; sorted */
};

struct journal {
    bool rebuilding; /* it was lost: remove nothing */
    struct journal_provider *providers;
    size_t provider_count;
    struct journal_device *devices;
    size_t device_count;
};

/* `path` need not exist. On damage: succeeds with an empty journal that is `rebuilding`
 * and `note` (the caller's, may stay NULL) says what happened, for the log. Fails only
 * when the directory cannot be used. */
int journal_load(const char *path, struct journal **out, char **note,
                 struct error *err);
int journal_save(const struct journal *journal, const char *path, struct error *err);
void journal_free(struct journal *journal);
DEFINE_CLEANUP(struct journal *, journal_free)

struct journal_device *journal_find_device(struct journal *journal, const char *uuid);
struct journal_provider *journal_find_provider(struct journal *journal,
                                               const char *uuid);

#endif
