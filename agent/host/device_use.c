#include "agent/host/device_use.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/host/container.h"
#include "agent/host/node_holders.h"
#include "agent/host/sysfs.h"
#include "lib/files.h"
#include "lib/text_copy.h"
#include "lib/xalloc.h"

#define MDEVCTL_FOLDER "etc/mdevctl.d"

struct scan {
    const struct use_places *places;
    int root;
    const struct host *host;
    struct device_use *use;
    char **note;
};

/* The slash that makes a path below the root an absolute one in messages. */
static const char *slash(const char *path)
{
    return *path == '/' ? "" : "/";
}

static void set_unknown(struct scan *scan, const struct error *err)
{
    scan->use->unknown = true;
    if (scan->note && !*scan->note)
        *scan->note = xstrdup(err->text);
}

static void set_unknown_errno(struct scan *scan, int errnum, const char *path)
{
    struct error err;
    (void)error_set_errno(&err, errnum, "%s%s", slash(path), path);
    set_unknown(scan, &err);
}

static struct used_device *find(const struct device_use *use, const char *address)
{
    for (size_t i = 0; i < use->count; i++)
        if (strcmp(use->devices[i].address, address) == 0)
            return &use->devices[i];
    return NULL;
}

static struct used_device *use_of(struct scan *scan, const char *address)
{
    struct used_device *used = find(scan->use, address);
    if (used)
        return used;
    used = array_add(scan->use->devices, scan->use->count);
    text_copy_array(used->address, address);
    return used;
}

/* A container's own folder is refused: libvirt and mdevctl of the host do not write
 * there. */
static void check_folder(struct scan *scan, const char *path)
{
    struct error err;
    if (container_check_folder(scan->root, path, &err) != 0)
        set_unknown(scan, &err);
}

/* ---- libvirt ---- */

static const char *find_whole(const struct device *devices, size_t count,
                              const char *address)
{
    for (size_t i = 0; i < count; i++)
        if (strlist_contains(&devices[i].functions, address))
            return devices[i].address;
    return NULL;
}

/* The address of the device that has this function, or will have it, since a guest with
 * one function of a card has the whole card; else `address` itself. */
static const char *whole_of(const struct host *host, const char *address)
{
    const char *whole = find_whole(host->strays, host->stray_count, address);
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count && !whole; j++) {
            const struct parent *parent = &host->gpus[i].parents[j];
            whole = find_whole(parent->devices, parent->device_count, address);
            if (!whole)
                whole = find_whole(parent->places, parent->place_count, address);
        }
    return whole ? whole : address;
}

/* Running domains are read first. The first domain that names a device is the one that
 * messages show. */
static void add_domain(struct scan *scan, const struct domain *domain, bool running,
                       const char *address)
{
    struct used_device *used = use_of(scan, whole_of(scan->host, address));
    if (*domain->uuid)
        strlist_add_unique(&used->domains, domain->uuid);
    if (*used->domain)
        return;
    uuid_text_copy(used->domain, domain->uuid);
    used->running = running;
}

static void add_named(struct scan *scan, const struct domains *domains)
{
    for (size_t i = 0; i < domains->count; i++) {
        const struct domain *domain = &domains->items[i];
        for (size_t j = 0; j < domain->live.count; j++)
            add_domain(scan, domain, true, domain->live.items[j]);
    }
    for (size_t i = 0; i < domains->count; i++) {
        const struct domain *domain = &domains->items[i];
        if (*domain->uuid)
            strlist_add_unique(&scan->use->domains, domain->uuid);
        for (size_t j = 0; j < domain->configured.count; j++)
            add_domain(scan, domain, false, domain->configured.items[j]);
    }
}

/* What libvirt has said counts as seen where its files cannot be: it may run in a
 * container. A damaged file stays unknown: it may be of a guest that libvirt has
 * lost. */
