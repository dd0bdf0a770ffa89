#include "agent/libvirt/hypervisor.h"

#include <string.h>

#include "agent/libvirt/failure.h"

/* A guest that starts or stops between two questions is asked about anew. */
#define LOOKS_MAX 5

#define NO_RUN ((unsigned)-1) /* virDomainGetID() of a domain that does not run */

/* ---- the link ---- */

virConnectPtr libvirt_open(const char *uri, struct error *err)
{
    virConnectPtr connection = virConnectOpen(uri);
    if (!connection) {
        (void)libvirt_failure(virGetLastError(), false, NULL, err);
        (void)error_prefix(err, "cannot connect to %s", uri);
        return NULL;
    }
    /* Where the daemon knows no keepalive, it cannot be had. */
    (void)virConnectSetKeepAlive(connection, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT);
    return connection;
}

static void forget_domain(struct libvirt_link *link)
{
    if (link->domain)
        virDomainFree(link->domain);
    link->domain = NULL;
}

/* Once closed by keepalive or by its end a connection serves nobody any more. */
static void close_broken(struct libvirt_link *link)
{
    forget_domain(link);
    virConnectClose(link->connection);
    link->connection = NULL;
}

int libvirt_link_open(struct libvirt_link *link, struct error *err)
{
    if (link->connection && virConnectIsAlive(link->connection) != 1)
        close_broken(link);
    if (!link->connection)
        link->connection = libvirt_open(link->uri, err);
    return link->connection ? 0 : -1;
}

static int open_link(struct libvirt_link *link, enum hypervisor_failure *failure,
                     struct error *err)
{
    *failure = HYPERVISOR_UNREACHABLE;
    return libvirt_link_open(link, err);
}

/* To be called at once after a failed call: the error is the thread's last, and the
 * next call forgets it. */
static int fail(struct libvirt_link *link, enum hypervisor_failure *failure,
                struct error *err)
{
    virErrorPtr error = virSaveLastError();
    bool alive = virConnectIsAlive(link->connection) == 1;
    *failure = libvirt_failure(
        error, alive, link->domain ? virDomainGetName(link->domain) : NULL, err);
    virFreeError(error);
    if (!alive)
        close_broken(link);
    return -1;
}

bool libvirt_domain_uuid(virDomainPtr domain, char out[UUID_TEXT_SIZE])
{
    char text[VIR_UUID_STRING_BUFLEN];
    return virDomainGetUUIDString(domain, text) == 0 && uuid_parse_text(text, out);
}

/* ---- look ---- */

static int find_domain(struct libvirt_link *link, const char *uuid,
                       enum hypervisor_failure *failure, struct error *err)
{
    forget_domain(link);
    link->domain = virDomainLookupByUUIDString(link->connection, uuid);
    return link->domain ? 0 : fail(link, failure, err);
}

/* The number of the run, which the domain had when it was looked up. */
static unsigned run_number(const struct libvirt_link *link)
{
    return virDomainGetID(link->domain);
}

struct documents {
    char *live, *configured;
};

static void documents_clear(struct documents *documents)
{
    free(documents->live);
    free(documents->configured);
    *documents = (struct documents){0};
}

static int fetch(struct libvirt_link *link, unsigned flags, char **out,
                 enum hypervisor_failure *failure, struct error *err)
{
    *out = virDomainGetXMLDesc(link->domain, flags);
    return *out ? 0 : fail(link, failure, err);
}

/* A domain that does not run is always persistent: of others nothing is left. */
static int fetch_documents(struct libvirt_link *link, struct documents *out,
                           enum hypervisor_failure *failure, struct error *err)
{
    int persistent = 1;
    if (run_number(link) != NO_RUN) {
        if (fetch(link, 0, &out->live, failure, err) != 0)
            return -1;
        persistent = virDomainIsPersistent(link->domain);
        if (persistent < 0)
            return fail(link, failure, err);
    }
    return persistent
               ? fetch(link, VIR_DOMAIN_XML_INACTIVE, &out->configured, failure, err)
               : 0;
}

/* Without flags libvirt gives the configuration of a guest that has just stopped. So
 * the documents count only if it was the same run before and after. For a guest that
 * did not run, the second look up would cost more than it tells: an event follows its
 * start. */
