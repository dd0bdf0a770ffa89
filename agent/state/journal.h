/*
 * journal: what the agent itself has made, in one small JSON file (mode 0600, replaced
 * atomically): the traits it set on each provider, the devices it made and for whom.
 * What is not in it is somebody else's and is never removed. Each device is written
 * down BEFORE it is made, and struck out AFTER it is gone; an entry without a device is
 * only an intention.
 *
 * The file carries a version and a checksum, so that a torn write, a flipped bit or an
 * edit by hand is seen. A missing file is an empty journal (a first start). A damaged
 * one, or one of another version, is moved aside (FILE.damaged-<time>) and `rebuilding`
 * is set, which is kept in the file: then nothing is removed. Devices whose uuid is the
 * computed one of an allocation are ours whatever the journal says, and are taken up
 * again. Rebuilding is over at the first plan that was made with Placement read, every
 * GPU readable and no device in transition or under way, and that has nothing to take
 * up any more. What was not found again by then counts as somebody else's for good.
 *
 * One thread. Plain data; the functions that change it keep it valid.
 */
#ifndef AGENT_STATE_JOURNAL_H
#define AGENT_STATE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/host/host.h"
#include "lib/cleanup.h"
#include "lib/error.h"
#include "lib/strlist.h"
#include "lib/uuid.h"

struct journal_device {
    char uuid[UUID_TEXT_SIZE]; /* the agent's name for it, whatever the host's is */
    char backend[BACKEND_NAME_SIZE]; /* of which kind it is: struct backend's name */
    /* Where the host has it (struct device). No two entries of a kind have the same. "":
     * it is being made, and only then known. */
    char address[DEVICE_ADDRESS_SIZE];
    char provider[UUID_TEXT_SIZE];
    char consumer[UUID_TEXT_SIZE];
    char *resource_class;
    unsigned index; /* tells the devices of one consumer and class apart */
    char *gpu;      /* struct gpu's name */
    char *parent;   /* struct parent's name */
    char *type_id;
    char *type_name;                /* NULL where the driver gives none */
    char migration[UUID_TEXT_SIZE]; /* the consumer for whose allocation the device
                                       stands, which stays this one's; mostly "" */
    bool adopted;        /* somebody else made it: put to use, never removed */
    int64_t released_at; /* when no allocation named it any more, in seconds of the
                            boot's clock; 0: wanted */
};

/* A resource class whose inventory on a provider is the agent's. */
struct journal_inventory {
    char *resource_class;
    /* What an operator had set, while the agent overrules it: the GPU is sick or
     * drained (reserved = total), has fewer than are reserved, or no inventory. */
    bool overruled;
    /* What the agent reserved meanwhile followed what was allocated, so that no value
     * that is found is the operator's. */
    bool follows_use;
    int64_t operators_reserved;
    double operators_ratio;
};

struct journal_provider {
    char uuid[UUID_TEXT_SIZE];
    char *name;
    char *gpu;
    struct strlist traits; /* that the agent set; sorted */
    struct journal_inventory *inventories;
    size_t inventory_count;
};

struct journal {
    bool rebuilding; /* it was lost: remove nothing */
    /* By whose clock released_at is counted (agent/state/boot_clock.h): the boot's id,
     * and when it began. "": of a time before that was written down. */
    char boot[UUID_TEXT_SIZE];
    int64_t booted_at;
    /* Of whose things it tells: machine_id_read()'s, and the root provider in Placement
     * with its name. "" and NULL: not known yet, as in files of older versions. */
    char machine[UUID_TEXT_SIZE];
    char root[UUID_TEXT_SIZE];
    char *root_name;
    struct journal_provider *providers;
    size_t provider_count;
    struct journal_device *devices;
    size_t device_count;
};

struct journal *journal_new(void);
void journal_free(struct journal *journal);
DEFINE_CLEANUP(struct journal *, journal_free)

/* `path` need not exist; `machine` is this host's, "" where that is not known. `now`
 * names the file that a damaged one, or another host's, is moved to. In these two cases:
 * succeeds with an empty journal that is `rebuilding` and is saved as such, and *note
 * (the caller's, else untouched) says what happened, for the log. Fails when the file
 * cannot be read, moved aside or replaced; UNSUPPORTED when a newer version wrote it. */
int journal_load(const char *path, const char *machine, int64_t now,
                 struct journal **out, char **note, struct error *err);
/* The same for those who change nothing: what is damaged or another's stays there. */
int journal_look(const char *path, const char *machine, struct journal **out,
                 char **note, struct error *err);
int journal_save(const struct journal *journal, const char *path, struct error *err);

/* NULL when it has none. */
struct journal_device *journal_find_device(const struct journal *journal,
                                           const char *uuid);
/* The entry of the device that a kind has at that address. */
struct journal_device *journal_find_device_at(const struct journal *journal,
                                              const char *backend, const char *address);
struct journal_provider *journal_find_provider(const struct journal *journal,
                                               const char *uuid);

/* True when the journal has changed. */
bool journal_put_root(struct journal *journal, const char *uuid, const char *name);

/* Each is true when the journal has changed. Entries are copied; one of the same uuid
 * is replaced. */
bool journal_put_device(struct journal *journal, const struct journal_device *device);
bool journal_drop_device(struct journal *journal, const char *uuid);
bool journal_put_provider(struct journal *journal,
                          const struct journal_provider *provider);
bool journal_drop_provider(struct journal *journal, const char *uuid);

/* NULL when it has none. */
struct journal_inventory *
journal_find_inventory(const struct journal_provider *provider,
                       const char *resource_class);
/* Copied; one of the same class is replaced. */
void journal_put_inventory(struct journal_provider *provider,
                           const struct journal_inventory *inventory);

/* The same in every member. */
bool journal_device_equal(const struct journal_device *a,
                          const struct journal_device *b);
bool journal_provider_equal(const struct journal_provider *a,
                            const struct journal_provider *b);
struct journal_device journal_device_copy(const struct journal_device *device);
struct journal_provider journal_provider_copy(const struct journal_provider *provider);
/* Free what the entry holds. */
void journal_device_clear(struct journal_device *device);
void journal_provider_clear(struct journal_provider *provider);

#endif