static void note_unseen(struct scan *scan, const struct domains_unseen *unseen)
{
    const struct domains *view = scan->places->view;
    if (view && view->complete && !unseen->damaged)
        return;
    if (unseen->running.code != ERROR_NONE)
        set_unknown(scan, &unseen->running);
    if (unseen->defined.code != ERROR_NONE) {
        set_unknown(scan, &unseen->defined);
        scan->use->domains_unknown = true;
    }
}

static void read_domains(struct scan *scan)
{
    _cleanup_domains_ struct domains domains = {0};
    struct domains_unseen unseen;
    domains_read(scan->root, scan->places, &domains, &unseen);
    add_named(scan, &domains);
    if (scan->places->view)
        add_named(scan, scan->places->view);
    note_unseen(scan, &unseen);
}

/* ---- mdevctl ---- */

static void read_definitions_of(struct scan *scan, int folder, const char *parent)
{
    _cleanup_folder_ DIR *definitions = folder_open_list(folder, parent);
    int errnum = definitions ? 0 : errno;
    const char *name;
    char uuid[UUID_TEXT_SIZE];
    while (definitions && (name = folder_next(definitions, &errnum)))
        if (uuid_parse_text(name, uuid))
            use_of(scan, uuid)->defined = true;
    if (errnum && errnum != ENOTDIR && !errno_is_gone(errnum))
        set_unknown_errno(scan, errnum, MDEVCTL_FOLDER);
}

static void read_definitions(struct scan *scan)
{
    check_folder(scan, MDEVCTL_FOLDER);
    _cleanup_folder_ DIR *folder = folder_open_list(scan->root, MDEVCTL_FOLDER);
    int errnum = folder ? 0 : errno;
    const char *parent;
    while (folder && (parent = folder_next(folder, &errnum)))
        read_definitions_of(scan, dirfd(folder), parent);
    if (errnum && !errno_is_gone(errnum))
        set_unknown_errno(scan, errnum, MDEVCTL_FOLDER);
}

/* ---- VFIO ---- */

/* The device nodes of all devices and places, and the device of each node. */
struct nodes {
    struct strlist names;
    const struct device **devices;
};

static void add_nodes(struct nodes *nodes, const struct device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < devices[i].nodes.count; j++) {
            size_t known = nodes->names.count;
            strlist_add(&nodes->names, devices[i].nodes.items[j]);
            *array_add(nodes->devices, known) = &devices[i];
        }
}

static void add_all_nodes(struct nodes *nodes, const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        for (size_t j = 0; j < host->gpus[i].parent_count; j++) {
            const struct parent *parent = &host->gpus[i].parents[j];
            add_nodes(nodes, parent->devices, parent->device_count);
            add_nodes(nodes, parent->places, parent->place_count);
        }
    add_nodes(nodes, host->strays, host->stray_count);
}

static void find_holders(struct scan *scan, const struct nodes *nodes)
{
    _cleanup_free_ pid_t *holders = xcalloc(nodes->names.count, sizeof *holders);
    struct error err = {0};
    if (node_find_holders(scan->root, &nodes->names, holders, &err) != 0)
        set_unknown(scan, &err);
    for (size_t i = 0; i < nodes->names.count; i++) {
        if (!holders[i])
            continue;
        struct used_device *used = use_of(scan, nodes->devices[i]->address);
        used->group_open = true;
        used->holder = holders[i];
    }
}

static void read_holders(struct scan *scan)
{
    struct nodes nodes = {0};
    add_all_nodes(&nodes, scan->host);
    if (nodes.names.count)
        find_holders(scan, &nodes);
    strlist_clear(&nodes.names);
    free(nodes.devices);
}

/* ---- all places ---- */

struct use_places use_places_of(const struct config *config)
{
    struct use_places places = {.root = config->agent.host_root};
    if (!config->agent.libvirt)
        return places;
    const char *defined = config->agent.libvirt_config_dir;
    const char *running = config->agent.libvirt_run_dir;
    places.defined = defined ? defined : USE_DEFINED;
    places.running = running ? running : USE_RUNNING;
    return places;
}