static int fetch_steady(struct libvirt_link *link, const char *uuid,
                        struct documents *out, enum hypervisor_failure *failure,
                        struct error *err)
{
    if (find_domain(link, uuid, failure, err) != 0)
        return -1;
    for (int i = 0; i < LOOKS_MAX; i++) {
        unsigned run = run_number(link);
        documents_clear(out);
        if (fetch_documents(link, out, failure, err) != 0)
            return -1;
        if (!out->live)
            return 0;
        if (find_domain(link, uuid, failure, err) != 0)
            return -1;
        if (run_number(link) == run)
            return 0;
    }
    *failure = HYPERVISOR_REFUSED;
    return error_set(err, ERROR_CONFLICT, "the guest starts and stops all the time");
}

static int look(void *connection, const char *domain, struct guest *out,
                enum hypervisor_failure *failure, struct error *err)
{
    struct libvirt_link *link = connection;
    _cleanup_(documents_clear) struct documents documents = {0};
    if (open_link(link, failure, err) != 0 ||
        fetch_steady(link, domain, &documents, failure, err) != 0)
        return -1;
    *failure = HYPERVISOR_REFUSED;
    return guest_parse(documents.live, documents.configured, out, err);
}

/* ---- act ---- */

static bool is_looked_up(const struct libvirt_link *link, const char *uuid)
{
    char known[UUID_TEXT_SIZE];
    return link->domain && libvirt_domain_uuid(link->domain, known) &&
           strcmp(known, uuid) == 0;
}

static int attach(struct libvirt_link *link, const char *xml, unsigned flags,
                  enum hypervisor_failure *failure, struct error *err)
{
    if (virDomainAttachDeviceFlags(link->domain, xml, flags) == 0)
        return 0;
    return fail(link, failure, err);
}

/* One that is not there is what was asked for. */
static int detach(struct libvirt_link *link, const char *xml,
                  enum hypervisor_failure *failure, struct error *err)
{
    if (virDomainDetachDeviceFlags(link->domain, xml, VIR_DOMAIN_AFFECT_CONFIG) == 0)
        return 0;
    virErrorPtr error = virGetLastError();
    if (error && error->code == VIR_ERR_DEVICE_MISSING)
        return 0;
    return fail(link, failure, err);
}

static int act(void *connection, const char *domain, const struct attach_action *action,
               enum hypervisor_failure *failure, struct error *err)
{
    static const unsigned flags[] = {
        [ATTACH_CONFIGURED] = VIR_DOMAIN_AFFECT_CONFIG,
        [ATTACH_LIVE] = VIR_DOMAIN_AFFECT_LIVE,
        [ATTACH_BOTH] = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
    };
    struct libvirt_link *link = connection;
    if (open_link(link, failure, err) != 0)
        return -1;
    if (!is_looked_up(link, domain) && find_domain(link, domain, failure, err) != 0)
        return -1;
    if (action->verb == DETACH_CONFIGURED)
        return detach(link, action->xml, failure, err);
    return attach(link, action->xml, flags[action->verb], failure, err);
}

/* ---- list ---- */

static void free_domains(virDomainPtr *domains, int count)
{
    for (int i = 0; i < count; i++)
        virDomainFree(domains[i]);
    free(domains);
}

int libvirt_list(virConnectPtr connection, struct strlist *domains,
                 enum hypervisor_failure *failure, struct error *err)
{
    virDomainPtr *found = NULL;
    int count = virConnectListAllDomains(connection, &found, 0);
    if (count < 0) {
        virErrorPtr error = virSaveLastError();
        bool alive = virConnectIsAlive(connection) == 1;
        *failure = libvirt_failure(error, alive, NULL, err);
        virFreeError(error);
        return -1;
    }
    char uuid[UUID_TEXT_SIZE];
    for (int i = 0; i < count; i++)
        if (libvirt_domain_uuid(found[i], uuid))
            strlist_add(domains, uuid);
    free_domains(found, count);
    return 0;
}

static int list(void *connection, struct strlist *domains,
                enum hypervisor_failure *failure, struct error *err)
{
    struct libvirt_link *link = connection;
    if (open_link(link, failure, err) != 0)
        return -1;
    if (libvirt_list(link->connection, domains, failure, err) == 0)
        return 0;
    if (*failure == HYPERVISOR_UNREACHABLE)
        close_broken(link);
    return -1;
}

const struct hypervisor libvirt_hypervisor = {.look = look, .act = act, .list = list};
