/*
 * domain_files: what libvirt's files of domains have said, so that one that has not changed
 * since is not parsed again: with a hundred domains that takes longer than all else that
 * is done for a guest which is about to start. libvirt never writes into such a file, but
 * puts another one in its place. Plain data; no I/O. One thread.
 */
#ifndef AGENT_HOST_DOMAIN_FILES_H
#define AGENT_HOST_DOMAIN_FILES_H

#include <sys/stat.h>
#include <time.h>

#include "agent/host/domain_xml.h"

struct domain_file;

/* All zero: nothing is known. */
struct domain_files {
    struct domain_file
        *items; /* sorted by path, but for those that came in this round */
    size_t count, sorted;
};

/* A round looks at all files: those that it has not found are forgotten at its end. */
void domain_files_end(struct domain_files *files);

/* What the file says, if it is still the one that was kept; NULL: it is to be read.
 * Borrowed until the next call. */
const struct domain_xml *domain_files_find(struct domain_files *files, const char *path,
                                           const struct stat *st);
/* Keeps what the file says, which was looked at before it was read; takes the members of
 * *xml. Not where it has changed a moment ago, as of `now`: a change within the same tick
 * of the kernel's clock could not be told from that one. */
void domain_files_keep_take(struct domain_files *files, const char *path,
                            const struct stat *st, time_t now, struct domain_xml *xml);
void domain_files_clear(struct domain_files *files);

#endif
