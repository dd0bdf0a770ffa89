#include "tests/unit/agent/plan/script_file.h"

#include <fcntl.h>
#include <string.h>

#include "lib/files.h"
#include "lib/strlist.h"
#include "lib/xalloc.h"

#define MAX_FILE (1 << 20)

static int wrong(const struct script_file *file, int line, const char *what,
                 struct error *err)
{
    return error_set(err, ERROR_INVALID, "%s:%d: %s", file->path, line, what);
}

/* The text after the word and a space; NULL where the text begins otherwise. */
static const char *after(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && text[length] == ' ' ? text + length + 1
                                                                   : NULL;
}

/* Checks the last block when it ends. Without lines it would test nothing. */
static int end_block(const struct script_file *file, struct error *err)
{
    if (!file->block_count)
        return 0;
    const struct script_block *last = &file->blocks[file->block_count - 1];
    return last->line_count ? 0
                            : wrong(file, last->number, "nothing stands in it", err);
}

static int begin_block(struct script_file *file, bool is_case, const char *name,
                       int number, struct error *err)
{
    if (end_block(file, err) != 0)
        return -1;
    for (size_t i = 0; i < file->block_count; i++)
        if (file->blocks[i].is_case == is_case &&
            strcmp(file->blocks[i].name, name) == 0)
            return wrong(file, number, "the file has that name already", err);
    struct script_block *block = array_add(file->blocks, file->block_count);
    *block = (struct script_block){
        .is_case = is_case, .number = number, .name = xstrdup(name)};
    return 0;
}

static int add_line(struct script_file *file, const char *text, int number,
                    struct error *err)
{
    if (!*text || *text == '#')
        return 0;
    const char *case_name = after(text, "case"), *beginning = after(text, "beginning");
    if (case_name)
        return begin_block(file, true, case_name, number, err);
    if (beginning)
        return begin_block(file, false, beginning, number, err);
    if (!file->block_count)
        return wrong(file, number, "it stands in no case", err);
    struct script_block *block = &file->blocks[file->block_count - 1];
    *array_add(block->lines, block->line_count) =
        (struct script_line){.number = number, .text = xstrdup(text)};
    return 0;
}

int script_file_read(const char *path, struct script_file **out, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    if (file_read_at(AT_FDCWD, path, MAX_FILE, &text, NULL, err) != 0)
        return -1;
    _cleanup_(script_file_freep) struct script_file *file = xcalloc(1, sizeof *file);
    file->path = xstrdup(path);
    _cleanup_strlist_ struct strlist lines = strlist_split(text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (add_line(file, lines.items[i], (int)i + 1, err) != 0)
            return -1;
    if (!file->block_count)
        return error_set(err, ERROR_INVALID, "%s: it has no case", path);
    if (end_block(file, err) != 0)
        return -1;
    *out = steal(file);
    return 0;
}

void script_file_free(struct script_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->block_count; i++) {
        struct script_block *block = &file->blocks[i];
        for (size_t j = 0; j < block->line_count; j++)
            free(block->lines[j].text);
        free(block->lines);
        free(block->name);
    }
    free(file->blocks);
    free(file->path);
    free(file);
}

const struct script_block *script_file_beginning(const struct script_file *file,
                                                 const char *name, int above)
{
    for (size_t i = 0; i < file->block_count; i++)
        if (!file->blocks[i].is_case && file->blocks[i].number < above &&
            strcmp(file->blocks[i].name, name) == 0)
            return &file->blocks[i];
    return NULL;
}
