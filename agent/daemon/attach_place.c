#include "agent/daemon/attach_place.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"

#ifndef LIBEXECDIR
#define LIBEXECDIR "/usr/local/libexec"
#endif
#define PROGRAM "vgpu-agent-libvirt"
#define LOCAL_URI "qemu:///system"

/* ---- the program ---- */

/* In the folder that this program is in, as in the build tree. NULL: it is not there. */
static char *program_beside(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return NULL;
    path[length] = 0;
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = 0;
    char *program = xasprintf("%s/" PROGRAM, path);
    if (access(program, X_OK) == 0)
        return program;
    free(program);
    return NULL;
}

static char *find_program(void)
{
    static const char installed[] = LIBEXECDIR "/vgpu-agent/" PROGRAM;
    char *program = program_beside();
    if (program)
        return program;
    return access(installed, X_OK) == 0 ? xstrdup(installed) : NULL;
}

/* ---- libvirt ---- */

/* The value of `socket` in the URI; NULL: it names none. */
static char *socket_of(const char *uri)
{
    const char *query = strchr(uri, '?');
    for (const char *at = query; at; at = strpbrk(at + 1, "&;"))
        if (strncmp(at + 1, "socket=", 7) == 0)
            return xasprintf("%.*s", (int)strcspn(at + 8, "&;#"), at + 8);
    return NULL;
}

/* libvirt's own place below host_root: of the daemon for QEMU alone, or of the one for
 * all hypervisors. */
static char *usual_socket(const char *host_root)
{
    static const char *const names[] = {"virtqemud-sock", "libvirt-sock"};
    const char *slash = host_root[strlen(host_root) - 1] == '/' ? "" : "/";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = xasprintf("%s%srun/libvirt/%s", host_root, slash, names[i]);
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

/* The socket that the URI leads to; NULL: it is not there. "": the URI leads elsewhere,
 * and only a connection can tell whether anything is there. */
static char *socket_to(const struct config *config)
{
    const char *uri = config->agent.libvirt_uri;
    char *named = socket_of(uri);
    if (named && access(named, F_OK) != 0)
        free(steal(named));
    else if (!named && strcmp(uri, LOCAL_URI) != 0)
        named = xstrdup("");
    else if (!named)
        named = usual_socket(config->agent.host_root);
    return named;
}

static char *uri_to(const struct config *config, const char *path)
{
    const char *uri = config->agent.libvirt_uri, *root = config->agent.host_root;
    return strcmp(root, "/") == 0 || strcmp(uri, LOCAL_URI) != 0
               ? xstrdup(uri)
               : xasprintf("%s?socket=%s", uri, path);
}

/* ---- both ---- */

static char *why_not_wanted(const struct config *config)
{
    const char *attach = config->agent.attach;
    if (attach && strcmp(attach, "none") == 0)
        return xstrdup("[agent] attach is none");
    if (!attach && config->agent.mode != MODE_OWNER)
        return xstrdup("nova-compute attaches devices ([agent] attach = libvirt heals "
                       "what it loses)");
    if (!config->agent.libvirt)
        return xstrdup("there is no libvirt on this host ([agent] libvirt = false)");
    return NULL;
}

static char *why_not_possible(const struct config *config, const char *program,
                              const char *path)
{
    if (!program)
        return xstrdup("the program " PROGRAM " is not installed");
    if (!path)
        return xasprintf("libvirt's socket is not there (%s; [agent] libvirt_uri)",
                         config->agent.libvirt_uri);
    if (*path && access(path, W_OK) != 0)
        return xasprintf("libvirt's socket %s is not for this user", path);
    return NULL;
}

struct attach_place attach_place_look(const struct config *config)
{
    _cleanup_free_ char *program = find_program(), *path = socket_to(config);
    const char *attach = config->agent.attach;
    struct attach_place place = {.reason = why_not_wanted(config)};
    place.wanted = !place.reason;
    if (place.wanted)
        place.reason = why_not_possible(config, program, path);
    place.on = !place.reason;
    place.wrong = place.reason && attach && strcmp(attach, "libvirt") == 0;
    if (place.on) {
        place.program = steal(program);
        place.uri = uri_to(config, path);
    }
    return place;
}

void attach_place_clear(struct attach_place *place)
{
    free(place->reason);
    free(place->program);
    free(place->uri);
    *place = (struct attach_place){0};
}
