/*
 * bench_host_scan: how long host_scan takes on a plain tree: 64 GPUs with 20 types
 * each, two devices on each GPU; the SR-IOV case of 8 cards with 32 VFs, as parents of
 * mdevs and with types of their own, and of 64 such cards; and the small host of Nova's
 * guide. Prints the best and the median of RUNS scans on the wall clock,
 * and the median of the processor's time, which neighbours do not change as much.
 */
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/backend/scan.h"
#include "lib/xalloc.h"
#include "tests/unit/tree.h"

#define RUNS 51
#define TYPES 20

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

static void make_virtual_functions(const char *tree)
{
    for (int card = 0; card < 8; card++) {
        _cleanup_free_ char *pf =
            xasprintf("devices/pci0000:%02x/0000:%02x:00.0", card, card + 64);
        for (int i = 4; i < 36; i++) {
            _cleanup_free_ char *vf =
                xasprintf("devices/pci0000:%02x/0000:%02x:%02x.%d", card, card + 64,
                          i / 8, i % 8);
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

static void make_typed_functions(const char *tree, int cards)
{
    char list[64 * (TYPES + 1)] = "ID    : vGPU Name\n";
    size_t length = strlen(list);
    for (int i = 0; i < TYPES; i++)
        length += (size_t)snprintf(list + length, sizeof list - length,
                                   "%d  : NVIDIA L40S-%dQ\n", 1147 + i, i + 1);
    for (int card = 0; card < cards; card++) {
        _cleanup_free_ char *pf =
            xasprintf("devices/pci0000:%02x/0000:%02x:00.0", card, card + 64);
        tree_card(tree, pf, "0x030200\n");
        for (int i = 4; i < 36; i++) {
            _cleanup_free_ char *vf =
                xasprintf("devices/pci0000:%02x/0000:%02x:%02x.%d", card, card + 64,
                          i / 8, i % 8);
            add_function(tree, pf, vf, list);
        }
    }
}

static void make_8_typed(const char *tree)
{
    make_typed_functions(tree, 8);
}

static void make_64_typed(const char *tree)
{
    make_typed_functions(tree, 64);
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

static void measure(const char *what, const char *tree, size_t gpus)
{
    double wall[RUNS], cpu[RUNS];
    for (int i = 0; i < RUNS; i++) {
        _cleanup_(host_freep) struct host *host = NULL;
        struct error error = {0};
        wall[i] = -milliseconds(CLOCK_MONOTONIC);
        cpu[i] = -milliseconds(CLOCK_PROCESS_CPUTIME_ID);
        if (host_scan(tree, NULL, &host, &error) != 0)
            errx(1, "%s", error.text);
        cpu[i] += milliseconds(CLOCK_PROCESS_CPUTIME_ID);
        wall[i] += milliseconds(CLOCK_MONOTONIC);
        if (host->gpu_count != gpus)
            errx(1, "%zu GPUs instead of %zu", host->gpu_count, gpus);
    }
    qsort(wall, RUNS, sizeof *wall, compare);
    qsort(cpu, RUNS, sizeof *cpu, compare);
    printf("host_scan  %-32s  best %6.2f ms  median %6.2f ms  processor %6.2f ms\n",
           what, wall[0], wall[RUNS / 2], cpu[RUNS / 2]);
}

static void bench(const char *what, void (*make)(const char *tree), size_t gpus)
{
    char *tree = tree_new();
    make(tree);
    measure(what, tree, gpus);
    tree_free(tree);
}

int main(void)
{
    make_types();
    bench("4 GPUs x 11 types, 8 devices", make_guide, 4);
    bench("64 GPUs x 20 types, 128 devices", make_cards, 64);
    bench("8 cards x 32 VFs x 20 types", make_virtual_functions, 8);
    bench("8 cards x 32 VFs, types of VFs", make_8_typed, 8);
    bench("64 cards x 32 VFs, types of VFs", make_64_typed, 64);
    free_types();
    return 0;
}
