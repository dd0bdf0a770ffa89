#include "tests/unit/agent/attach/fake_libvirt.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/agent/attach/devices.h"

struct fake_domain *fake_add(struct fake_libvirt *fake, struct guest guest, int ports)
{
    struct fake_domain *domain = array_add(fake->domains, fake->count);
    *domain = (struct fake_domain){.exists = true, .guest = guest, .ports = ports};
    return domain;
}

struct fake_domain *fake_find(struct fake_libvirt *fake, const char *uuid)
{
    for (size_t i = 0; i < fake->count; i++)
        if (fake->domains[i].exists && strcmp(fake->domains[i].guest.uuid, uuid) == 0)
            return &fake->domains[i];
    return NULL;
}

void fake_clear(struct fake_libvirt *fake)
{
    for (size_t i = 0; i < fake->count; i++)
        guest_clear(&fake->domains[i].guest);
    free(fake->domains);
    buffer_clear(&fake->log);
    *fake = (struct fake_libvirt){0};
}

/* ---- what others do ---- */

void fake_start(struct fake_domain *domain)
{
    struct guest *guest = &domain->guest;
    if (guest->running)
        return;
    guest->running = true;
    strlist_clear(&guest->live);
    guest->live = strlist_copy(&guest->configured);
}

void fake_stop(struct fake_domain *domain)
{
    domain->guest.running = false;
    strlist_clear(&domain->guest.live);
    domain->exists &= domain->guest.persistent;
}

void fake_undefine(struct fake_domain *domain)
{
    domain->guest.persistent = false;
    strlist_clear(&domain->guest.configured);
    domain->exists &= domain->guest.running;
}

void fake_use_ports(struct fake_domain *domain)
{
    domain->ports = 0;
}

/* ---- calls ---- */

struct call {
    struct fake_libvirt *fake;
    struct fake_domain *domain;
    bool fails;
    enum hypervisor_failure *failure;
    struct error *err;
};

static int fail(const struct call *call, enum hypervisor_failure failure,
                const char *words)
{
    *call->failure = failure;
    return error_set(call->err, ERROR_IO, "%s", words);
}

/* -1: the call ends here. */
static int begin(struct call *call, const char *uuid)
{
    struct fake_libvirt *fake = call->fake;
    int number = fake->calls++;
    struct fake_domain *domain = fake_find(fake, uuid);
    if (number == fake->change_at && domain)
        fake->change(domain);
    call->domain = fake_find(fake, uuid);
    call->fails = number == fake->fail_at;
    if (call->fails && !fake->after_effect) {
        fake->has_failed = true;
        return fail(call, fake->failure, "made to fail");
    }
    if (!call->domain)
        return fail(call, HYPERVISOR_NO_DOMAIN, "no domain with matching uuid");
    return 0;
}

static int end(const struct call *call)
{
    if (!call->fails)
        return 0;
    call->fake->has_failed = true;
    return fail(call, call->fake->failure, "made to fail afterwards");
}

static int fake_look(void *connection, const char *uuid, struct guest *out,
                     enum hypervisor_failure *failure, struct error *err)
{
    struct call call = {.fake = connection, .failure = failure, .err = err};
    buffer_add_text(&call.fake->log, "look ");
    if (begin(&call, uuid) != 0 || end(&call) != 0)
        return -1;
    *out = guest_copy(&call.domain->guest);
    return 0;
}

static void add(struct strlist *list, const char *address)
{
    strlist_add(list, address);
    strlist_sort(list);
}

static int attach(const struct call *call, const char *address, bool live,
                  bool configured)
{
    struct guest *guest = &call->domain->guest;
    if (live && !guest->running)
        return fail(call, HYPERVISOR_NOT_RUNNING, "domain is not running");
    if (configured && !guest->persistent)
        return fail(call, HYPERVISOR_REFUSED,
                    "transient domains have no configuration");
    if (configured && strlist_contains(&guest->configured, address))
        return fail(call, HYPERVISOR_THERE, "already in the domain configuration");
    if (live && strlist_contains(&guest->live, address))
        return fail(call, HYPERVISOR_THERE, "in use by driver QEMU");
    if (live && call->domain->ports == 0)
        return fail(call, HYPERVISOR_NO_PORT, "No more available PCI slots");
    if (configured)
        add(&guest->configured, address);
    if (live) {
        add(&guest->live, address);
        call->domain->ports--;
    }
    return 0;
}

static int fake_act(void *connection, const char *uuid,
                    const struct attach_action *action,
                    enum hypervisor_failure *failure, struct error *err)
{
    struct call call = {.fake = connection, .failure = failure, .err = err};
    bool out = action->verb == DETACH_CONFIGURED;
    buffer_format(&call.fake->log, "%s%c%s ", out ? "-" : "",
                  device_letter(action->address),
                  action->verb == ATTACH_LIVE   ? "!"
                  : action->verb == ATTACH_BOTH ? "*"
                                                : "");
    if (begin(&call, uuid) != 0)
        return -1;
    if (out && !strlist_remove(&call.domain->guest.configured, action->address))
        return fail(&call, HYPERVISOR_REFUSED, "no such device");
    if (!out && attach(&call, action->address,
                       action->verb == ATTACH_LIVE || action->verb == ATTACH_BOTH,
                       action->verb != ATTACH_LIVE) != 0)
        return -1;
    return end(&call);
}

static int fake_list(void *connection, struct strlist *domains,
                     enum hypervisor_failure *failure, struct error *err)
{
    (void)failure;
    (void)err;
    const struct fake_libvirt *fake = connection;
    for (size_t i = 0; i < fake->count; i++)
        if (fake->domains[i].exists)
            strlist_add(domains, fake->domains[i].guest.uuid);
    return 0;
}

const struct hypervisor fake_hypervisor = {
    .look = fake_look, .act = fake_act, .list = fake_list};
