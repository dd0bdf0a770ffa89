#include "agent/tree/root_identity.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "lib/files.h"
#include "lib/xalloc.h"

/* The files in which Nova keeps it. */
static const char *const places[] = {"etc/nova/compute_id", "var/lib/nova/compute_id"};

/* RFC 4122's namespace for host names. */
static const char dns_namespace[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

void root_identity_computed_uuid(const char *name, char out[UUID_TEXT_SIZE])
{
    uuid5_text(dns_namespace, name, out);
}

void root_identity_clear(struct root_identity *identity)
{
    free(identity->name);
    *identity = (struct root_identity){0};
}

char *root_identity_host_name(void)
{
    char name[HOST_NAME_MAX + 1] = "";
    if (gethostname(name, sizeof name - 1) != 0)
        return xstrdup("localhost");
    if (strncmp(name, "localhost", 9) == 0 || strchr(name, '.'))
        return xstrdup(name);
    const struct addrinfo hints = {.ai_flags = AI_CANONNAME | AI_CANONIDN};
    struct addrinfo *found;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return xstrdup(name);
    const char *full = found->ai_canonname;
    char *result = xstrdup(full && strncmp(full, "localhost", 9) != 0 ? full : name);
    freeaddrinfo(found);
    return result;
}

static int read_uuid(const char *path, char out[UUID_TEXT_SIZE], struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    if (file_read_at(AT_FDCWD, path, 4096, &text, &length, err) != 0)
        return -1;
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = 0;
    const char *start = text + strspn(text, " \t\r\n\f\v");
    if (!uuid_parse_text(start, out))
        return error_set(err, ERROR_INVALID,
                         "%s: expected a uuid, as nova-compute writes it", path);
    return 0;
}

/* `uuid` stays "" when none of the files exists. */
static int look_in_places(const char *host_root, char uuid[UUID_TEXT_SIZE],
                          struct error *err)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        _cleanup_free_ char *path =
            xasprintf("%s/%s", strcmp(host_root, "/") == 0 ? "" : host_root, places[i]);
        char found[UUID_TEXT_SIZE];
        struct error why = {0};
        if (read_uuid(path, found, &why) != 0) {
            if (why.code == ERROR_NOT_FOUND)
                continue;
            if (err)
                *err = why;
            return -1;
        }
        if (uuid[0] && strcmp(uuid, found) != 0)
            return error_set(err, ERROR_INVALID,
                             "%s and /%s hold different uuids: set [agent] "
                             "compute_id_file to the one that nova-compute uses",
                             path, places[0]);
        uuid_text_copy(uuid, found);
    }
    return 0;
}

int root_identity_find(const struct config *config, struct root_identity *out,
                       struct error *err)
{
    const char *host_root = config->agent.host_root ? config->agent.host_root : "/";
    const char *file = config->agent.compute_id_file;
    const char *name = config->agent.root_provider_name;
    struct root_identity identity = {0};
    if (file) {
        if (read_uuid(file, identity.uuid, err) != 0)
            return error_prefix(err, "agent.compute_id_file");
    } else if (!name && look_in_places(host_root, identity.uuid, err) != 0)
        return -1;
    if (name)
        identity.name = xstrdup(name);
    else if (!identity.uuid[0])
        identity.name = root_identity_host_name();
    *out = identity;
    return 0;
}
