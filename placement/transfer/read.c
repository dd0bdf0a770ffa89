#include "placement/transfer/read.h"

#include <string.h>

#include "lib/xalloc.h"
#include "placement/codec.h"
#include "placement/transfer/parts.h"

struct reading {
    struct side *side;
    struct progress *progress;
    struct snapshot *known, *out;
    struct strlist traits;    /* that any provider has */
    struct strlist consumers; /* that have anything */
    struct strlist unknown; /* traits that the side does not know any more, it seems */
    struct error why;       /* the last of them was refused */
    const struct question *question;
    size_t count, asked, answered; /* of the things that the question is about */
};

/* What is asked about each of many things, by their number. */
struct question {
    const char *what; /* is read by it */
    /* Whether the failure may mean that this one was deleted meanwhile, which it notes.
     * NULL: it does not. */
    bool (*is_lost)(struct reading *reading, size_t number, const struct error *err);
    /* The path to be asked; the caller frees. NULL: this one need not be asked. */
    char *(*path)(const struct reading *reading, size_t number);
    int (*take)(struct reading *reading, size_t number, struct json_object *reply,
                struct error *err);
};

static int bad_reply(const struct side *side, const char *path, struct error *err)
{
    err->code = ERROR_PROTOCOL;
    return error_prefix(err, "%s: unexpected reply for %s", side->name, path);
}

/* ---- many questions at once ---- */

static void count_answer(struct reading *reading)
{
    progress_tell(reading->progress, ++reading->answered, reading->count);
}

static bool next_question(void *data, struct placement_call *call)
{
    struct reading *reading = data;
    while (reading->asked < reading->count) {
        call->number = reading->asked++;
        char *path = reading->question->path(reading, call->number);
        if (path) {
            side_fill_call(call, "GET", NULL, "%s", path);
            free(path);
            return true;
        }
        count_answer(reading);
    }
    return false;
}

static int take_answer(void *data, const struct placement_call *call, int rc,
                       struct json_object *reply, struct error *err)
{
    struct reading *reading = data;
    const struct question *question = reading->question;
    if (rc != 0 && question->is_lost && question->is_lost(reading, call->number, err)) {
        count_answer(reading);
        return 0;
    }
    if (side_take_reply(reading->side, call, rc, reply, err) != 0)
        return -1;
    if (question->take(reading, call->number, reply, err) != 0)
        return bad_reply(reading->side, call->path, err);
    count_answer(reading);
    return 0;
}

static int ask(struct reading *reading, const struct question *question, size_t count,
               struct error *err)
{
    const struct placement_batch batch = {reading, next_question, take_answer};
    reading->question = question;
    reading->count = count;
    reading->asked = reading->answered = 0;
    progress_begin(reading->progress, "%s: %s read:", reading->side->name,
                   question->what);
    return side_run(reading->side, &batch, err);
}

/* ---- names, and the list of providers ---- */

static int read_names(struct side *side, struct snapshot *out, struct error *err)
{
    _cleanup_json_ struct json_object *classes = NULL, *traits = NULL;
    if (side_get(side, &classes, err, "/resource_classes") != 0 ||
        side_get(side, &traits, err, "/traits") != 0)
        return -1;
    if (parts_read_classes(classes, &out->classes, err) != 0)
        return bad_reply(side, "/resource_classes", err);
    if (codec_read_traits(traits, &out->traits, NULL, err) != 0)
        return bad_reply(side, "/traits", err);
    return 0;
}

static int read_list(struct side *side, struct snapshot *out, struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct provider *items;
    size_t count;
    int rc = 0;
    if (side_get(side, &json, err, "/resource_providers") != 0)
        return -1;
    if (codec_read_providers(json, &items, &count, err) != 0)
        return bad_reply(side, "/resource_providers", err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct snapshot_provider *provider = xcalloc(1, sizeof *provider);
        provider->is = items[i];
        items[i].name = NULL;
        rc = snapshot_add_provider_take(out, provider, err);
    }
    providers_free(items, count);
    return rc == 0 ? 0 : bad_reply(side, "/resource_providers", err);
}

/* ---- what is known already ---- */

