/*
 * vgpu_params: the plugin parameters of a guest (frame rate limiter, console, ECC) with
 * NVIDIA's driver: the file nvidia/vgpu_params of a mediated device or of a virtual
 * function. They stay on the device after the guest has ended. A blank clears them;
 * while a guest runs, the driver returns EPERM. A driver need not show what is set, so
 * that an empty file proves nothing; one that shows something must show what was
 * written. Keeps nothing.
 */
#ifndef AGENT_BACKEND_VGPU_PARAMS_H
#define AGENT_BACKEND_VGPU_PARAMS_H

#include <stdbool.h>

#include "agent/backend/backend.h"
#include "lib/error.h"

#define VGPU_PARAMETERS "nvidia/vgpu_params"

/* When the agent of `place` has ended, the two that write do not: the device may be
 * another's by now. */

/* Clears the parameters of the device whose folder is open. `name` is the device in
 * messages. 0 also where there is no such file, as with devices of other drivers and
 * with one that was just removed; *absent is then true. BUSY while a guest has it;
 * FORBIDDEN. */
int vgpu_params_clear(const struct device_place *place, int folder, const char *name,
                      bool *absent, struct error *err);

/* Writes the parameters, and reads them back. `fresh`: the device was made a moment ago,
 * and udev may still have to make the file writable, which is waited for. UNSUPPORTED
 * where there is no such file; BUSY; FORBIDDEN; IO where the driver shows others. */
int vgpu_params_write(const struct device_place *place, int folder, const char *name,
                      const char *parameters, bool fresh, struct error *err);

/* What the driver shows. As struct backend's parameters(). */
int vgpu_params_read(int folder, const char *name, char **out, struct error *err);

/* FORBIDDEN: the user of this process may not write to `file`, which `what` needs
 * ("remove mdev ..."). */
int error_not_writable(const char *what, const char *file, struct error *err);

#endif
