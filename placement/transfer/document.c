#include "placement/transfer/document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/files.h"
#include "lib/xalloc.h"
#include "placement/codec.h"
#include "placement/transfer/parts.h"

#define FORMAT "placement-export"
#define VERSION_WRITTEN 1
#define LARGEST ((size_t)512 << 20) /* bytes */

static const struct json_bounds bounds = {
    .objects = 8000000, .values = 32000000, .members = 16000000};

/* ---- writing ---- */

static void write_provider(struct json_writer *w,
                           const struct snapshot_provider *provider)
{
    const struct provider *is = &provider->is;
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", is->uuid);
    json_write_string_member(w, "name", is->name);
    json_write_int_member(w, "generation", is->generation);
    json_write_string_member(w, "root_provider_uuid", is->root);
    json_write_string_member(w, "parent_provider_uuid",
                             is->parent[0] ? is->parent : NULL);
    json_write_int_member(w, "resource_provider_generation", is->generation);
    json_write_key(w, "inventories");
    json_write_begin_object(w);
    for (size_t i = 0; i < provider->inventory_count; i++) {
        json_write_key(w, provider->inventories[i].resource_class);
        codec_write_inventory(w, &provider->inventories[i].inventory);
    }
    json_write_end_object(w);
    json_write_key(w, "traits");
    json_write_strings(w, &provider->traits);
    json_write_key(w, "aggregates");
    json_write_strings(w, &provider->aggregates);
    json_write_end_object(w);
}

static void write_consumer(struct json_writer *w,
                           const struct snapshot_consumer *consumer)
{
    json_write_begin_object(w);
    json_write_string_member(w, "uuid", consumer->uuid);
    parts_write_consumer(w, consumer, &consumer->generation, true);
    json_write_end_object(w);
}

static void write_all(struct json_writer *w, const struct snapshot *snapshot)
{
    json_write_begin_object(w);
    json_write_string_member(w, "format", FORMAT);
    json_write_int_member(w, "version", VERSION_WRITTEN);
    json_write_key(w, "resource_classes");
    json_write_begin_array(w);
    for (size_t i = 0; i < snapshot->classes.count; i++) {
        json_write_begin_object(w);
        json_write_string_member(w, "name", snapshot->classes.items[i]);
        json_write_end_object(w);
    }
    json_write_end_array(w);
    json_write_key(w, "traits");
    json_write_strings(w, &snapshot->traits);
    json_write_key(w, "resource_providers");
    json_write_begin_array(w);
    for (size_t i = 0; i < snapshot->provider_count; i++)
        write_provider(w, snapshot->providers[i]);
    json_write_end_array(w);
    json_write_key(w, "consumers");
    json_write_begin_array(w);
    for (size_t i = 0; i < snapshot->consumer_count; i++)
        write_consumer(w, snapshot->consumers[i]);
    json_write_end_array(w);
    json_write_end_object(w);
}

/* An empty file may be meant for it, as mktemp(1) makes one. */
static int check_is_earlier_one(const char *path, struct error *err)
{
    static const char begin[] = "{\"format\":\"" FORMAT "\"";
    char is[sizeof begin - 1];
    _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, is, sizeof is);
    if (length < 0)
        return error_set_errno(err, errno, "%s", path);
    if (length && (length != sizeof is || memcmp(is, begin, sizeof is) != 0))
        return error_set(err, ERROR_EXISTS,
                         "%s: exists already, and is no such file; remove it or name "
                         "another one",
                         path);
    return 0;
}

/* A device, a pipe or a link would itself be replaced, and so would the database, in
 * place of which somebody has named it. */
int document_check_place(const char *path, struct error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return file_check_folder(path, err);
    if (S_ISDIR(st.st_mode))
        return error_set_errno(err, EISDIR, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERROR_EXISTS,
                         "%s: exists already, and is no regular file", path);
    return check_is_earlier_one(path, err) == 0 ? file_check_folder(path, err) : -1;
}