static struct snapshot_provider *find(const struct snapshot *snapshot, const char *uuid)
{
    return map_owner(map_find(&snapshot->providers_by_uuid, uuid),
                     struct snapshot_provider, by_uuid);
}

/* But for traits: to ask for all of them is as little as for some. */
static void keep_providers(const struct snapshot *known, struct snapshot *out)
{
    for (size_t i = 0; i < out->provider_count; i++) {
        struct snapshot_provider *provider = out->providers[i];
        struct snapshot_provider *old = find(known, provider->is.uuid);
        if (!old || old->is.generation != provider->is.generation)
            continue;
        provider->inventories = steal(old->inventories);
        provider->inventory_count = old->inventory_count;
        old->inventory_count = 0;
        provider->aggregates = old->aggregates;
        old->aggregates = (struct strlist){0};
        provider->kept = true;
    }
}

static bool has_changed(const struct snapshot *out,
                        const struct snapshot_consumer *consumer)
{
    for (size_t i = 0; i < consumer->count; i++) {
        const struct snapshot_provider *provider =
            snapshot_provider(out, consumer->allocations[i].provider);
        if (!provider || !provider->kept)
            return true;
    }
    return snapshot_consumer(out, consumer->uuid) != NULL;
}

static int keep_consumers(struct snapshot *known, struct snapshot *out,
                          struct error *err)
{
    for (size_t i = known->consumer_count; i-- > 0;)
        if (!has_changed(out, known->consumers[i]) &&
            snapshot_add_consumer_take(out, snapshot_remove_consumer(known, i), err) !=
                0)
            return -1;
    return 0;
}

/* ---- what each provider has ---- */

/* NULL: it is known, or gone. */
static char *part_path(const struct reading *reading, size_t number, const char *part)
{
    const struct snapshot_provider *provider = reading->out->providers[number];
    return provider->kept || provider->gone
               ? NULL
               : xasprintf("/resource_providers/%s/%s", provider->is.uuid, part);
}

static bool provider_is_lost(struct reading *reading, size_t number,
                             const struct error *err)
{
    struct snapshot_provider *provider = reading->out->providers[number];
    provider->gone |= err->code == ERROR_NOT_FOUND;
    return provider->gone;
}

static char *inventories_path(const struct reading *reading, size_t number)
{
    return part_path(reading, number, "inventories");
}

/* The generation is the one that came with the inventories, which are read first: where
 * what comes later has another, somebody has changed the provider meanwhile. That is no
 * fault; a write with the older one is refused, and the next run finds it. */
static int take_inventories(struct reading *reading, size_t number,
                            struct json_object *reply, struct error *err)
{
    struct snapshot_provider *provider = reading->out->providers[number];
    return codec_read_inventories(reply, &provider->inventories,
                                  &provider->inventory_count, &provider->is.generation,
                                  err);
}

static char *aggregates_path(const struct reading *reading, size_t number)
{
    return part_path(reading, number, "aggregates");
}

static int take_aggregates(struct reading *reading, size_t number,
                           struct json_object *reply, struct error *err)
{
    return parts_read_aggregates(reply, &reading->out->providers[number]->aggregates,
                                 err);
}

static char *users_path(const struct reading *reading, size_t number)
{
    return reading->out->providers[number]->inventory_count
               ? part_path(reading, number, "allocations")
               : NULL;
}

static int take_users(struct reading *reading, size_t number, struct json_object *reply,
                      struct error *err)
{
    (void)number;
    return parts_read_users(reply, &reading->consumers, err);
}

static const struct question inventories = {"inventories of providers",
                                            provider_is_lost, inventories_path,
                                            take_inventories},
                             aggregates = {"aggregates of providers", provider_is_lost,
                                           aggregates_path, take_aggregates},
                             users = {"allocations of providers", provider_is_lost,
                                      users_path, take_users};

/* ---- traits ---- */

/* There are fewer traits than providers: who has a trait is asked instead of what traits a
 * provider has. */
static char *bearers_path(const struct reading *reading, size_t number)
{
    return xasprintf("/resource_providers?required=%s", reading->traits.items[number]);
}

