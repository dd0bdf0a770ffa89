/*
 * bench_host_scan [--check]: how long host_scan takes on a plain tree: 64 GPUs with 20
 * types each, two devices on each GPU; the SR-IOV case of 8 cards with 32 VFs as parents
 * of mdevs, and of 64 such cards for each kind that has VFs; and the small host of Nova's
 * guide. Prints the best and the median of RUNS scans on the wall clock, and the median
 * of the processor's time, which neighbours do not change as much. That of a VF is to be
 * at most TARGET times that of one which is a parent of mdevs; --check: exit status 1
 * where it is more.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/backend/scan.h"
#include "config/config.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define RUNS 51
#define TYPES 20
#define CARDS 64
#define VFS 32
#define TARGET 2.0

static struct tree_type types[TYPES];

static void make_types(void)
{
    for (int i = 0; i < TYPES; i++)
        types[i] = (struct tree_type){
            xasprintf("nvidia-%d", 35 + i), xasprintf("GRID V100DX-%dQ\n", i + 1),
            "num_heads=4, frl_config=60, framebuffer=2048M, max_resolution=7680x4320, "
            "max_instance=12\n",
            12};
}

static void free_types(void)
{
    for (int i = 0; i < TYPES; i++) {
        free((char *)types[i].id);
        free((char *)types[i].name);
    }
}

static void add_devices(const char *tree, const char *parent, int gpu, int count)
{
    char uuid[UUID_TEXT_SIZE], group[16];
    for (int i = 0; i < count; i++) {
        snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%06d%06d", gpu, i);
        snprintf(group, sizeof group, "%d", gpu * 16 + i);
        tree_mdev(tree, parent, uuid, "nvidia-35", group);
    }
}

static void make_cards(const char *tree)
{
    for (int i = 0; i < 64; i++) {
        _cleanup_free_ char *path = xasprintf(
            "devices/pci0000:%02x/0000:%02x:02.0/0000:%02x:00.0", i, i, i + 64);
        tree_parent(tree, path, types, TYPES);
        add_devices(tree, path, i, 2);
    }
}

/* The host of Nova's guide: 4 GPUs with 11 types. */
static void make_guide(const char *tree)
{
    for (int i = 0; i < 4; i++) {
        _cleanup_free_ char *path =
            xasprintf("devices/pci0000:80/0000:80:02.0/0000:%02x:00.0", 0x84 + i);
        tree_parent(tree, path, types, 11);
        add_devices(tree, path, i, 2);
    }
}

/* The address of a card, and of its VF number `i`, from 0 on. */
static char *card_path(int card)
{
    return xasprintf("devices/pci0000:%02x/0000:%02x:00.0", card, card + 64);
}

static char *function_path(int card, int i)
{
    return xasprintf("devices/pci0000:%02x/0000:%02x:%02x.%d", card, card + 64,
                     (i + 4) / 8, (i + 4) % 8);
}

static void make_virtual_functions(const char *tree)
{
    for (int card = 0; card < 8; card++) {
        _cleanup_free_ char *pf = card_path(card);
        for (int i = 0; i < VFS; i++) {
            _cleanup_free_ char *vf = function_path(card, i);
            tree_virtual_function(tree, pf, vf, types, TYPES);
        }
    }
}

/* A virtual function that is given its type, with the list of TYPES types. */
static void add_function(const char *tree, const char *pf, const char *vf,
                         const char *list)
{
    const struct tree_entry entries[] = {
        {"nvidia/creatable_vgpu_types", list, NULL},
        {"nvidia/current_vgpu_type", "0\n", NULL},
        {"iommu_group", NULL, "../../../kernel/iommu_groups/1"},
    };
    _cleanup_free_ char *back = xasprintf("../%s", strrchr(pf, '/') + 1);
    _cleanup_free_ char *physfn = xasprintf("%s/physfn", vf);
    tree_card(tree, vf, "0x030200\n");
    tree_link(tree, physfn, back);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", vf, entries[i].path);
        struct tree_entry entry = entries[i];
        entry.path = path;
        tree_fill(tree, &entry, 1);
    }
}

static void make_typed_functions(const char *tree)
{
    char list[64 * (TYPES + 1)] = "ID    : vGPU Name\n";
    size_t length = strlen(list);
    for (int i = 0; i < TYPES; i++)
        length += (size_t)snprintf(list + length, sizeof list - length,
                                   "%d  : NVIDIA L40S-%dQ\n", 1147 + i, i + 1);
    for (int card = 0; card < CARDS; card++) {
        _cleanup_free_ char *pf = card_path(card);
        tree_card(tree, pf, "0x030200\n");
        for (int i = 0; i < VFS; i++) {
            _cleanup_free_ char *vf = function_path(card, i);
            add_function(tree, pf, vf, list);
        }
    }
}

/* A card with VFS functions that no file below them is about. */
static void make_plain_functions(const char *tree, int card)
{
    _cleanup_free_ char *pf = card_path(card);
    _cleanup_free_ char *total = xasprintf("%s/sriov_totalvfs", pf);
    _cleanup_free_ char *enabled = xasprintf("%s/sriov_numvfs", pf);
    tree_card(tree, pf, "0x038000\n");
    tree_write(tree, total, "32\n");
    tree_write(tree, enabled, "32\n");
    for (int i = 0; i < VFS; i++) {
        _cleanup_free_ char *vf = function_path(card, i);
        _cleanup_free_ char *physfn = xasprintf("%s/physfn", vf);
        _cleanup_free_ char *virtfn = xasprintf("%s/virtfn%d", pf, i);
        _cleanup_free_ char *group = xasprintf("%s/iommu_group", vf);
        _cleanup_free_ char *back = xasprintf("../%s", strrchr(pf, '/') + 1);
        _cleanup_free_ char *there = xasprintf("../%s", strrchr(vf, '/') + 1);
        tree_card(tree, vf, "0x038000\n");
        tree_link(tree, physfn, back);
        tree_link(tree, virtfn, there);
        tree_link(tree, group, "../../../kernel/iommu_groups/1");
    }
}

