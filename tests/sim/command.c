#include "tests/sim/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/sim/sim.h"
#include "tests/sim/vgpu_function.h"
#include "tests/sim/xe_card.h"

#define MAX_WORDS 9

/* The words of one command; those that are missing are "". */
struct words {
    struct sim *sim;
    const char *word[MAX_WORDS + 1];
    size_t count;
};

static int errno_by_name(const char *name)
{
    for (int e = 1; e < 256; e++) {
        const char *known = strerrorname_np(e);
        if (known && strcmp(known, name) == 0)
            return e;
    }
    return 0;
}

static bool number_parse(const char *text, unsigned *number)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    *number = (unsigned)value;
    return text[0] >= '0' && text[0] <= '9' && !*end && value <= 1000000;
}

static bool moment_parse(const char *name, enum operation *operation)
{
    static const struct {
        const char *name;
        enum operation operation;
    } moments[] = {{"create", OPERATION_CREATE},
                   {"unlink", OPERATION_UNLINK},
                   {"remove", OPERATION_REMOVE},
                   {"parameters", OPERATION_PARAMETERS}};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        if (strcmp(name, moments[i].name) == 0) {
            *operation = moments[i].operation;
            return true;
        }
    }
    return false;
}

/* "[nth N | every] [on DEVICE]" from the word `at` on; adds the rule. */
static int add_rule(const struct words *words, size_t at, struct fault_rule rule)
{
    const char *const *word = words->word;
    const char *device = NULL;
    rule.nth = 1;
    if (strcmp(word[at], "every") == 0) {
        rule.nth = 0;
        at++;
    } else if (strcmp(word[at], "nth") == 0) {
        if (!number_parse(word[at + 1], &rule.nth) || rule.nth == 0)
            return -EINVAL;
        at += 2;
    }
    if (strcmp(word[at], "on") == 0) {
        device = word[at + 1];
        at += 2;
    }
    if (at != words->count)
        return -EINVAL;
    if (device && !sim_card(words->sim, device) && !sim_function(words->sim, device))
        return -ENOENT;
    rule.device = xstrdup(device);
    fault_add_take(&words->sim->faults, rule);
    return 0;
}

static int run_fail(const struct words *words)
{
    struct fault_rule rule = {.error = -errno_by_name(words->word[2])};
    if (strcmp(words->word[1], "create") == 0)
        rule.operation = OPERATION_CREATE;
    else if (strcmp(words->word[1], "remove") == 0)
        rule.operation = OPERATION_REFUSE;
    else if (strcmp(words->word[1], "parameters") == 0)
        rule.operation = OPERATION_PARAMETERS;
    else
        return -EINVAL;
    return rule.error ? add_rule(words, 3, rule) : -EINVAL;
}

static int run_delay(const struct words *words)
{
    struct fault_rule rule = {0};
    if (!moment_parse(words->word[1], &rule.operation) ||
        !number_parse(words->word[2], &rule.delay))
        return -EINVAL;
    return add_rule(words, 3, rule);
}

static int run_block(const struct words *words)
{
    struct fault_rule rule = {.block = true};
    if (!moment_parse(words->word[1], &rule.operation))
        return -EINVAL;
    return add_rule(words, 2, rule);
}

static int run_unblock(const struct words *words)
{
    words->sim->faults.unblocked++;
    return 0;
}

static int run_clear(const struct words *words)
{
    fault_clear(&words->sim->faults);
    return 0;
}

/* The count of those that have the virtual function open; NULL: it is no virtual GPU. */
static unsigned *find_held(const struct words *words)
{
    struct pci_function *function = sim_function(words->sim, words->word[1]);
    if (function && function->vgpu && function->vgpu->type >= 0)
        return &function->vgpu->held;
    struct xe_function *xe =
        function && function->physical && function->physical->xe
            ? xe_card_function(function->physical->xe, function->address)
            : NULL;
    return xe && xe->quota ? &xe->held : NULL;
}

/* A function that is bound to vfio-pci; NULL: it is not. */
static struct pci_function *find_vfio(const struct words *words)
{
    struct pci_function *function = sim_function(words->sim, words->word[1]);
    return function && function->vfio ? function : NULL;
}

