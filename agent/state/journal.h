/*
 * journal: what the agent itself has made, in one small JSON file (mode 0600, replaced
 * atomically): the traits that it set on each provider, the devices that it made, and
 * their consumers. What is not in the journal is not the agent's and is never removed.
 * Each device is written to the file BEFORE it is made, and deleted from it AFTER it
 * was removed; an entry without a device is only an intention.
 *
 * The file has a version and a checksum, so that a torn write, a flipped bit or a
 * manual edit is detected. A missing file is an empty journal (a first start). A
 * damaged file, or one of another host, is moved aside (FILE.damaged-<time>,
 * FILE.other-host-<time>) and `rebuilding` is set, which is kept in the new file: then
 * nothing is removed. A file of a newer version is refused. Devices whose uuid is the
 * one computed from an allocation are the agent's whatever the journal says, and are
 * entered again. Rebuilding ends at the first plan that was made with Placement read,
 * every GPU readable and no device in transition or under way, and that has nothing
 * left to enter. A device that was not entered by then counts as somebody else's for
 * good.
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

/* The consumer of a virtual function that the agent has given a type for nobody in
 * particular: nova-compute gives it to guests (mode nova-pci). */
#define CUT_CONSUMER "00000000-0000-0000-0000-000000000000"

struct journal_device {
    /* the agent's name for it, which may differ from the host's */
    char uuid[UUID_TEXT_SIZE];
    char backend[BACKEND_NAME_SIZE]; /* the kind of device: struct backend's name */
    /* The host's name for it (struct device), different for all entries of a kind. "":
     * the device is being made, and only the backend's create() will tell. */
    char address[DEVICE_ADDRESS_SIZE];
    char provider[UUID_TEXT_SIZE];
    char consumer[UUID_TEXT_SIZE];
    char *resource_class;
    unsigned index; /* tells apart the devices of one consumer and class */
    char *gpu;      /* struct gpu's name */
    char *parent;   /* struct parent's name */
    char *type_id;
    char *type_name; /* NULL where the driver gives none */
    /* The consumer whose allocation the device stands for during a migration, while the
     * device stays this entry's consumer's. Mostly "". */
    char migration[UUID_TEXT_SIZE];
    bool adopted; /* somebody else made it: used, but never removed */
    /* An operator had the agent make it (`vgpu-agent create`): it is no consumer's, and
     * stays until it is removed by hand. `provider` and `consumer` are "",
     * `resource_class` is NULL. */
    bool by_hand;
    /* The parameters that an operator gave this device alone, "" for none; NULL: it has
     * those of its type's configuration. */
    char *parameters;
    /* What others had set where the device was made (struct device's `former`), for the
     * removal; NULL: nothing. */
    char *former;
    /* The device was made, or is being made, and it is not known whether its parameters
     * have been written. */
    bool parameters_due;
    /* Since when no allocation names the device, in seconds of boot_clock; 0: one
     * does. */
    int64_t released_at;
};

/* The inventory of a resource class on a provider, which the agent manages. */
struct journal_inventory {
    char *resource_class;
    /* The value of `reserved` that an operator had set, while the agent overrides it:
     * the GPU is unhealthy or drained (reserved = total), or has fewer units than are
     * reserved, or has no inventory. */
    bool overruled;
    /* Meanwhile the agent's own value of `reserved` followed the allocations, so that
     * no value that is found in Placement can be taken for the operator's. */
    bool follows_use;
    int64_t operators_reserved;
    double operators_ratio;
    /* max_unit as an operator had set it, while Placement does not have it: there is no
     * inventory, or the files set another one. 0: nothing is to be put back. */
    int64_t operators_max_unit;
    /* The files' max_unit, which the agent sets in Placement. It is noted until
     * something else stands there, since it could be taken for an operator's. 0:
     * none. */
    int64_t files_max_unit;
};

struct journal_provider {
    char uuid[UUID_TEXT_SIZE];
    char *name;
    char *gpu;
    struct strlist traits; /* those that the agent set; sorted */
    struct journal_inventory *inventories;
    size_t inventory_count;
};

#define MODEL_SIZE 10 /* "10de:26b9" and the terminating NUL */

/* A type that cards of a model have offered (agent/state/known_types.h). */
struct journal_type {
    char backend[BACKEND_NAME_SIZE];
    char model[MODEL_SIZE]; /* the card's vendor and device */
    char *id, *name;
};

/* Units of a GPU that consumers have had, and that are reserved until an operator has
 * cleaned them (one_time_use). Those that still have a device are not among them. */
struct journal_spent {
    char *gpu;
    int64_t units;
};

/* A provider as Placement has shown it last (agent/tree/seen.h). */
struct journal_seen {
    char uuid[UUID_TEXT_SIZE];
    int64_t generation; /* the highest that was seen */
    bool root;
};

