/* The rules about what the agent and its neighbours need. */
#include "agent/report/preflight_rules.h"

#include "lib/xalloc.h"

void preflight_judge_rights(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "rights";
    if (!seen->files)
        return; /* there is nothing to be written */
    if (!seen->user)
        preflight_add_told(
            out, check, PREFLIGHT_UNKNOWN,
            xasprintf("the folder of %s, whose owner the service runs as, cannot "
                      "be seen",
                      seen->config->agent.state_file),
            NULL);
    else if (seen->refused)
        preflight_add_told(
            out, check, PREFLIGHT_MISSING,
            xasprintf("%s may not write %zu of the %zu files in sysfs that make "
                      "devices, such as %s",
                      seen->user, seen->refused, seen->files, seen->refused_file),
            xstrdup(seen->right ? seen->right
                                : "the agent's udev rule gives the right: "
                                  "`udevadm control --reload`, `udevadm "
                                  "trigger`"));
    else if (seen->unseen_file)
        preflight_add_told(out, check, PREFLIGHT_UNKNOWN,
                           xasprintf("%s cannot be looked at", seen->unseen_file),
                           NULL);
    else
        preflight_add_told(
            out, check, PREFLIGHT_OK,
            xasprintf("%s may write the %zu files in sysfs that make devices",
                      seen->user, seen->files),
            NULL);
}

void preflight_judge_mdevctl(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "mdevctl";
    if (seen->mdevctl == PRESENT)
        preflight_add_told(out, check, PREFLIGHT_OK, xstrdup("installed"), NULL);
    else if (seen->config->agent.mode != MODE_NOVA)
        preflight_add_told(out, check, PREFLIGHT_OK,
                           xasprintf("not needed in mode %s",
                                     agent_mode_name(seen->config->agent.mode)),
                           NULL);
    else if (seen->mdevctl == ABSENT)
        preflight_add_told(
            out, check, PREFLIGHT_MISSING, xstrdup("it is not installed"),
            xstrdup("install it: nova-compute 2024.2 and later makes its devices "
                    "through libvirt, which calls it"));
    else
        preflight_add_told(out, check, PREFLIGHT_UNKNOWN,
                           xstrdup("the host's programs cannot be seen"), NULL);
}

void preflight_judge_libvirt(const struct preflight_seen *seen, struct preflight *out)
{
    static const char check[] = "libvirt";
    const char *obstacle = seen->libvirt.obstacle;
    if (!seen->libvirt.looked)
        preflight_add(out, check, PREFLIGHT_UNKNOWN,
                      xstrdup("nobody has looked for its socket"), NULL);
    else if (!obstacle)
        preflight_add(
            out, check, PREFLIGHT_OK,
            xstrdup("its socket is there, and vgpu-agent-libvirt is installed"), NULL);
    else if (!seen->libvirt.wanted)
        preflight_add(out, check, PREFLIGHT_OK, xasprintf("not used: %s", obstacle),
                      NULL);
    else
        preflight_add_told(
            out, check, PREFLIGHT_MISSING,
            xasprintf("guests do not get their devices: %s", obstacle),
            xstrdup("doc/operating.rst has what attaching needs; [agent] attach = none "
                    "where `vgpu-agent xml` is used instead"));
}
