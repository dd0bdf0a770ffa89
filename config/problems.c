#include "config/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct config_place config_place_copy(const struct config_place *place)
{
    return (struct config_place){
        .file = place->file ? xstrdup(place->file) : NULL,
        .line = place->line,
    };
}

void config_place_clear(struct config_place *place)
{
    free(place->file);
    *place = (struct config_place){0};
}

static void add(struct config_problems *problems, const struct config_place *place,
                bool warning, const char *format, va_list arguments)
{
    char *text = xvasprintf(format, arguments);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    size_t index = problems->count;
    *array_add(problems->items, problems->count) = (struct config_problem){
        .place = place ? config_place_copy(place) : (struct config_place){0},
        .warning = warning,
        .index = index,
        .text = text,
    };
}

void config_error(struct config_problems *problems, const struct config_place *place,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, place, false, format, arguments);
    va_end(arguments);
}

void config_warning(struct config_problems *problems, const struct config_place *place,
                    const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, place, true, format, arguments);
    va_end(arguments);
}

static int by_place(const void *left, const void *right)
{
    const struct config_problem *a = left, *b = right;
    int order = !a->place.file - !b->place.file;
    if (order == 0 && a->place.file)
        order = strcmp(a->place.file, b->place.file);
    if (order == 0)
        order = (a->place.line > b->place.line) - (a->place.line < b->place.line);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

void config_problems_sort(struct config_problems *problems)
{
    if (problems->count)
        qsort(problems->items, problems->count, sizeof *problems->items, by_place);
}

static char *text_of(const struct config_problem *problem, const char *kind)
{
    const struct config_place *place = &problem->place;
    if (!place->file)
        return xasprintf("%s%s", kind, problem->text);
    if (!place->line)
        return xasprintf("%s: %s%s", place->file, kind, problem->text);
    return xasprintf("%s:%u: %s%s", place->file, place->line, kind, problem->text);
}

char *config_problem_text(const struct config_problem *problem)
{
    return text_of(problem, problem->warning ? "warning: " : "");
}

char *config_problem_log_text(const struct config_problem *problem)
{
    return text_of(problem, "");
}

bool config_has_errors(const struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        if (!problems->items[i].warning)
            return true;
    return false;
}

bool config_has_error_of(const struct config_problems *problems, const char *section,
                         const char *option)
{
    _cleanup_free_ char *start = xasprintf("%s.%s: ", section, option);
    for (size_t i = 0; i < problems->count; i++)
        if (!problems->items[i].warning &&
            strncmp(problems->items[i].text, start, strlen(start)) == 0)
            return true;
    return false;
}

void config_problems_clear(struct config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        config_place_clear(&problems->items[i].place);
        free(problems->items[i].text);
    }
    free(problems->items);
    *problems = (struct config_problems){0};
}
