#include "agent/host/domains.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "agent/host/container.h"
#include "agent/host/domain_xml.h"
#include "lib/files.h"
#include "lib/folder.h"
#include "lib/printable.h"
#include "lib/utf8.h"
#include "lib/xalloc.h"

#define MAX_DOMAIN_XML (4 << 20)

/* One of libvirt's two folders. */
struct reading {
    int root;
    const char *path;
    bool running;
    struct domains *out;
    struct error *unseen;
    bool *damaged;
    struct domain_files *files; /* NULL: nothing is known */
};

/* The slash that makes a path below the root an absolute one in messages. */
static const char *slash(const char *path)
{
    return *path == '/' ? "" : "/";
}

/* The first reason is the one that is told. */
static void set_unseen(const struct reading *reading, const struct error *err)
{
    if (reading->unseen->code == ERROR_NONE)
        *reading->unseen = *err;
}

static void add_domain(const struct reading *reading, const struct domain_xml *xml)
{
    if (!*xml->uuid && !xml->addresses.count)
        return;
    struct domain *domain = domains_add(reading->out, xml->uuid);
    domain->running |= reading->running;
    /* Who prints it, hides control characters; JSON has them. */
    if (!domain->name && xml->name)
        domain->name =
            utf8_valid_length(xml->name, strlen(xml->name)) == strlen(xml->name)
                ? xstrdup(xml->name)
                : printable_copy(xml->name);
    struct strlist *addresses = reading->running ? &domain->live : &domain->configured;
    for (size_t i = 0; i < xml->addresses.count; i++)
        strlist_add_unique(addresses, xml->addresses.items[i]);
}

/* A definition may be kept elsewhere, on storage that is away now. */
static bool is_link(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(status.st_mode);
}

/* What one file says. False: it cannot be read, or is not there any more. */
static bool parse_file(const struct reading *reading, int folder, const char *name,
                       struct domain_xml *xml)
{
    _cleanup_free_ char *text = NULL;
    const char *path = reading->path;
    size_t length;
    struct error err = {0};
    if (file_read_at(folder, name, MAX_DOMAIN_XML, &text, &length, &err) != 0) {
        if (errno_is_gone(err.errnum) && !is_link(folder, name))
            return false;
        (void)error_prefix(&err, "%s%s", slash(path), path);
        set_unseen(reading, &err);
        return false;
    }
    if (domain_xml_parse(text, length, xml, &err) == 0)
        return true;
    (void)error_prefix(&err, "%s%s/%s", slash(path), path, name);
    set_unseen(reading, &err);
    *reading->damaged = true;
    add_domain(reading, xml); /* what was found */
    return false;
}

static void read_domain(const struct reading *reading, int folder, const char *name)
{
    _cleanup_domain_xml_ struct domain_xml xml = {0};
    _cleanup_free_ char *path = xasprintf("%s/%s", reading->path, name);
    struct domain_files *files = reading->files;
    struct stat st;
    bool seen = files && fstatat(folder, name, &st, 0) == 0;
    const struct domain_xml *known = seen ? domain_files_find(files, path, &st) : NULL;
    if (known) {
        add_domain(reading, known);
        return;
    }
    if (!parse_file(reading, folder, name, &xml))
        return;
    add_domain(reading, &xml);
    if (seen)
        domain_files_keep_take(files, path, &st, time(NULL), &xml);
}

static void set_absent(const struct reading *reading)
{
    struct error err;
    const char *path = reading->path;
    bool running = reading->running;
    (void)error_set(&err, ERROR_NOT_FOUND,
                    "%s%s is not there: %slibvirt has it elsewhere ([agent] %s), or is "
                    "not on this host ([agent] libvirt = false)",
                    slash(path), path,
                    running ? "libvirt has not run since the boot, " : "",
                    running ? "libvirt_run_dir" : "libvirt_config_dir");
    set_unseen(reading, &err);
}

/* A container's own folder is refused: libvirt of the host does not write there. An
 * absolute path comes from the configuration: the operator vouches for it. */
static void check_folder(const struct reading *reading)
{
    struct error err;
    if (*reading->path != '/' &&
        container_check_folder(reading->root, reading->path, &err) != 0)
        set_unseen(reading, &err);
}

static void read_folder(const struct reading *reading, bool may_be_absent)
{
    check_folder(reading);
    _cleanup_folder_ DIR *folder = folder_open_list(reading->root, reading->path);
    int errnum = folder ? 0 : errno;
    const char *name;
    while (folder && (name = folder_next(folder, &errnum))) {
        size_t length = strlen(name);
        if (length > 4 && strcmp(name + length - 4, ".xml") == 0)
            read_domain(reading, dirfd(folder), name);
    }
    if (!folder && errno_is_gone(errnum)) {
        if (!may_be_absent)
            set_absent(reading);
    } else if (errnum) {
        struct error err;
        (void)error_set_errno(&err, errnum, "%s%s", slash(reading->path),
                              reading->path);
        set_unseen(reading, &err);
    }
}

void domains_read(int root, const struct use_places *places, struct domains *out,
                  struct domains_unseen *unseen)
{
    *out = (struct domains){0};
    *unseen = (struct domains_unseen){0};
    const struct reading running = {root,         places->running,  true,
                                    out,          &unseen->running, &unseen->damaged,
                                    places->files};
    const struct reading defined = {root,         places->defined,  false,
                                    out,          &unseen->defined, &unseen->damaged,
                                    places->files};
    if (places->running)
        read_folder(&running, places->before_libvirt);
    if (places->defined)
        read_folder(&defined, false);
    if (places->files)
        domain_files_end(places->files);
    out->complete =
        unseen->running.code == ERROR_NONE && unseen->defined.code == ERROR_NONE;
}

/* ---- the list ---- */

bool domain_names(const struct domain *domain, const char *address)
{
    return strlist_contains(&domain->live, address) ||
           strlist_contains(&domain->configured, address);
}

struct domain *domains_find(const struct domains *domains, const char *uuid)
{
    for (size_t i = 0; i < domains->count; i++)
        if (strcmp(domains->items[i].uuid, uuid) == 0)
            return &domains->items[i];
    return NULL;
}

struct domain *domains_add(struct domains *domains, const char *uuid)
{
    struct domain *domain = *uuid ? domains_find(domains, uuid) : NULL;
    if (domain)
        return domain;
    domain = array_add(domains->items, domains->count);
    uuid_text_copy(domain->uuid, uuid);
    return domain;
}

static void clear_domain(struct domain *domain)
{
    free(domain->name);
    strlist_clear(&domain->live);
    strlist_clear(&domain->configured);
}

void domains_remove(struct domains *domains, const char *uuid)
{
    struct domain *domain = domains_find(domains, uuid);
    if (!domain)
        return;
    clear_domain(domain);
    *domain = domains->items[--domains->count];
}

void domains_clear(struct domains *domains)
{
    for (size_t i = 0; i < domains->count; i++)
        clear_domain(&domains->items[i]);
    free(domains->items);
    *domains = (struct domains){0};
}
