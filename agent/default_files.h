/*
 * default_files: which files a command reads whose command line names none: those of
 * the daemon, so that `vgpu-agent status` speaks of what the daemon does. The unit
 * takes them from VGPU_AGENT_OPTIONS in /etc/default/vgpu-agent, and where that is not
 * there from /etc/vgpu-agent. Stateless.
 */
#ifndef AGENT_DEFAULT_FILES_H
#define AGENT_DEFAULT_FILES_H

#include "lib/error.h"
#include "lib/strlist.h"

#define COMMAND_FILES_DEFAULTS "/etc/default/vgpu-agent"

/* Adds what --config-file and --config-dir in VGPU_AGENT_OPTIONS name. `defaults` is
 * the file that sets it, in the form of systemd's EnvironmentFile=. It need not be
 * there. */
int default_files_read(const char *defaults, struct strlist *files,
                       struct strlist *dirs, struct error *err);

#endif