static struct device_use *look(const struct use_places *places, const struct host *host,
                               bool holders, char **note)
{
    struct device_use *use = xcalloc(1, sizeof *use);
    _cleanup_close_ int fd = folder_open(AT_FDCWD, places->root);
    struct scan scan = {places, fd, host, use, note};
    if (fd < 0) {
        set_unknown_errno(&scan, errno, places->root);
        use->domains_unknown = places->defined != NULL;
        return use;
    }
    read_domains(&scan);
    read_definitions(&scan);
    if (holders)
        read_holders(&scan);
    return use;
}

struct device_use *device_use_scan(const struct use_places *places,
                                   const struct host *host, char **note)
{
    return look(places, host, true, note);
}

struct device_use *device_use_scan_names(const struct use_places *places,
                                         const struct host *host)
{
    return look(places, host, false, NULL);
}

void device_use_free(struct device_use *use)
{
    if (!use)
        return;
    for (size_t i = 0; i < use->count; i++)
        strlist_clear(&use->devices[i].domains);
    free(use->devices);
    strlist_clear(&use->domains);
    free(use);
}

const struct used_device *device_use_find(const struct device_use *use,
                                          const char *address)
{
    return find(use, address);
}

char *used_device_who(const struct used_device *used)
{
    if (used->holder)
        return xasprintf("process %d has it open", (int)used->holder);
    if (*used->domain)
        return xasprintf("the %s domain %s names it",
                         used->running ? "running" : "defined", used->domain);
    return xstrdup(used->defined ? "mdevctl defines it" : "a domain names it");
}

static int say_who(const struct used_device *used, struct error *err)
{
    _cleanup_free_ char *who = used_device_who(used);
    return error_set(err, ERROR_BUSY, "in use: %s", who);
}

bool used_device_is_only(const struct used_device *used, const char *domain)
{
    return !used->group_open && !used->defined && used->domains.count == 1 &&
           strcmp(used->domains.items[0], domain) == 0;
}

/* Whether only domains that do not run name it, and nobody has it open. */
static bool has_no_guest(const struct used_device *used)
{
    return !used->group_open && !used->running;
}

/* Who may be there without being in the way. */
struct permitted {
    const char *domain; /* it alone may name the device; NULL: no domain */
    bool definitions;   /* any that does not run may */
};

static bool is_permitted(const struct used_device *used,
                         const struct permitted *permitted)
{
    if (permitted->definitions)
        return has_no_guest(used);
    return permitted->domain && used_device_is_only(used, permitted->domain);
}

static int check_unused(const struct use_places *places, const struct device *device,
                        const struct permitted *permitted, struct error *err)
{
    struct device alone = *device;
    const struct host host = {.strays = &alone, .stray_count = 1};
    _cleanup_free_ char *note = NULL;
    _cleanup_(device_use_freep) struct device_use *use =
        device_use_scan(places, &host, &note);
    const struct used_device *used = find(use, device->address);
    if (used && !is_permitted(used, permitted))
        return say_who(used, err);
    if (use->unknown)
        return error_set(err, ERROR_BUSY,
                         "it is not known whether a guest holds it: %s", note);
    return 0;
}

int device_check_unused(const struct use_places *places, const struct device *device,
                        struct error *err)
{
    return check_unused(places, device, &(struct permitted){0}, err);
}

int device_check_unused_by_others(const struct use_places *places,
                                  const struct device *device, const char *consumer,
                                  struct error *err)
{
    return check_unused(places, device, &(struct permitted){.domain = consumer}, err);
}

int device_check_no_guest(const struct use_places *places, const struct device *device,
                          struct error *err)
{
    return check_unused(places, device, &(struct permitted){.definitions = true}, err);
}
