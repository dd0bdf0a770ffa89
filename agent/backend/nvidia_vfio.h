/*
 * nvidia_vfio: virtual GPUs of NVIDIA's vendor-specific VFIO: a virtual function becomes
 * one when the number of a type is written to its file, and ends being one by a 0
 * (agent/backend/nvidia_vfio_files.h). The functions are the parents, each with at most
 * one device, whose address is the function's: known beforehand, and used again. A guest
 * gets it as a plain PCI device.
 *
 * Since an address is used again, what is there is compared with what was asked for
 * right before each write, and a function is not written that a process has open, that a
 * libvirt domain names (a new device's own one excepted), or whose card is not in SR-IOV
 * mode.
 */
#ifndef AGENT_BACKEND_NVIDIA_VFIO_H
#define AGENT_BACKEND_NVIDIA_VFIO_H

#include "agent/backend/backend.h"

extern const struct backend backend_nvidia_vfio;

#endif
