#include "agent/act/rewrites.h"

#include <string.h>

#include "agent/plan/steps/text.h"
#include "lib/xalloc.h"

/* Less often it may be an operator who tries what happens, and perhaps once more. */
#define TOO_OFTEN 3
#define REMEMBERED 600 /* seconds */

void rewrites_clear(struct rewrites *rewrites)
{
    for (size_t i = 0; i < rewrites->count; i++)
        free(rewrites->items[i].text);
    free(rewrites->items);
    *rewrites = (struct rewrites){0};
}

static struct rewrite *rewrite_of(struct rewrites *rewrites, const struct step *step)
{
    for (size_t i = 0; i < rewrites->count; i++)
        if (rewrites->items[i].kind == step->kind &&
            strcmp(rewrites->items[i].provider, step->provider) == 0)
            return &rewrites->items[i];
    struct rewrite *rewrite = array_add(rewrites->items, rewrites->count);
    rewrite->kind = step->kind;
    uuid_text_copy(rewrite->provider, step->provider);
    return rewrite;
}

static void note(struct rewrites *rewrites, const struct step *step, int64_t now)
{
    struct rewrite *rewrite = rewrite_of(rewrites, step);
    _cleanup_free_ char *what = step_text(step);
    char *text = xasprintf("%s: %s", step->provider_name, what);
    bool again = rewrite->text && strcmp(rewrite->text, text) == 0 &&
                 now - rewrite->at < REMEMBERED;
    rewrite->times = again ? rewrite->times + 1 : 1;
    rewrite->at = now;
    free(rewrite->text);
    rewrite->text = text;
}

void rewrites_note(struct rewrites *rewrites, const struct plan *plan,
                   const struct execution *execution, int64_t now)
{
    for (size_t i = 0; i < execution->count; i++) {
        const struct step *step = &plan->steps[i];
        if (execution->results[i].outcome == STEP_DONE &&
            (step->kind == STEP_SET_INVENTORY || step->kind == STEP_SET_TRAITS))
            note(rewrites, step, now);
    }
}

void rewrites_report(const struct rewrites *rewrites, int64_t now, struct strlist *out)
{
    for (size_t i = 0; i < rewrites->count; i++) {
        const struct rewrite *rewrite = &rewrites->items[i];
        if (rewrite->times >= TOO_OFTEN && now - rewrite->at < REMEMBERED)
            strlist_add_take(
                out, xasprintf("%s: somebody sets it to something else each time. Has "
                               "another host's agent the same root provider "
                               "(root_provider_name, compute_id)?",
                               rewrite->text));
    }
}
