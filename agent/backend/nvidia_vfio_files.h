/*
 * nvidia_vfio_files: the files of NVIDIA's vendor-specific VFIO (driver 17 and later on
 * Linux 6.8 and later, which offer no mdevs), in the folder `nvidia` of a virtual
 * function. The physical function has no such folder. Keeps nothing; any thread may
 * call.
 *
 *     creatable_vgpu_types   what the function could be made now: "ID    : vGPU Name",
 *                            then lines such as "1147  : NVIDIA L40S-1Q". The list
 *                            shrinks as the card fills, and may be empty
 *     current_vgpu_type      the number of its type, 0 for none; takes a number
 *     vgpu_params            a guest's plugin parameters; a blank clears them
 *
 * A write to one function changes its siblings' lists.
 *
 * https://docs.nvidia.com/vgpu/latest/grid-vgpu-user-guide/ ("vendor-specific VFIO
 * framework"); the errors of writes as others who use the files report them.
 */
#ifndef AGENT_BACKEND_NVIDIA_VFIO_FILES_H
#define AGENT_BACKEND_NVIDIA_VFIO_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

#define VGPU_NUMBER_SIZE 12 /* a type's number in decimal, and the terminating NUL */
#define VGPU_NO_TYPE "0"

#define VGPU_CREATABLE "nvidia/creatable_vgpu_types"
#define VGPU_CURRENT "nvidia/current_vgpu_type"

struct vgpu_type {
    char number[VGPU_NUMBER_SIZE]; /* "1147" */
    char *name;                    /* "NVIDIA L40S-1Q" */
};

struct vgpu_types {
    struct vgpu_type *items;
    size_t count;
};

void vgpu_types_clear(struct vgpu_types *types);
#define _cleanup_vgpu_types_ _cleanup_(vgpu_types_clear)

/* The lines "<number> : <name>" of the text; all others are passed over. A last line
 * that the end of the page has cut off is one of these. */
void vgpu_types_parse(const char *text, struct vgpu_types *out);

/* In the functions below `function` is a descriptor of the virtual function's folder.
 * When the function or its driver has gone, errno_is_gone(err->errnum) is true. */

/* Whether the function takes types. */
bool vgpu_function_takes_types(int function);
int vgpu_read_creatable(int function, struct vgpu_types *out, struct error *err);
/* VGPU_NO_TYPE when the function has none. INVALID when the file has no number. */
int vgpu_read_current(int function, char out[VGPU_NUMBER_SIZE], struct error *err);
/* Writes a type's number, or VGPU_NO_TYPE to end the type that it has. `name` is the
 * function's address, for messages. BUSY when a process has the function open, also
 * just after a guest has ended; NOT_FOUND when the driver does not know the type, or the
 * function has gone; EXISTS when the function or the rest of its card has another type;
 * EXHAUSTED when the card is full; FORBIDDEN. The caller looks before that nobody uses
 * the function. */
int vgpu_write_current(int function, const char *name, const char *number,
                       struct error *err);

/* Whether the driver serves the card's virtual functions in SR-IOV mode, the only one
 * in which their types may be written: in the other one the functions are parents of
 * mdevs, which a write disturbs, and the files are there nevertheless. `card` is a
 * descriptor of the physical function's folder. FORBIDDEN with the reason when not, IO
 * when it cannot be seen. */
int vgpu_check_sriov_mode(int card, struct error *err);

#endif
