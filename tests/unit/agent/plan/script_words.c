#include "tests/unit/agent/plan/script_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

void script_wrong(const struct script *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: case \"%s\": ", s->file->path, s->line, s->running->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    fail();
    abort();
}

int script_integer(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

/* ---- names for uuids ---- */

void script_label(struct script *s, const char *uuid, const char *text)
{
    for (size_t i = 0; i < s->label_uuids.count; i++)
        if (strcmp(s->label_uuids.items[i], uuid) == 0)
            return;
    strlist_add(&s->label_uuids, uuid);
    strlist_add(&s->labels, text);
}

const char *script_label_of(const struct script *s, const char *uuid)
{
    for (size_t i = 0; i < s->label_uuids.count; i++)
        if (strcmp(s->label_uuids.items[i], uuid) == 0)
            return s->labels.items[i];
    return uuid;
}

/* The first digits of the uuid come from the name, so that uuids sort as names do. */
void script_named_uuid(struct script *s, const char *name, char out[UUID_TEXT_SIZE])
{
    uuid5_text("6ba7b810-9dad-11d1-80b4-00c04fd430c8", name, out);
    char digits[8];
    snprintf(digits, sizeof digits, "%02x%02x", name[0], name[1]);
    memcpy(out, digits, 4);
    script_label(s, out, name);
}

/* "84", "84.2" for a VF; "old:84" below the root's former name. */
static char *card_name(const struct script *s, const char *gpu)
{
    const char *root = s->model.root_name;
    if (strncmp(gpu, "old:", 4) == 0) {
        root = "host";
        gpu += 4;
    }
    return strlen(gpu) == 2 ? xasprintf("%s_pci_0000_%s_00_0", root, gpu)
                            : xasprintf("%s_pci_0000_%.2s_00_%d", root, gpu,
                                        script_integer(gpu + 3) + 1);
}

/* "84/36": the provider of the type below that of the card. */
char *script_provider_name(const struct script *s, const char *gpu)
{
    const char *slash = strchr(gpu, '/');
    if (!slash)
        return card_name(s, gpu);
    _cleanup_free_ char *card = xstrndup(gpu, (size_t)(slash - gpu));
    _cleanup_free_ char *name = card_name(s, card);
    return xasprintf("%s_nvidia-%s", name, slash + 1);
}

char *script_gpu_of_provider(const struct script *s, const char *name)
{
    const char *digits = strstr(name, "_pci_0000_");
    if (!digits)
        return xstrdup(name);
    digits += strlen("_pci_0000_");
    size_t length = strlen(s->model.root_name);
    bool old = strncmp(name, s->model.root_name, length) != 0 || name[length] != '_';
    int function = digits[6] - '0';
    const char *type = strstr(digits, "_nvidia-");
    return function ? xasprintf("%s%.2s.%d", old ? "old:" : "", digits, function - 1)
                    : xasprintf("%s%.2s%s%s", old ? "old:" : "", digits,
                                type ? "/" : "", type ? type + strlen("_nvidia-") : "");
}

struct model_provider *script_provider(struct script *s, const char *gpu)
{
    _cleanup_free_ char *name = script_provider_name(s, gpu);
    struct model_provider *found = model_provider_named(&s->model, name);
    if (!found)
        script_wrong(s, "no provider %s", name);
    return found;
}

void script_device_uuid(struct script *s, const char *name, char out[UUID_TEXT_SIZE])
{
    const char *dot = strchr(name, '.'), *at = strchr(name, '@');
    if (!dot || !at) {
        script_named_uuid(s, name, out);
        return;
    }
    _cleanup_free_ char *consumer = xstrndup(name, (size_t)(dot - name));
    char consumer_uuid[UUID_TEXT_SIZE];
    script_named_uuid(s, consumer, consumer_uuid);
    _cleanup_free_ char *parent = script_provider_name(s, at + 1);
    struct model_provider *owner = model_provider_named(&s->model, parent);
    char space[UUID_TEXT_SIZE];
    if (owner)
        uuid_text_copy(space, owner->uuid);
    else
        uuid5_text(s->model.root_uuid, parent, space);
    _cleanup_free_ char *text =
        xasprintf("%s:VGPU:%d", consumer_uuid, script_integer(dot + 1));
    uuid5_text(space, text, out);
    script_label(s, out, name);
}

struct model_device *script_device(struct script *s, const char *name)
{
    char uuid[UUID_TEXT_SIZE];
    script_device_uuid(s, name, uuid);
    struct model_device *found = model_device(&s->model, uuid);
    if (!found)
        script_wrong(s, "no device %s", name);
    return found;
}

/* ---- words ---- */

void script_split_words(struct script *s, char *line)
{
    s->word_count = 0;
    char *state = NULL;
    for (char *w = strtok_r(line, " ", &state); w && s->word_count < MAX_WORDS;
         w = strtok_r(NULL, " ", &state))
        s->words[s->word_count++] = w;
}

const char *script_word(const struct script *s, int index)
{
    if (index >= s->word_count)
        script_wrong(s, "too few words");
    return s->words[index];
}

const char *script_value(const struct script *s, const char *key)
{
    size_t length = strlen(key);
    for (int i = 1; i < s->word_count; i++)
        if (strncmp(s->words[i], key, length) == 0 && s->words[i][length] == '=')
            return s->words[i] + length + 1;
    return NULL;
}

int script_number(const struct script *s, const char *key, int otherwise)
{
    const char *text = script_value(s, key);
    return text ? script_integer(text) : otherwise;
}

bool script_has_word(const struct script *s, const char *text)
{
    for (int i = 1; i < s->word_count; i++)
        if (strcmp(s->words[i], text) == 0)
            return true;
    return false;
}

int script_type_index(const struct script *s, int gpu, const char *type)
{
    for (int i = 0; i < s->model.gpus[gpu].type_count; i++)
        if (strcmp(s->model.gpus[gpu].types[i].id + strlen("nvidia-"), type) == 0)
            return i;
    script_wrong(s, "no type %s", type);
}
