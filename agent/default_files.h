/*
 * default_files: which configuration files a command reads when its command line names
 * none: those of the daemon, so that `vgpu-agent status` shows what the daemon does.
 * The systemd unit takes them from VGPU_AGENT_OPTIONS in /etc/default/vgpu-agent; where
 * that variable is not set, the files are below /etc/vgpu-agent. Stateless.
 */
#ifndef AGENT_DEFAULT_FILES_H
#define AGENT_DEFAULT_FILES_H

#include "lib/error.h"
#include "lib/strlist.h"

#define COMMAND_FILES_DEFAULTS "/etc/default/vgpu-agent"

/* Adds the files and folders that --config-file and --config-dir in VGPU_AGENT_OPTIONS
 * name. `defaults` is the file that sets the variable, in the format of systemd's
 * EnvironmentFile=. It may be absent. */
int default_files_read(const char *defaults, struct strlist *files,
                       struct strlist *dirs, struct error *err);

#endif