struct journal {
    bool rebuilding; /* the journal was lost: remove nothing */
    /* The clock of released_at (agent/state/boot_clock.h): the id of the boot, and when
     * that boot's clock was started. "": the file is of a version that did not record
     * it. */
    char boot[UUID_TEXT_SIZE];
    int64_t booted_at;
    /* The machine that the file belongs to (machine_id_read()), and its root provider
     * in Placement with its name. "" and NULL: not known yet, as in files of older
     * versions. */
    char machine[UUID_TEXT_SIZE];
    char root[UUID_TEXT_SIZE];
    char *root_name;
    struct journal_provider *providers;
    size_t provider_count;
    struct journal_device *devices;
    size_t device_count;
    struct journal_type *types;
    size_t type_count;
    /* The names that the agent's own requests have made in Placement; sorted. */
    struct strlist made_traits, made_classes;
    struct journal_spent *spent;
    size_t spent_count;
    /* The root and the agent's own providers. A file of an older version has none. The
     * generations on disk may lag behind. */
    struct journal_seen *seen;
    size_t seen_count;
    /* Both in seconds of boot_clock, 0: there is none. Since when Placement shows less
     * than was seen; when that was accepted at last, as long as it may still lack
     * allocations. */
    int64_t doubted_since, replaced_at;
};

struct journal *journal_new(void);
void journal_free(struct journal *journal);
DEFINE_CLEANUP(struct journal *, journal_free)

/* Loads the journal. The file `path` need not exist. `machine` is this host's id, ""
 * where it is not known. A damaged file, or another host's, is moved aside under a name
 * with `now`: then the function succeeds with an empty journal that is `rebuilding` and
 * was saved as such, and *note says what happened, for the log (the caller frees;
 * otherwise it is not written). Fails when the file cannot be read, moved aside or
 * replaced; UNSUPPORTED when a newer version wrote it. */
int journal_load(const char *path, const char *machine, int64_t now,
                 struct journal **out, char **note, struct error *err);
/* Like journal_load(), for a process that changes nothing: a damaged file, or another
 * host's, is not moved aside. */
int journal_look(const char *path, const char *machine, struct journal **out,
                 char **note, struct error *err);
int journal_save(const struct journal *journal, const char *path, struct error *err);

/* The entry of that uuid; NULL when there is none. */
struct journal_device *journal_find_device(const struct journal *journal,
                                           const char *uuid);
/* The entry of the device of that kind with that address; NULL when there is none. */
struct journal_device *journal_find_device_at(const struct journal *journal,
                                              const char *backend, const char *address);
/* False when the device at the entry's address is another's: the address was used again,
 * for a device of another type. Of a device whose uuid the host knows, the uuid decides.
 * `parent` has the type's name; it may be NULL. */
bool journal_device_may_be(const struct journal_device *entry,
                           const struct device *device, const struct parent *parent);
/* True when the entry is of a virtual function that the agent has cut, or was about to
 * (agent/plan/devices/cut.h). */
bool journal_device_is_cut(const struct journal_device *entry);
struct journal_provider *journal_find_provider(const struct journal *journal,
                                               const char *uuid);

/* NULL when there is none. */
struct journal_type *journal_find_type(const struct journal *journal,
                                       const char *backend, const char *model,
                                       const char *id);
/* Drops all types of the model. */
void journal_drop_types(struct journal *journal, const char *backend,
                        const char *model);

/* The GPU's units that wait to be cleaned; more of them; none any more, which is true
 * when there were some. */
int64_t journal_spent_of(const struct journal *journal, const char *gpu);
void journal_spend(struct journal *journal, const char *gpu, int64_t units);
bool journal_clean(struct journal *journal, const char *gpu);

/* Sets the root provider. True when the journal has changed. What was seen of another
 * root is forgotten. */
bool journal_put_root(struct journal *journal, const char *uuid, const char *name);

/* Each returns true when the journal has changed. Entries are copied; an entry of the
 * same uuid is replaced. */
bool journal_put_device(struct journal *journal, const struct journal_device *device);
bool journal_drop_device(struct journal *journal, const char *uuid);
bool journal_put_provider(struct journal *journal,
                          const struct journal_provider *provider);
bool journal_drop_provider(struct journal *journal, const char *uuid);

/* NULL when the provider has none of that class. */
struct journal_inventory *
journal_find_inventory(const struct journal_provider *provider,
                       const char *resource_class);
/* The entry is copied; one of the same class is replaced. */
void journal_put_inventory(struct journal_provider *provider,
                           const struct journal_inventory *inventory);

/* Whether all members are equal. */
bool journal_device_equal(const struct journal_device *a,
                          const struct journal_device *b);
bool journal_provider_equal(const struct journal_provider *a,
                            const struct journal_provider *b);
struct journal_device journal_device_copy(const struct journal_device *device);
struct journal_provider journal_provider_copy(const struct journal_provider *provider);
/* Each frees the members of the entry. */
void journal_device_clear(struct journal_device *device);
void journal_provider_clear(struct journal_provider *provider);

#endif
