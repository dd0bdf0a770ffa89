/* The rules about the software of a card's maker. */
#include "agent/report/preflight_rules.h"

#include <string.h>

#include "lib/xalloc.h"

static void judge_rival(const struct preflight_seen *seen,
                        const struct preflight_vendor *maker, struct preflight *out)
{
    const char *rival = maker->vendor->rival;
    const struct gpu *has = NULL;
    for (size_t i = 0; i < seen->host->gpu_count; i++)
        if (seen->host->gpus[i].driver &&
            strcmp(seen->host->gpus[i].driver, rival) == 0)
            has = &seen->host->gpus[i];
    if (has || maker->rival == PRESENT)
        preflight_add_told(
            out, rival, PREFLIGHT_MISSING,
            has ? xasprintf("it is bound to %s", has->name)
                : xstrdup("the module is loaded, and can take a card"),
            xasprintf("`blacklist %s` in /etc/modprobe.d, a new initramfs, and a "
                      "reboot",
                      rival));
    else if (maker->rival == ABSENT)
        preflight_add_told(out, rival, PREFLIGHT_OK, xstrdup("not loaded"), NULL);
    else
        preflight_add_told(
            out, rival, PREFLIGHT_UNKNOWN,
            xstrdup("bound to no GPU; whether the module is loaded cannot be seen"),
            NULL);
}

static bool offers_any(const struct host *host)
{
    for (size_t i = 0; i < host->gpu_count; i++)
        if (gpu_offers_types(&host->gpus[i]))
            return true;
    return false;
}

static void judge_daemon(const struct preflight_seen *seen,
                         const struct vendor_daemon *daemon, enum sight sight,
                         struct preflight *out)
{
    bool done = daemon->may_end && offers_any(seen->host);
    if (sight == PRESENT)
        preflight_add_told(out, daemon->name, PREFLIGHT_OK, xstrdup("runs"), NULL);
    else if (done)
        preflight_add_told(out, daemon->name, PREFLIGHT_OK,
                           xasprintf("%s, and it has named the types",
                                     sight == ABSENT ? "has ended" : "cannot be seen"),
                           NULL);
    else if (sight == ABSENT)
        preflight_add_told(
            out, daemon->name, PREFLIGHT_MISSING, xstrdup("it does not run"),
            xasprintf("`systemctl enable --now %s`; its lines in the journal say "
                      "more",
                      daemon->name));
    else
        preflight_add_told(out, daemon->name, PREFLIGHT_UNKNOWN,
                           xstrdup("the host's processes cannot all be seen"),
                           xasprintf("`systemctl status %s`", daemon->name));
}

static void judge_partitions(const struct preflight_vendor *maker,
                             struct preflight *out)
{
    const char *name = maker->vendor->partition;
    if (maker->partitions < 0)
        preflight_add(out, name, PREFLIGHT_UNKNOWN,
                      xasprintf("%s's driver shows no instances of it below /proc",
                                maker->vendor->name),
                      NULL);
    else
        preflight_add(out, name, PREFLIGHT_OK,
                      maker->partitions
                          ? xasprintf("%d instances exist", maker->partitions)
                          : xstrdup("no instances exist"),
                      NULL);
}

void preflight_judge_vendors(const struct preflight_seen *seen, struct preflight *out)
{
    for (size_t i = 0; i < seen->vendor_count; i++) {
        const struct preflight_vendor *maker = &seen->vendors[i];
        if (maker->vendor->rival)
            judge_rival(seen, maker, out);
        for (size_t j = 0; j < VENDOR_MOST_DAEMONS; j++)
            if (maker->vendor->daemons[j].name)
                judge_daemon(seen, &maker->vendor->daemons[j], maker->daemons[j], out);
        if (maker->vendor->partition)
            judge_partitions(maker, out);
    }
}