static int run_hold(const struct words *words)
{
    struct pci_function *vfio = find_vfio(words);
    if (vfio) {
        vfio->held++;
        return 0;
    }
    struct mdev *mdev = mdev_find(words->sim, words->word[1]);
    unsigned *held = find_held(words);
    if (held) {
        ++*held;
        return 0;
    }
    if (!mdev || !mdev->active)
        return -ENOENT;
    mdev->held++;
    if (words->count > 2) {
        free(mdev->vm_name);
        mdev->vm_name = xstrdup(words->word[2]);
    }
    return 0;
}

static int run_unhold(const struct words *words)
{
    struct pci_function *vfio = find_vfio(words);
    if (vfio && vfio->held) {
        vfio->held--;
        return 0;
    }
    struct mdev *mdev = mdev_find(words->sim, words->word[1]);
    unsigned *held = find_held(words);
    if (held && *held) {
        --*held;
        return 0;
    }
    if (!mdev || !mdev->held)
        return -ENOENT;
    mdev->held--;
    free(mdev->vm_name);
    mdev->vm_name = NULL;
    return 0;
}

static int set_lost(const struct words *words, bool lost)
{
    struct card *card = sim_card(words->sim, words->word[1]);
    if (!card)
        return -ENOENT;
    card->lost = lost;
    return 0;
}

static int run_lose(const struct words *words)
{
    return set_lost(words, true);
}

static int run_restore(const struct words *words)
{
    return set_lost(words, false);
}

static int on_function(const struct words *words,
                       int (*action)(struct pci_function *function))
{
    struct pci_function *function = sim_function(words->sim, words->word[1]);
    return function ? action(function) : -ENOENT;
}

static int run_unplug(const struct words *words)
{
    return on_function(words, pci_remove);
}

static int run_unbind(const struct words *words)
{
    return on_function(words, pci_unbind);
}

static int run_bind(const struct words *words)
{
    return on_function(words, pci_bind);
}

static int run_rescan(const struct words *words)
{
    for (size_t i = 0; i < words->sim->function_count; i++)
        pci_rescan(words->sim->functions[i]);
    return 0;
}

static int run_numvfs(const struct words *words)
{
    struct pci_function *function = sim_function(words->sim, words->word[1]);
    unsigned count;
    if (!function || function->physical)
        return -ENOENT;
    if (!number_parse(words->word[2], &count))
        return -EINVAL;
    return pci_set_numvfs(function, count);
}

static int run_unreadable(const struct words *words)
{
    strlist_add(&words->sim->control.unreadable, words->word[1]);
    return 0;
}

static int run_hide(const struct words *words)
{
    strlist_add(&words->sim->control.hidden, words->word[1]);
    return 0;
}

static int run_hang(const struct words *words)
{
    strlist_add(&words->sim->control.hanging, words->word[1]);
    return 0;
}

static int run_show(const struct words *words)
{
    strlist_clear(&words->sim->control.unreadable);
    strlist_clear(&words->sim->control.hidden);
    strlist_clear(&words->sim->control.hanging);
    return 0;
}

static const struct {
    const char *name;
    size_t least, most; /* words, with the name */
    int (*run)(const struct words *words);
} commands[] = {
    {"fail", 3, 8, run_fail},
    {"delay", 3, 8, run_delay},
    {"block", 2, 7, run_block},
    {"unblock", 1, 1, run_unblock},
    {"clear", 1, 1, run_clear},
    {"hold", 2, 3, run_hold},
    {"unhold", 2, 2, run_unhold},
    {"lose", 2, 2, run_lose},
    {"restore", 2, 2, run_restore},
    {"unplug", 2, 2, run_unplug},
    {"rescan", 1, 1, run_rescan},
    {"unbind", 2, 2, run_unbind},
    {"bind", 2, 2, run_bind},
    {"numvfs", 3, 3, run_numvfs},
    {"unreadable", 2, 2, run_unreadable},
    {"hide", 2, 2, run_hide},
    {"hang", 2, 2, run_hang},
    {"show", 1, 1, run_show},
};

int command_run(struct sim *sim, char *line)
{
    struct words words = {.sim = sim};
    for (size_t i = 0; i <= MAX_WORDS; i++)
        words.word[i] = "";
    char *word, *rest = line;
    while ((word = strsep(&rest, " \t"))) {
        if (!*word)
            continue;
        if (words.count == MAX_WORDS)
            return -EINVAL;
        words.word[words.count++] = word;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(words.word[0], commands[i].name) != 0)
            continue;
        if (words.count < commands[i].least || words.count > commands[i].most)
            return -EINVAL;
        int rc = commands[i].run(&words);
        sim_changed(sim);
        return rc;
    }
    return -EINVAL;
}
