#include "agent/report/problems.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"

static bool contains(const struct problem_list *problems, const char *about)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strcmp(problems->items[i].about, about) == 0)
            return true;
    return false;
}

void problems_add_take(struct problem_list *problems, const char *about, char *text)
{
    if (contains(problems, about ? about : text)) {
        free(text);
        return;
    }
    struct problem *problem = array_add(problems->items, problems->count);
    problem->about = xstrdup(about ? about : text);
    problem->text = text;
}

void problems_add(struct problem_list *problems, const char *about, const char *text)
{
    problems_add_take(problems, about, xstrdup(text));
}

void problems_update(struct problem_list *standing, struct problem_list *now)
{
    for (size_t i = 0; i < now->count; i++)
        if (!contains(standing, now->items[i].about))
            log_warning("agent", "%s", now->items[i].text);
    for (size_t i = 0; i < standing->count; i++)
        if (!contains(now, standing->items[i].about))
            log_info("agent", "over: %s", standing->items[i].text);
    problems_clear(standing);
    *standing = *now;
    *now = (struct problem_list){0};
}

void problems_clear(struct problem_list *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].about);
        free(problems->items[i].text);
    }
    free(problems->items);
    *problems = (struct problem_list){0};
}
