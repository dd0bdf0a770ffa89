#include "agent/act/enabler.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "agent/backend/before_cut.h"
#include "agent/backend/sriov_manage.h"
#include "agent/desired/card_types.h"
#include "agent/state/known_types.h"
#include "lib/clock.h"
#include "lib/subprocess.h"
#include "lib/xalloc.h"

#define PATIENCE 120000 /* milliseconds, for all cards together */
#define SLICE 100       /* milliseconds */

/* A card that was tried. */
struct tried {
    char *card;
    char *type;    /* for which it is to be cut before; NULL: it is not */
    bool enables;  /* its functions are to be enabled */
    char *trouble; /* why it lacks something; NULL: not known (yet) */
    bool under_way;
};

struct enabler {
    struct tried *tried;
    size_t count;
    struct subprocess child; /* writes one struct answer for each card */
    bool running;
};

struct enabler *enabler_new(void)
{
    return xcalloc(1, sizeof(struct enabler));
}

static void clear_tried(struct tried *tried)
{
    free(tried->card);
    free(tried->type);
    free(tried->trouble);
}

void enabler_free(struct enabler *enabler)
{
    if (!enabler)
        return;
    for (size_t i = 0; i < enabler->count; i++)
        clear_tried(&enabler->tried[i]);
    if (enabler->running)
        close(enabler->child.socket);
    free(enabler->tried);
    free(enabler);
}

static struct tried *find(const struct enabler *enabler, const char *card)
{
    for (size_t i = 0; i < enabler->count; i++)
        if (strcmp(enabler->tried[i].card, card) == 0)
            return &enabler->tried[i];
    return NULL;
}

/* ---- the child ---- */

struct task {
    const struct enabler *enabler;
    const char *before_cut, *sriov_manage;
    struct device_place place;
};

struct answer {
    struct error error; /* code NONE: the card lacks nothing any more */
};

/* Partitions, then functions: types come last, by the plan. */
static int prepare(const struct task *task, const struct tried *tried, int64_t deadline,
                   struct error *err)
{
    if (tried->type && before_cut_run(task->before_cut, &task->place, tried->card,
                                      tried->type, deadline, err) != 0)
        return -1;
    return tried->enables ? sriov_manage_enable(task->sriov_manage, &task->place,
                                                tried->card, deadline, err)
                          : 0;
}

static void prepare_all(const void *data, int socket)
{
    const struct task *task = data;
    const struct enabler *enabler = task->enabler;
    int64_t deadline = clock_monotonic_ms() + PATIENCE;
    for (size_t i = 0; i < enabler->count; i++) {
        struct answer answer = {0};
        if (!enabler->tried[i].under_way)
            continue;
        if (prepare(task, &enabler->tried[i], deadline, &answer.error) == 0)
            answer.error = (struct error){0};
        /* When this fails the agent has ended. */
        if (write(socket, &answer, sizeof answer) != (ssize_t)sizeof answer)
            _exit(1);
    }
}

/* ---- the answers ---- */

