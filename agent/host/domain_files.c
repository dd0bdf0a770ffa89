#include "agent/host/domain_files.h"

#include <stdlib.h>
#include <string.h>

#include "lib/files.h"
#include "lib/xalloc.h"

#define TOO_YOUNG 1 /* seconds */

struct domain_file {
    char *path;
    struct file_stamp stamp;
    struct domain_xml xml;
    bool found; /* in this round */
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct domain_file *)a)->path,
                  ((const struct domain_file *)b)->path);
}

static void clear(struct domain_file *file)
{
    free(file->path);
    domain_xml_clear(&file->xml);
}

void domain_files_end(struct domain_files *files)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++)
        if (files->items[i].found)
            files->items[kept++] = files->items[i];
        else
            clear(&files->items[i]);
    files->count = files->sorted = kept;
    for (size_t i = 0; i < kept; i++)
        files->items[i].found = false;
    if (kept)
        qsort(files->items, kept, sizeof *files->items, compare);
}

const struct domain_xml *domain_files_find(struct domain_files *files, const char *path,
                                           const struct stat *st)
{
    const struct domain_file key = {.path = (char *)path};
    struct domain_file *file =
        files->sorted ? bsearch(&key, files->items, files->sorted, sizeof key, compare)
                      : NULL;
    const struct file_stamp stamp = file_stamp_of(st);
    if (!file || !file_stamp_equal(&file->stamp, &stamp))
        return NULL;
    file->found = true;
    return &file->xml;
}

void domain_files_keep_take(struct domain_files *files, const char *path,
                            const struct stat *st, time_t now, struct domain_xml *xml)
{
    if (now <= st->st_ctim.tv_sec + TOO_YOUNG)
        return;
    struct domain_file *file = array_add(files->items, files->count);
    *file = (struct domain_file){xstrdup(path), file_stamp_of(st), *xml, true};
    *xml = (struct domain_xml){0};
}

void domain_files_clear(struct domain_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        clear(&files->items[i]);
    free(files->items);
    *files = (struct domain_files){0};
}
