#include "agent/libvirt/events.h"

#include "agent/libvirt/hypervisor.h"
#include "lib/log.h"

/* One that comes back from a file or a snapshot, or from another host, is in the middle
 * of an action of Nova's, which attaches devices itself when it is done. */
static enum occasion started(int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_STARTED_BOOTED:
        return OCCASION_STARTED;
    case VIR_DOMAIN_EVENT_STARTED_WAKEUP: /* from the guest's own sleep */
        return OCCASION_CHANGED;
    default:
        return OCCASION_RESTORED;
    }
}

bool events_occasion(int event, int detail, enum occasion *occasion)
{
    switch (event) {
    case VIR_DOMAIN_EVENT_DEFINED:
        *occasion = OCCASION_DEFINED;
        return true;
    case VIR_DOMAIN_EVENT_STARTED:
        *occasion = started(detail);
        return true;
    case VIR_DOMAIN_EVENT_UNDEFINED:
    case VIR_DOMAIN_EVENT_STOPPED:
        *occasion = OCCASION_STOPPED;
        return true;
    default:
        return false;
    }
}

static void pass_on(const struct events_user *user, virConnectPtr connection,
                    virDomainPtr domain, enum occasion occasion)
{
    char uuid[UUID_TEXT_SIZE];
    if (libvirt_domain_uuid(domain, uuid))
        user->event(user->data, connection, uuid, occasion);
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event,
                        int detail, void *user)
{
    enum occasion occasion;
    if (events_occasion(event, detail, &occasion))
        pass_on(user, connection, domain, occasion);
    return 0;
}

/* DEVICE_ADDED and DEVICE_REMOVED. */
static void on_device(virConnectPtr connection, virDomainPtr domain, const char *alias,
                      void *user)
{
    (void)alias;
    pass_on(user, connection, domain, OCCASION_CHANGED);
}

static void on_removal_failed(virConnectPtr connection, virDomainPtr domain,
                              const char *alias, void *user)
{
    log_info("libvirt",
             "the guest keeps a device that was to be taken out domain=%s "
             "device=%s",
             virDomainGetName(domain), alias);
    pass_on(user, connection, domain, OCCASION_CHANGED);
}

int events_register(virConnectPtr connection, const struct events_user *user,
                    int ids[EVENT_KINDS])
{
    static const struct {
        int id;
        virConnectDomainEventGenericCallback callback;
    } kinds[EVENT_KINDS] = {
        {VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
        {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
         VIR_DOMAIN_EVENT_CALLBACK(on_removal_failed)},
    };
    for (size_t i = 0; i < EVENT_KINDS; i++)
        ids[i] = -1;
    for (size_t i = 0; i < EVENT_KINDS; i++) {
        ids[i] = virConnectDomainEventRegisterAny(
            connection, NULL, kinds[i].id, kinds[i].callback, (void *)user, NULL);
        if (ids[i] < 0)
            return -1;
    }
    return 0;
}

void events_unregister(virConnectPtr connection, int ids[EVENT_KINDS])
{
    for (size_t i = 0; i < EVENT_KINDS; i++)
        if (ids[i] >= 0)
            (void)virConnectDomainEventDeregisterAny(connection, ids[i]);
}