int document_write(const char *path, const struct snapshot *snapshot, struct error *err)
{
    struct json_writer w = {0};
    const char *name;
    size_t length;
    _cleanup_close_ int folder = file_open_folder(path, &name, err);
    if (folder < 0)
        return -1;
    write_all(&w, snapshot);
    _cleanup_free_ char *text = json_writer_take(&w, &length);
    /* Somebody may have put a file there while the other side was read. */
    if (document_check_place(path, err) != 0)
        return -1;
    return file_replace_at(folder, name, text, length, 0600, err);
}

/* ---- reading ---- */

static int check_format(struct json_object *json, struct error *err)
{
    const char *format;
    int64_t version;
    if (json_get_string(json, "format", &format, err) != 0 ||
        json_get_int64(json, "version", &version, err) != 0)
        return -1;
    if (strcmp(format, FORMAT) != 0)
        return error_set(err, ERROR_INVALID, "format: '%.32s' is not " FORMAT, format);
    if (version < VERSION_WRITTEN)
        return error_set(err, ERROR_INVALID,
                         "version: there is no version %lld of such files; this "
                         "placementd reads %d",
                         (long long)version, VERSION_WRITTEN);
    if (version > VERSION_WRITTEN)
        return error_set(err, ERROR_UNSUPPORTED,
                         "version: %lld was written by a newer placementd; this one "
                         "reads %d",
                         (long long)version, VERSION_WRITTEN);
    return 0;
}

static int read_provider(struct json_object *json, struct snapshot *out,
                         struct error *err)
{
    _cleanup_(snapshot_provider_freep) struct snapshot_provider *provider =
        xcalloc(1, sizeof *provider);
    int64_t generation;
    if (codec_read_provider(json, &provider->is, err) != 0 ||
        codec_read_inventories(json, &provider->inventories, &provider->inventory_count,
                               &generation, err) != 0 ||
        codec_read_traits(json, &provider->traits, NULL, err) != 0 ||
        parts_read_aggregates(json, &provider->aggregates, err) != 0)
        return -1;
    return snapshot_add_provider_take(out, steal(provider), err);
}

static int read_consumer(struct json_object *json, struct snapshot *out,
                         struct error *err)
{
    _cleanup_(snapshot_consumer_freep) struct snapshot_consumer *consumer =
        xcalloc(1, sizeof *consumer);
    const char *uuid;
    if (json_get_string(json, "uuid", &uuid, err) != 0 ||
        parts_read_consumer_uuid(uuid, consumer->uuid, err) != 0 ||
        parts_read_consumer(json, consumer, err) != 0)
        return -1;
    if (consumer->count == 0)
        return error_set(err, ERROR_INVALID, "allocations: there are none");
    return snapshot_add_consumer_take(out, steal(consumer), err);
}

static int read_each(struct json_object *json, const char *name,
                     int (*read)(struct json_object *json, struct snapshot *out,
                                 struct error *err),
                     struct snapshot *out, struct error *err)
{
    struct json_object *list;
    if (json_get_array(json, name, &list, err) != 0)
        return -1;
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (read(json_object_array_get_idx(list, i), out, err) != 0)
            return error_prefix(err, "%s[%zu]", name, i);
    return 0;
}

int document_parse(struct json_object *json, struct snapshot *out, struct error *err)
{
    if (check_format(json, err) != 0 ||
        parts_read_classes(json, &out->classes, err) != 0 ||
        codec_read_traits(json, &out->traits, NULL, err) != 0 ||
        read_each(json, "resource_providers", read_provider, out, err) != 0 ||
        read_each(json, "consumers", read_consumer, out, err) != 0)
        return -1;
    return snapshot_order(out, err);
}

int document_read(const char *path, struct snapshot *out, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_json_ struct json_object *json = NULL;
    size_t length;
    if (file_read_at(AT_FDCWD, path, LARGEST, &text, &length, err) != 0)
        return -1;
    if (json_parse_within(text, length, &bounds, &json, err) != 0 ||
        document_parse(json, out, err) != 0)
        return error_prefix(err, "%s", path);
    return 0;
}
