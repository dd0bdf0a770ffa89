#include "agent/daemon/questions.h"

#include "agent/daemon/lives.h"

/* So many guests that are defined at once are served one after the other; for more, one
 * cycle costs less. */
#define SERVED_MOST 4

static bool is_here(const struct strlist *providers,
                    const struct consumer_allocations *have)
{
    for (size_t i = 0; i < have->count; i++)
        if (strlist_contains(providers, have->items[i].provider))
            return true;
    return false;
}

static bool is_settled(const struct attacher *attacher, struct agent *agent,
                       const struct questions_user *user,
                       const struct strlist *providers,
                       const struct consumer_allocations *have)
{
    bool here = is_here(providers, have);
    bool has_entry = wanted_find(attacher_table(attacher), have->consumer);
    if (agent_knows(agent, have) && here == has_entry)
        return true;
    return here && !has_entry && user->serve(user->data, have);
}

/* Whether the table is right for the consumer by now, which has `allocations`. False also
 * where that cannot be found out. */
static bool is_answered(const struct attacher *attacher, struct agent *agent,
                        const struct questions_user *user, const char *consumer,
                        struct strlist *allocations)
{
    size_t count;
    const struct strlist *providers = attacher_providers(attacher);
    _cleanup_consumer_allocations_ struct consumer_allocations have = {0};
    (void)attacher_questions(attacher, &count);
    if (!providers || count > SERVED_MOST ||
        agent_ask_allocations(agent, consumer, &have, NULL) != 0 ||
        !is_settled(attacher, agent, user, providers, &have))
        return false;
    *allocations = lives_allocations(&have, providers);
    return true;
}

/* In nova mode the agent gives a guest nothing when it starts. */
static bool answer(struct attacher *attacher, struct agent *agent, enum agent_mode mode,
                   const struct questions_user *user,
                   const struct attach_question *question)
{
    _cleanup_strlist_ struct strlist allocations = {0};
    /* More may be asked during the request, and the program may end. */
    const struct attach_question asked = *question;
    if (mode != MODE_NOVA &&
        !is_answered(attacher, agent, user, asked.consumer, &allocations))
        return false;
    attacher_answered(attacher, asked.id, mode != MODE_NOVA ? &allocations : NULL);
    return true;
}

bool questions_answer(struct questions *questions, struct attacher *attacher,
                      struct agent *agent, enum agent_mode mode,
                      const struct questions_user *user)
{
    size_t count;
    const struct attach_question *first = attacher_questions(attacher, &count);
    while (count && !questions->in_cycle) {
        questions->in_cycle = !answer(attacher, agent, mode, user, first);
        first = attacher_questions(attacher, &count);
    }
    return count && questions->in_cycle;
}

void questions_begin_cycle(struct questions *questions, const struct attacher *attacher,
                           struct agent *agent)
{
    size_t count;
    const struct attach_question *asked = attacher_questions(attacher, &count);
    for (size_t i = 0; i < count; i++)
        agent_look_at(agent, asked[i].consumer);
    if (count)
        agent_look_wholly(agent);
    questions->last = count ? asked[count - 1].id : 0;
}

/* The oldest one that came before the cycle; NULL: there is none left. */
static const struct attach_question *next_seen(const struct questions *questions,
                                               const struct attacher *attacher)
{
    size_t count;
    const struct attach_question *first = attacher_questions(attacher, &count);
    return count && first->id <= questions->last ? first : NULL;
}

void questions_end_cycle(struct questions *questions, struct attacher *attacher,
                         const struct observed *seen)
{
    const struct attach_question *asked;
    const struct strlist *providers = attacher_providers(attacher);
    while (seen && (asked = next_seen(questions, attacher)) != NULL) {
        _cleanup_strlist_ struct strlist allocations = {0};
        if (providers)
            allocations = lives_allocations_seen(seen, providers, asked->consumer);
        attacher_answered(attacher, asked->id, providers ? &allocations : NULL);
    }
    questions->in_cycle = !seen;
}
