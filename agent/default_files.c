#include "agent/default_files.h"

#include <fcntl.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/xalloc.h"

#define MAX_SIZE (64u << 10)
#define VARIABLE "VGPU_AGENT_OPTIONS="

/* The value that `text` assigns, without blanks and quotes around it. Where there are
 * several assignments, the last one counts. NULL: there is none. The caller frees. */
static char *find_value(const char *text)
{
    char *found = NULL;
    _cleanup_strlist_ struct strlist lines = strlist_split(text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        if (strncmp(line, VARIABLE, strlen(VARIABLE)) != 0)
            continue;
        const char *value = line + strlen(VARIABLE);
        size_t length = strlen(value);
        if (length >= 2 && strchr("\"'", value[0]) && value[length - 1] == value[0])
            value++, length -= 2;
        free(found);
        found = xstrndup(value, length);
    }
    return found;
}

/* Accepts "--config-file=F" and "--config-file F". Other options of the daemon do not
 * matter to commands. */
static int take_words(const struct strlist *words, struct strlist *files,
                      struct strlist *dirs, struct error *err)
{
    const struct {
        const char *name;
        struct strlist *to;
    } options[] = {{"--config-file", files}, {"--config-dir", dirs}};
    for (size_t i = 0; i < words->count; i++)
        for (size_t j = 0; j < sizeof options / sizeof *options; j++) {
            size_t length = strlen(options[j].name);
            const char *word = words->items[i];
            if (strncmp(word, options[j].name, length) != 0)
                continue;
            if (word[length] == '=')
                strlist_add(options[j].to, word + length + 1);
            else if (word[length] == 0 && i + 1 < words->count)
                strlist_add(options[j].to, words->items[++i]);
            else if (word[length] == 0)
                return error_set(err, ERROR_INVALID, VARIABLE " %s names nothing",
                                 options[j].name);
            break;
        }
    return 0;
}

int default_files_read(const char *defaults, struct strlist *files,
                       struct strlist *dirs, struct error *err)
{
    _cleanup_free_ char *text = NULL;
    struct error why;
    if (file_read_at(AT_FDCWD, defaults, MAX_SIZE, &text, NULL, &why) != 0) {
        if (why.code == ERROR_NOT_FOUND)
            return 0;
        return error_set(err, why.code, "%s", why.text);
    }
    _cleanup_free_ char *value = find_value(text);
    if (!value)
        return 0;
    _cleanup_strlist_ struct strlist split = strlist_split(value, ' '), words = {0};
    for (size_t i = 0; i < split.count; i++)
        if (*split.items[i])
            strlist_add(&words, split.items[i]);
    return take_words(&words, files, dirs, err) == 0
               ? 0
               : error_prefix(err, "%s", defaults);
}
