#include "agent/libvirt/failure.h"

#include <string.h>

/* Of the domain that has the device, "instance-0000002a"; NULL: it is not in use. */
static const char *find_holder(const char *message)
{
    static const char before[] = ", domain ";
    const char *use = strstr(message, "is in use by driver ");
    const char *found = use ? strstr(use, before) : NULL;
    return found ? found + strlen(before) : NULL;
}

static bool has_no_port(const char *message)
{
    /* The second is QEMU's, of a bus such as pcie.0. */
    return strstr(message, "No more available PCI slots") ||
           strstr(message, "does not support hotplugging");
}

static enum hypervisor_failure from_message(const char *message, const char *domain)
{
    const char *holder = find_holder(message);
    if (holder)
        return domain && strcmp(holder, domain) == 0 ? HYPERVISOR_THERE
                                                     : HYPERVISOR_ELSEWHERE;
    if (strstr(message, "device is already in the domain configuration"))
        return HYPERVISOR_THERE;
    if (has_no_port(message))
        return HYPERVISOR_NO_PORT;
    if (strstr(message, "domain is not running"))
        return HYPERVISOR_NOT_RUNNING;
    return HYPERVISOR_REFUSED;
}

static enum error_code code_of(enum hypervisor_failure failure, int libvirts)
{
    switch (failure) {
    case HYPERVISOR_NO_DOMAIN:
        return ERROR_NOT_FOUND;
    case HYPERVISOR_NO_PORT:
        return ERROR_EXHAUSTED;
    case HYPERVISOR_THERE:
        return ERROR_EXISTS;
    case HYPERVISOR_ELSEWHERE:
        return ERROR_BUSY;
    case HYPERVISOR_NOT_RUNNING:
        return ERROR_CONFLICT;
    case HYPERVISOR_UNREACHABLE:
        return ERROR_UNREACHABLE;
    case HYPERVISOR_BUSY:
        return ERROR_TIMEOUT;
    case HYPERVISOR_REFUSED:
        break;
    }
    switch (libvirts) {
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
        return ERROR_FORBIDDEN;
    case VIR_ERR_DEVICE_MISSING:
        return ERROR_NOT_FOUND;
    default:
        return ERROR_IO;
    }
}

enum hypervisor_failure libvirt_failure(const virError *error, bool alive,
                                        const char *domain, struct error *err)
{
    const char *message = error && error->message ? error->message : "unknown error";
    int code = error ? error->code : VIR_ERR_OK;
    enum hypervisor_failure failure;
    if (code == VIR_ERR_NO_DOMAIN)
        failure = HYPERVISOR_NO_DOMAIN;
    else if (!alive)
        failure = HYPERVISOR_UNREACHABLE;
    else if (code == VIR_ERR_OPERATION_TIMEOUT)
        failure = HYPERVISOR_BUSY;
    else
        failure = from_message(message, domain);
    (void)error_set(err, code_of(failure, code), "libvirt: %s", message);
    return failure;
}
