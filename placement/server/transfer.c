#include "placement/server/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/printable.h"
#include "lib/xalloc.h"
#include "placement/server/local_side.h"
#include "placement/server/maintenance.h"
#include "placement/transfer/compare.h"
#include "placement/transfer/document.h"
#include "placement/transfer/read.h"
#include "placement/transfer/remote.h"
#include "placement/transfer/replay.h"

/* Lines of a list that are shown. */
#define SHOWN 100

static bool is_url(const char *text)
{
    return strstr(text, "://") != NULL;
}

/* ---- what is said at the end ---- */

/* Names are whatever clients of the other side have chosen: nothing of them is to reach a
 * terminal as a command. */
static void print_line(const char *text)
{
    _cleanup_free_ char *shown = printable_copy(text);
    printf("  %s\n", shown);
}

static void print_lines(const struct strlist *lines)
{
    for (size_t i = 0; i < lines->count && i < SHOWN; i++)
        print_line(lines->items[i]);
    if (lines->count > SHOWN)
        printf("  and %zu more\n", lines->count - SHOWN);
}

static void print_written(const struct side *side, const struct replay_result *result)
{
    printf("%s: written: classes %zu, traits %zu, providers %zu, sets of inventories, "
           "traits and aggregates %zu, consumers %zu; deleted: %zu\n",
           side->name, result->classes, result->traits, result->providers, result->sets,
           result->consumers, result->deleted);
    if (result->refused.count)
        printf("refused: %zu\n", result->refused.count);
    print_lines(&result->refused);
}

static void print_comparison(const struct snapshot *mine,
                             const struct comparison *comparison)
{
    if (comparison->differences.count)
        printf("differences: %zu\n", comparison->differences.count);
    else
        printf("no difference: providers %zu, consumers %zu\n", mine->provider_count,
               mine->consumer_count);
    print_lines(&comparison->differences);
    if (comparison->provider_generations || comparison->consumer_generations)
        printf("other generations, which each Placement counts itself: providers %zu, "
               "consumers %zu\n",
               comparison->provider_generations, comparison->consumer_generations);
}

/* ---- the way ---- */

static int compare(const struct snapshot *mine, struct side *side,
                   struct progress *progress, bool *same, struct error *err)
{
    _cleanup_snapshot_ struct snapshot there = {0};
    struct comparison comparison;
    if (snapshot_read(side, progress, &there, err) != 0)
        return -1;
    snapshot_compare(mine, &there, &comparison);
    print_comparison(mine, &comparison);
    *same = comparison.differences.count == 0;
    comparison_clear(&comparison);
    return 0;
}

/* Brings the side to what the snapshot has, and compares. */
static int bring(const struct snapshot *mine, struct side *side, bool delete_departed,
                 struct progress *progress, bool *same, struct error *err)
{
    _cleanup_snapshot_ struct snapshot there = {0};
    const struct replay_order order = {.snapshot = mine,
                                       .there = &there,
                                       .side = side,
                                       .progress = progress,
                                       .delete_departed = delete_departed};
    struct replay_result result;
    if (snapshot_read(side, progress, &there, err) != 0)
        return -1;
    int rc = replay(&order, &result, err);
    print_written(side, &result);
    replay_result_clear(&result);
    return rc == 0 ? compare(mine, side, progress, same, err) : -1;
}

static int open_remote(struct placementd_config *config, const char *url,
                       struct side **out, struct error *err)
{
    free(config->transfer.endpoint_override);
    config->transfer.endpoint_override = xstrdup(url);
    return remote_side_new(&config->transfer, out, err);
}

/* Reads a copy of the database, made at one moment, so that a server may go on. */
static int read_copy(const char *database, const struct placementd_config *config,
                     const char *copy, struct progress *progress, struct snapshot *out,
                     struct error *err)
{
    _cleanup_(side_freep) struct side *side = NULL;
    if (maintenance_back_up(database, copy, err) != 0 ||
        local_side_open(copy, database, config, &side, err) != 0)
        return -1;
    return snapshot_read(side, progress, out, err);
}

static int read_database(const struct placementd_config *config,
                         struct progress *progress, struct snapshot *out,
                         struct error *err)
{
    static const char *const files[] = {"db", "db-wal", "db-shm"};
    const char *place = getenv("TMPDIR");
    _cleanup_free_ char *database = NULL;
    _cleanup_free_ char *folder =
        xasprintf("%s/placementd-XXXXXX", place && *place ? place : "/tmp");
    if (placementd_config_database(config, &database, err) != 0)
        return -1;
    if (!mkdtemp(folder))
        return error_set_errno(err, errno, "%s", folder);
    _cleanup_free_ char *copy = xasprintf("%s/db", folder);
    int rc = read_copy(database, config, copy, progress, out, err);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        _cleanup_free_ char *file = xasprintf("%s/%s", folder, files[i]);
        unlink(file);
    }
    rmdir(folder);
    return rc;
}

int transfer_export(struct placementd_config *config, const char *to,
                    bool delete_departed, bool *same, struct error *err)
{
    _cleanup_snapshot_ struct snapshot mine = {0};
    _cleanup_(side_freep) struct side *side = NULL;
    struct progress progress;
    progress_open(&progress, stderr);
    if (is_url(to) && open_remote(config, to, &side, err) != 0)
        return -1;
    if (read_database(config, &progress, &mine, err) != 0)
        return -1;
    if (side)
        return bring(&mine, side, delete_departed, &progress, same, err);
    if (document_write(to, &mine, err) != 0)
        return -1;
    printf("%s: written: providers %zu, consumers %zu\n", to, mine.provider_count,
           mine.consumer_count);
    *same = true;
    return 0;
}

static int read_from(struct placementd_config *config, const char *from,
                     struct progress *progress, struct snapshot *out, struct error *err)
{
    _cleanup_(side_freep) struct side *side = NULL;
    if (!is_url(from))
        return document_read(from, out, err);
    if (open_remote(config, from, &side, err) != 0)
        return -1;
    return snapshot_read(side, progress, out, err);
}

int transfer_import(struct placementd_config *config, const char *from,
                    bool delete_departed, bool *same, struct error *err)
{
    _cleanup_snapshot_ struct snapshot theirs = {0};
    _cleanup_(side_freep) struct side *side = NULL;
    _cleanup_free_ char *database = NULL;
    struct progress progress;
    progress_open(&progress, stderr);
    /* First, so that a database that is in use is told at once. */
    if (placementd_config_database(config, &database, err) != 0 ||
        local_side_open(database, database, config, &side, err) != 0 ||
        read_from(config, from, &progress, &theirs, err) != 0)
        return -1;
    return bring(&theirs, side, delete_departed, &progress, same, err);
}