/* A child that ends without an answer was killed. */
static void take_answer(struct enabler *enabler, struct tried *tried)
{
    struct answer answer = {0};
    size_t length = 0;
    while (length < sizeof answer) {
        ssize_t n = read(enabler->child.socket, (char *)&answer + length,
                         sizeof answer - length);
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    if (length < sizeof answer)
        tried->trouble = xstrdup("the child that prepared it ended early");
    else if (answer.error.code != ERROR_NONE)
        tried->trouble = xstrdup(answer.error.text);
    tried->under_way = false;
}

static struct tried *first_under_way(const struct enabler *enabler)
{
    for (size_t i = 0; i < enabler->count; i++)
        if (enabler->tried[i].under_way)
            return &enabler->tried[i];
    return NULL;
}

/* Takes the answers that are there, in the order of the cards. True when the child has
 * ended. */
static bool take_answers(struct enabler *enabler, int timeout)
{
    struct pollfd fd = {.fd = enabler->child.socket, .events = POLLIN};
    struct tried *tried;
    while ((tried = first_under_way(enabler)) && poll(&fd, 1, timeout) == 1)
        take_answer(enabler, tried);
    if (tried)
        return false;
    (void)subprocess_wait(&enabler->child);
    close(enabler->child.socket);
    enabler->running = false;
    return true;
}

/* ---- the cards ---- */

static bool is_on_card(const char *address, const char *card)
{
    const char *slot = strrchr(card, ':');
    return slot && strncmp(address, card, (size_t)(slot - card) + 1) == 0;
}

static bool names_card(const struct mdev_type_config *type, const struct gpu *gpu)
{
    for (size_t i = 0; i < type->device_addresses.count; i++)
        if (is_on_card(type->device_addresses.items[i], gpu->name))
            return true;
    return false;
}

/* The first type for the card; NULL: none. The virtual functions that are named have the
 * bus number of their card. A card of another model than its section is for (device_id)
 * is not touched: `forbidden`. A default type passes it by. */
static const struct mdev_type_config *
configured_type(const struct config *config, const struct gpu *gpu, bool *forbidden)
{
    const struct mdev_type_config *standard = NULL;
    *forbidden = false;
    for (size_t i = 0; i < config->type_count; i++) {
        const struct mdev_type_config *type = &config->types[i];
        bool named = names_card(type, gpu), fits = card_types_is_of_model(type, gpu);
        if (named && fits) {
            *forbidden = false;
            return type;
        }
        *forbidden |= named;
        if (type->device_addresses.count == 0 && fits)
            standard = type;
    }
    return *forbidden ? NULL : standard;
}

/* As the files spell it, or the operator who has enabled it for the card. */
static const char *wanted_type(const struct config *config,
                               const struct type_choices *choices,
                               const struct gpu *gpu, bool *forbidden)
{
    const struct mdev_type_config *type = configured_type(config, gpu, forbidden);
    if (type || *forbidden || config->agent.mode != MODE_OWNER)
        return type ? type->type : NULL;
    for (size_t i = 0; i < choices->enabled.count; i++) {
        const char *enabled = type_choice_for(choices->enabled.items[i], gpu->name);
        if (enabled)
            return enabled;
    }
    return NULL;
}

/* Devices that may be made again there. */
static bool has_devices(const struct config *config, const struct journal *journal,
                        const struct gpu *gpu)
{
    for (size_t i = 0; i < journal->device_count; i++) {
        const struct journal_device *device = &journal->devices[i];
        if (strcmp(device->gpu, gpu->name) != 0)
            continue;
        _cleanup_free_ char *why = card_types_forbid(config, gpu, device->type_id);
        if (!why)
            return true;
    }
    return false;
}

static void forget_those_that_have(struct enabler *enabler, const struct host *host)
{
    for (size_t i = enabler->count; i-- > 0;) {
        const struct gpu *gpu = host_gpu(host, enabler->tried[i].card);
        if (!gpu || (enabler->tried[i].enables && gpu->vf_enabled == 0) ||
            (enabler->tried[i].type && gpu->partitions <= 0))
            continue;
        clear_tried(&enabler->tried[i]);
        memmove(&enabler->tried[i], &enabler->tried[i + 1],
                (--enabler->count - i) * sizeof *enabler->tried);
    }
}

static void start(struct enabler *enabler, const struct config *config,
                  const struct type_choices *choices, const struct journal *journal,
                  const struct host *host)
{
    const struct task task = {enabler,
                              config->agent.before_cut,
                              config->agent.sriov_manage,
                              {config->agent.sysfs_root, use_places_of(config)}};
    struct error err;
    for (size_t i = 0; i < host->gpu_count; i++) {
        const struct gpu *gpu = &host->gpus[i];
        bool forbidden;
        const char *type = wanted_type(config, choices, gpu, &forbidden);
        if (forbidden)
            continue;
        /* The program is told the name, by which alone a type is for partitions. */
        const char *known = type ? known_types_name(journal, gpu, type) : NULL;
        const char *name = known ? known : type;
        bool cuts = config->agent.before_cut && name && before_cut_is_for(gpu, name);
        bool enables = config->agent.sriov_manage && sriov_manage_is_for(gpu) &&
                       (type || has_devices(config, journal, gpu));
        if ((cuts || enables) && !find(enabler, gpu->name))
            *array_add(enabler->tried, enabler->count) =
                (struct tried){.card = xstrdup(gpu->name),
                               .type = cuts ? xstrdup(name) : NULL,
                               .enables = enables,
                               .under_way = true};
    }
    if (!first_under_way(enabler))
        return;
    enabler->running = true;
    if (subprocess_start(&enabler->child, "vgpu-enabler", prepare_all, &task, &err) ==
        0)
        return;
    enabler->running = false;
    for (struct tried *tried; (tried = first_under_way(enabler));) {
        tried->under_way = false;
        tried->trouble = xstrdup(err.text);
    }
}

bool enabler_care(struct enabler *enabler, const struct config *config,
                  const struct type_choices *choices, const struct journal *journal,
                  const struct host *host, bool wait, bool (*interrupted)(void *data),
                  void *data)
{
    bool ended = enabler->running && take_answers(enabler, 0);
    if (!enabler->running && !ended) {
        forget_those_that_have(enabler, host);
        if (config->agent.sriov_manage || config->agent.before_cut)
            start(enabler, config, choices, journal, host);
    }
    while (wait && enabler->running && !(interrupted && interrupted(data)))
        ended = take_answers(enabler, SLICE);
    return ended;
}

void enabler_report(const struct enabler *enabler, struct strlist *notes)
{
    for (size_t i = 0; i < enabler->count; i++) {
        const struct tried *tried = &enabler->tried[i];
        if (tried->under_way)
            strlist_add_take(
                notes,
                xasprintf(tried->type ? "%s: it is being cut"
                                      : "%s: its virtual functions are being enabled",
                          tried->card));
        else if (tried->trouble)
            strlist_add_take(
                notes,
                xasprintf(tried->type
                              ? "%s: it could not be cut: %s"
                              : "%s: its virtual functions could not be enabled: %s",
                          tried->card, tried->trouble));
    }
}