static int take_bearers(struct reading *reading, size_t number,
                        struct json_object *reply, struct error *err)
{
    struct provider *items;
    size_t count;
    if (codec_read_providers(reply, &items, &count, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct snapshot_provider *provider = find(reading->out, items[i].uuid);
        if (provider)
            strlist_add(&provider->traits, reading->traits.items[number]);
    }
    providers_free(items, count);
    return 0;
}

/* A trait that a side does not know is an invalid question. */
static bool trait_is_lost(struct reading *reading, size_t number,
                          const struct error *err)
{
    if (err->code != ERROR_INVALID)
        return false;
    strlist_add(&reading->unknown, reading->traits.items[number]);
    reading->why = *err;
    return true;
}

static const struct question bearers = {"traits", trait_is_lost, bearers_path,
                                        take_bearers};

/* Makes sure that the unknown ones are not there any more, and takes them out. */
static int remove_unknown(struct reading *reading, struct error *err)
{
    for (size_t i = 0; i < reading->unknown.count; i++) {
        const char *name = reading->unknown.items[i];
        _cleanup_free_ char *path = xasprintf("/traits/%s", name);
        const struct placement_call call = {.method = "GET", .path = path};
        if (reading->side->call(reading->side, &call, NULL, err) == 0) {
            *err = reading->why;
            return -1;
        }
        if (err->code != ERROR_NOT_FOUND)
            return -1;
        strlist_remove(&reading->out->traits, name);
    }
    return 0;
}

static int read_traits(struct reading *reading, struct error *err)
{
    _cleanup_json_ struct json_object *json = NULL;
    struct snapshot *out = reading->out;
    if (side_get(reading->side, &json, err, "/traits?associated=true") != 0)
        return -1;
    if (codec_read_traits(json, &reading->traits, NULL, err) != 0)
        return bad_reply(reading->side, "/traits", err);
    if (ask(reading, &bearers, reading->traits.count, err) != 0 ||
        remove_unknown(reading, err) != 0)
        return -1;
    for (size_t i = 0; i < out->provider_count; i++)
        strlist_sort(&out->providers[i]->traits);
    return 0;
}

/* ---- consumers ---- */

static char *consumer_path(const struct reading *reading, size_t number)
{
    return xasprintf("/allocations/%s", reading->consumers.items[number]);
}

static int take_consumer(struct reading *reading, size_t number,
                         struct json_object *reply, struct error *err)
{
    _cleanup_(snapshot_consumer_freep) struct snapshot_consumer *consumer =
        xcalloc(1, sizeof *consumer);
    uuid_text_copy(consumer->uuid, reading->consumers.items[number]);
    if (parts_read_consumer(reply, consumer, err) != 0)
        return -1;
    return consumer->count
               ? snapshot_add_consumer_take(reading->out, steal(consumer), err)
               : 0;
}

static const struct question consumers = {"consumers", NULL, consumer_path,
                                          take_consumer};

static int read_all(struct reading *reading, struct error *err)
{
    struct snapshot *out = reading->out;
    if (side_begin(reading->side, err) != 0 ||
        read_names(reading->side, out, err) != 0 ||
        read_list(reading->side, out, err) != 0 || snapshot_order(out, err) != 0)
        return -1;
    if (reading->known)
        keep_providers(reading->known, out);
    if (ask(reading, &inventories, out->provider_count, err) != 0 ||
        read_traits(reading, err) != 0 ||
        ask(reading, &aggregates, out->provider_count, err) != 0 ||
        ask(reading, &users, out->provider_count, err) != 0)
        return -1;
    snapshot_remove_gone(out);
    strlist_sort_unique(&reading->consumers);
    if (ask(reading, &consumers, reading->consumers.count, err) != 0)
        return -1;
    return reading->known ? keep_consumers(reading->known, out, err) : 0;
}

int snapshot_read(struct side *side, struct progress *progress, struct snapshot *known,
                  struct snapshot *out, struct error *err)
{
    struct reading reading = {
        .side = side, .progress = progress, .known = known, .out = out};
    int rc = read_all(&reading, err);
    strlist_clear(&reading.traits);
    strlist_clear(&reading.consumers);
    strlist_clear(&reading.unknown);
    return rc;
}
