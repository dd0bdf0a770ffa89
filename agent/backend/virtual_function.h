/*
 * virtual_function: what kinds have in common whose devices are virtual functions: the
 * function is the parent and its PCI address the device's, known beforehand and used
 * again. Keeps nothing; any thread may call.
 */
#ifndef AGENT_BACKEND_VIRTUAL_FUNCTION_H
#define AGENT_BACKEND_VIRTUAL_FUNCTION_H

#include "agent/backend/backend.h"

#define FUNCTIONS_FOLDER "bus/pci/devices"

/* The function's folder relative to sysfs, "devices/pci0000:40/.../0000:41:00.4".
 * `functions` is a descriptor of FUNCTIONS_FOLDER. The caller frees. */
char *function_path(int functions, const char *name);
/* A descriptor of the device's function's folder, or -1. */
int function_open(const struct device_place *place, const struct device_spec *device,
                  struct error *err);

/* As device_check_unused(), for the device's function, whose folder is `function`. */
int function_check_unused(const struct device_place *place,
                          const struct device_spec *device, int function,
                          struct error *err);
/* As device_check_unused_by_others(), with the device's own consumer. */
int function_check_free(const struct device_place *place,
                        const struct device_spec *device, int function,
                        struct error *err);
/* As device_check_no_guest(). */
int function_check_no_guest(const struct device_place *place,
                            const struct device_spec *device, int function,
                            struct error *err);
/* Whether the function is the device's consumer's already: it is used, and by no
 * other. */
bool function_is_consumers(const struct device_place *place,
                           const struct device_spec *device, int function);

/* ---- members of struct backend */

void function_address(const char *parent, const char *uuid,
                      char out[DEVICE_ADDRESS_SIZE]);
/* The element for a libvirt domain. `managed`: libvirt gives the function to vfio-pci
 * for the guest, and back to its driver. Else its driver serves VFIO itself, or somebody
 * has bound vfio-pci. */
char *function_xml(const struct device *device, bool managed);
char *function_qemu_device(const struct device *device, const struct device_type *type);

#endif