static void make_fixed(const char *tree)
{
    for (int card = 0; card < CARDS; card++)
        make_plain_functions(tree, card);
}

static void make_xe(const char *tree)
{
    static const struct tree_entry values[] = {
        {"vram_quota", "0\n", NULL},
        {"exec_quantum_ms", "0\n", NULL},
        {"preempt_timeout_us", "0\n", NULL},
        {"sched_priority", "[low] normal\n", NULL},
    };
    for (int card = 0; card < CARDS; card++) {
        make_plain_functions(tree, card);
        _cleanup_free_ char *pf = card_path(card);
        for (int i = 1; i <= VFS; i++)
            for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
                struct tree_entry entry = values[j];
                _cleanup_free_ char *path =
                    xasprintf("%s/sriov_admin/vf%d/profile/%s", pf, i, entry.path);
                entry.path = path;
                tree_fill(tree, &entry, 1);
            }
    }
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double milliseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Gives the median of the processor's time, in milliseconds. */
static double measure(const char *what, const char *tree, const struct config *config,
                      size_t gpus, size_t parents)
{
    double wall[RUNS], cpu[RUNS];
    for (int i = 0; i < RUNS; i++) {
        _cleanup_(host_freep) struct host *host = NULL;
        struct error error = {0};
        wall[i] = -milliseconds(CLOCK_MONOTONIC);
        cpu[i] = -milliseconds(CLOCK_PROCESS_CPUTIME_ID);
        if (host_scan_configured(tree, config, NULL, NULL, &host, &error) != 0)
            errx(1, "%s", error.text);
        cpu[i] += milliseconds(CLOCK_PROCESS_CPUTIME_ID);
        wall[i] += milliseconds(CLOCK_MONOTONIC);
        size_t found = 0;
        for (size_t j = 0; j < host->gpu_count; j++)
            found += host->gpus[j].parent_count;
        if (host->gpu_count != gpus || found != parents)
            errx(1, "%s: %zu GPUs instead of %zu, %zu parents instead of %zu", what,
                 host->gpu_count, gpus, found, parents);
    }
    qsort(wall, RUNS, sizeof *wall, compare);
    qsort(cpu, RUNS, sizeof *cpu, compare);
    printf("host_scan  %-32s  best %6.2f ms  median %6.2f ms  processor %6.2f ms\n",
           what, wall[0], wall[RUNS / 2], cpu[RUNS / 2]);
    return cpu[RUNS / 2];
}

static double bench(const char *what, void (*make)(const char *tree),
                    const struct config *config, size_t gpus, size_t parents)
{
    char *tree = tree_new();
    make(tree);
    double took = measure(what, tree, config, gpus, parents);
    tree_free(tree);
    return took;
}

/* The three kinds that have VFs, against VFs that are parents of mdevs. Gives whether
 * all keep to the target. */
static bool bench_functions(double of_mdevs)
{
    static char name[] = "b60-8g", quota[] = "8G", fixed_name[] = "v620-vf";
    char *addresses[CARDS];
    for (int i = 0; i < CARDS; i++)
        addresses[i] = xasprintf("0000:%02x:00.0", i + 64);
    struct mdev_type_config shared = {.type = name,
                                      .vf = {.vram_quota = quota, .vram_mib = 8192}};
    struct mdev_type_config fixed = {
        .type = fixed_name,
        .device_addresses = {.items = addresses, .count = CARDS},
        .vf = {.fixed = true}};
    const struct config xe = {.types = &shared, .type_count = 1};
    const struct config plain = {.types = &fixed, .type_count = 1};
    const struct {
        const char *what;
        void (*make)(const char *tree);
        const struct config *config;
    } kinds[] = {{"64 cards x 32 VFs, types of VFs", make_typed_functions, NULL},
                 {"64 cards x 32 VFs, shares (xe)", make_xe, &xe},
                 {"64 cards x 32 VFs, fixed", make_fixed, &plain}};
    bool kept = true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t count = (size_t)CARDS * VFS;
        double took =
            bench(kinds[i].what, kinds[i].make, kinds[i].config, CARDS, count);
        double ratio = took / (double)count / of_mdevs;
        printf(
            "host_scan  a VF: %.1f us, %.2f times a parent of mdevs (target: at most "
            "%.0f)%s\n",
            took * 1e3 / (double)count, ratio, TARGET,
            ratio > TARGET ? "  MISSED" : "");
        kept &= ratio <= TARGET;
    }
    for (int i = 0; i < CARDS; i++)
        free(addresses[i]);
    return kept;
}

int main(int argc, char **argv)
{
    make_types();
    bench("4 GPUs x 11 types, 8 devices", make_guide, NULL, 4, 4);
    bench("64 GPUs x 20 types, 128 devices", make_cards, NULL, 64, 64);
    double took = bench("8 cards x 32 VFs x 20 types", make_virtual_functions, NULL, 8,
                        (size_t)8 * VFS);
    bool kept = bench_functions(took / (8 * VFS));
    free_types();
    return argc > 1 && strcmp(argv[1], "--check") == 0 && !kept;
}
