#include "agent/daemon/questions.h"

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

/* Whether the table is right for the consumer by now. False also where that cannot be
 * found out. In nova mode the agent gives a guest nothing when it starts. */
static bool is_answered(const struct attacher *attacher, struct agent *agent,
                        enum agent_mode mode, const struct questions_user *user,
                        const char *consumer)
{
    size_t count;
    const struct strlist *providers = attacher_providers(attacher);
    _cleanup_consumer_allocations_ struct consumer_allocations have = {0};
    (void)attacher_questions(attacher, &count);
    if (mode == MODE_NOVA)
        return true;
    return providers && count <= SERVED_MOST &&
           agent_ask_allocations(agent, consumer, &have, NULL) == 0 &&
           is_settled(attacher, agent, user, providers, &have);
}

bool questions_answer(struct questions *questions, struct attacher *attacher,
                      struct agent *agent, enum agent_mode mode,
                      const struct questions_user *user)
{
    size_t count;
    const struct attach_question *first = attacher_questions(attacher, &count);
    while (count && !questions->in_cycle) {
        char consumer[UUID_TEXT_SIZE];
        uuid_text_copy(consumer, first->consumer);
        /* More may be asked during the request, behind this one. */
        if (is_answered(attacher, agent, mode, user, consumer))
            attacher_answered(attacher, 1);
        else
            questions->in_cycle = true;
        first = attacher_questions(attacher, &count);
    }
    return count && questions->in_cycle;
}

void questions_begin_cycle(struct questions *questions, const struct attacher *attacher,
                           struct agent *agent)
{
    const struct attach_question *asked =
        attacher_questions(attacher, &questions->count);
    for (size_t i = 0; i < questions->count; i++)
        agent_look_at(agent, asked[i].consumer);
    if (questions->count)
        agent_look_wholly(agent);
}

void questions_end_cycle(struct questions *questions, struct attacher *attacher,
                         bool seen)
{
    if (seen)
        attacher_answered(attacher, questions->count);
    questions->in_cycle = !seen;
}
