#include "agent/libvirt/failure.h"

#include "tests/unit/test.h"

#define INVALID "Requested operation is not valid: "
#define DEVICE "mediated device 9cd04d6b-8de5-49f7-8c1f-0d6a6d45b1d2 "

static const struct {
    int code; /* libvirt's */
    const char *message;
    enum hypervisor_failure failure;
    enum error_code error;
} cases[] = {
    {VIR_ERR_NO_DOMAIN, "Domain not found", HYPERVISOR_NO_DOMAIN, ERROR_NOT_FOUND},
    {VIR_ERR_OPERATION_INVALID, INVALID "device is already in the domain configuration",
     HYPERVISOR_THERE, ERROR_EXISTS},
    {VIR_ERR_OPERATION_INVALID,
     INVALID DEVICE "is in use by driver QEMU, domain instance-1", HYPERVISOR_THERE,
     ERROR_EXISTS},
    /* Its name begins in the same way. */
    {VIR_ERR_OPERATION_INVALID,
     INVALID DEVICE "is in use by driver QEMU, domain instance-11",
     HYPERVISOR_ELSEWHERE, ERROR_BUSY},
    {VIR_ERR_OPERATION_INVALID,
     INVALID "PCI device 0000:41:00.0 is in use by driver QEMU, domain instance-2",
     HYPERVISOR_ELSEWHERE, ERROR_BUSY},
    {VIR_ERR_INTERNAL_ERROR, "internal error: No more available PCI slots",
     HYPERVISOR_NO_PORT, ERROR_EXHAUSTED},
    {VIR_ERR_INTERNAL_ERROR,
     "internal error: unable to execute QEMU command 'device_add': Bus 'pcie.0' does "
     "not support hotplugging",
     HYPERVISOR_NO_PORT, ERROR_EXHAUSTED},
    {VIR_ERR_OPERATION_INVALID, INVALID "domain is not running", HYPERVISOR_NOT_RUNNING,
     ERROR_CONFLICT},
    {VIR_ERR_DEVICE_MISSING, "device not found: " DEVICE "not found",
     HYPERVISOR_REFUSED, ERROR_NOT_FOUND},
    {VIR_ERR_OPERATION_TIMEOUT,
     "Timed out during operation: cannot acquire state change lock", HYPERVISOR_BUSY,
     ERROR_TIMEOUT},
    {VIR_ERR_ACCESS_DENIED, "access denied: 'domain' denied", HYPERVISOR_REFUSED,
     ERROR_FORBIDDEN},
    {VIR_ERR_OPERATION_INVALID,
     INVALID "transient domains do not have any persistent config", HYPERVISOR_REFUSED,
     ERROR_IO},
};

static void its_words_tell_what_follows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *message = (char *)cases[i].message;
        virError error = {.code = cases[i].code, .message = message};
        struct error err;
        print_message("%s\n", message);
        assert_int_equal(libvirt_failure(&error, true, "instance-1", &err),
                         cases[i].failure);
        assert_int_equal(err.code, cases[i].error);
        assert_memory_equal(err.text, "libvirt: ", 9);
        assert_string_equal(err.text + 9, message);
    }
}

/* Whatever it says: the call may still be carried out. */
static void on_a_broken_connection_nothing_is_known(void **state)
{
    (void)state;
    struct error err;
    virError error = {.code = VIR_ERR_INTERNAL_ERROR,
                      .message = (char *)"internal error: client socket is closed"};
    assert_int_equal(libvirt_failure(&error, false, "instance-1", &err),
                     HYPERVISOR_UNREACHABLE);
    assert_int_equal(err.code, ERROR_UNREACHABLE);
    assert_int_equal(libvirt_failure(NULL, false, NULL, &err), HYPERVISOR_UNREACHABLE);
    assert_string_equal(err.text, "libvirt: unknown error");
}

static void a_holder_is_not_ours_where_our_name_is_unknown(void **state)
{
    (void)state;
    struct error err;
    virError error = {.code = VIR_ERR_OPERATION_INVALID,
                      .message = (char *)INVALID DEVICE
                      "is in use by driver QEMU, domain instance-1"};
    assert_int_equal(libvirt_failure(&error, true, NULL, &err), HYPERVISOR_ELSEWHERE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_words_tell_what_follows),
        cmocka_unit_test(on_a_broken_connection_nothing_is_known),
        cmocka_unit_test(a_holder_is_not_ours_where_our_name_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
