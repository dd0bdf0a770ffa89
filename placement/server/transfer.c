#include "placement/server/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/files.h"
#include "lib/printable.h"
#include "lib/xalloc.h"
#include "placement/client/http.h"
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

/* Of what is read from `name`. */
static void print_gone(const char *name, const struct snapshot *snapshot)
{
    if (snapshot->gone.count)
        printf("%s: deleted or moved by others while it was read, and left out: "
               "providers %zu\n",
               name, snapshot->gone.count);
    print_lines(&snapshot->gone);
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
    if (result->left_out.count)
        printf("left out, as their providers are not there: %zu\n",
               result->left_out.count);
    print_lines(&result->left_out);
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

static bool compare(const struct snapshot *mine, const struct snapshot *there)
{
    struct comparison comparison;
    snapshot_compare(mine, there, &comparison);
    print_comparison(mine, &comparison);
    bool same = comparison.differences.count == 0;
    comparison_clear(&comparison);
    return same;
}

static bool wrote_nothing(const struct replay_result *result)
{
    return result->classes + result->traits + result->providers + result->sets +
               result->consumers + result->deleted ==
           0;
}

/* `known` as in read.h. */
static int compare_anew(const struct snapshot *mine, struct side *side,
                        struct progress *progress, struct snapshot *known, bool *same,
                        struct error *err)
{
    _cleanup_snapshot_ struct snapshot now = {0};
    if (snapshot_read(side, progress, known, &now, err) != 0)
        return -1;
    print_gone(side->name, &now);
    *same = compare(mine, &now);
    return 0;
}

/* Brings the side to what the snapshot has, and compares. */
static int bring(const struct snapshot *mine, struct side *side,
                 const struct transfer_options *options, struct progress *progress,
                 bool *same, struct error *err)
{
    _cleanup_snapshot_ struct snapshot there = {0};
    const struct replay_order order = {.snapshot = mine,
                                       .there = &there,
                                       .side = side,
                                       .progress = progress,
                                       .delete_departed = options->delete_departed};
    struct replay_result result;
    if (snapshot_read(side, progress, NULL, &there, err) != 0)
        return -1;
    print_gone(side->name, &there);
    int rc = replay(&order, &result, err);
    print_written(side, &result);
    if (rc == 0 && wrote_nothing(&result))
        *same = compare(mine, &there);
    else if (rc == 0)
        rc = compare_anew(mine, side, progress, result.deleted ? NULL : &there, same,
                          err);
    replay_result_clear(&result);
    return rc;
}

/* `word` is the option that named the URL. */
static int open_remote(struct placementd_config *config, const char *word,
                       const char *url, const struct transfer_options *options,
                       struct side **out, struct error *err)
{
    if (http_check_url(url, err) != 0)
        return error_prefix(err, "%s", word);
    free(config->transfer.endpoint_override);
    config->transfer.endpoint_override = xstrdup(url);
    return remote_side_new(&config->transfer, options->connections, out, err);
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
    return snapshot_read(side, progress, NULL, out, err);
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
                    const struct transfer_options *options, bool *same,
                    struct error *err)
{
    _cleanup_snapshot_ struct snapshot mine = {0};
    _cleanup_(side_freep) struct side *side = NULL;
    struct progress progress;
    progress_open(&progress, stderr);
    if (is_url(to) ? open_remote(config, "--export", to, options, &side, err) != 0
                   : document_check_place(to, err) != 0)
        return -1;
    if (read_database(config, &progress, &mine, err) != 0)
        return -1;
    if (side)
        return bring(&mine, side, options, &progress, same, err);
    if (document_write(to, &mine, err) != 0)
        return -1;
    printf("%s: written: providers %zu, consumers %zu\n", to, mine.provider_count,
           mine.consumer_count);
    *same = true;
    return 0;
}

int transfer_import(struct placementd_config *config, const char *from,
                    const struct transfer_options *options, bool *same,
                    struct error *err)
{
    _cleanup_snapshot_ struct snapshot theirs = {0};
    _cleanup_(side_freep) struct side *remote = NULL, *side = NULL;
    _cleanup_free_ char *database = NULL;
    struct progress progress;
    progress_open(&progress, stderr);
    if (is_url(from) &&
        open_remote(config, "--import", from, options, &remote, err) != 0)
        return -1;
    if (placementd_config_database(config, &database, err) != 0)
        return -1;
    /* One that is there first, so that it is told at once when it is in use. A new one
     * last: a server would take it for a Placement that has nothing. */
    bool is_new = access(database, F_OK) != 0 && errno == ENOENT;
    if (is_new ? file_check_folder(database, err) != 0
               : local_side_open(database, database, config, &side, err) != 0)
        return -1;
    int rc = remote ? snapshot_read(remote, &progress, NULL, &theirs, err)
                    : document_read(from, &theirs, err);
    if (rc != 0 ||
        (is_new && local_side_open(database, database, config, &side, err) != 0))
        return -1;
    print_gone(from, &theirs);
    return bring(&theirs, side, options, &progress, same, err);
}
