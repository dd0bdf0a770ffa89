/* libFuzzer: any bytes as a database file, such as disks leave behind. It is checked,
 * and opened by a server; what the check finds sound, the server must take.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "placement/server/maintenance.h"
#include "placement/server/store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory where there is such a place. */
static const char *folder(void)
{
    static char path[] = "/dev/shm/fuzz_database-XXXXXX";
    static char other[] = "/tmp/fuzz_database-XXXXXX";
    static const char *made;
    if (!made)
        made = mkdtemp(path);
    if (!made)
        made = mkdtemp(other);
    if (!made)
        abort();
    return made;
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "we");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

static void clean(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        _cleanup_free_ char *name = xasprintf("%s%s", path, suffixes[i]);
        unlink(name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct store_options options = {.incomplete_project_id = "p",
                                                 .incomplete_user_id = "u",
                                                 .max_allocation_candidates = 100};
    _cleanup_free_ char *path = xasprintf("%s/db", folder());
    struct error err = {0};
    struct store *store;
    clean(path);
    write_file(path, data, size);
    bool sound = maintenance_check(path, &err) == 0;
    if (!sound && !err.text[0])
        abort();
    if (store_open(path, &options, &store, &err) == 0)
        store_close(store);
    else if (sound || !err.text[0])
        abort();
    clean(path);
    return 0;
}
