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

/* Whether nothing is left to be done for the consumer. False also where that cannot be
 * found out. In nova mode the agent gives a guest nothing when it starts. */
static bool is_answered(const struct attacher *attacher, struct agent *agent,
                        enum agent_mode mode, const struct questions_user *user,
                        const char *consumer)
{
    const struct strlist *providers = attacher_providers(attacher);
    _cleanup_consumer_allocations_ struct consumer_allocations have = {0};
    if (mode == MODE_NOVA || wanted_find(attacher_table(attacher), consumer))
        return true;
    if (!providers || attacher_asks(attacher)->count > SERVED_MOST ||
        agent_ask_allocations(agent, consumer, &have, NULL) != 0)
        return false;
    return !is_here(providers, &have) || user->serve(user->data, &have);
}

bool questions_answer(struct questions *questions, struct attacher *attacher,
                      struct agent *agent, enum agent_mode mode,
                      const struct questions_user *user)
{
    const struct strlist *asks = attacher_asks(attacher);
    while (asks->count && !questions->in_cycle) {
        /* More may be asked during the request, behind this one. */
        if (is_answered(attacher, agent, mode, user, asks->items[0]))
            attacher_drop_asks(attacher, 1);
        else
            questions->in_cycle = true;
    }
    questions->moved |= attacher_has_moved(attacher) && mode == MODE_OWNER;
    return questions->moved || (asks->count && questions->in_cycle);
}

void questions_begin_cycle(struct questions *questions, const struct attacher *attacher,
                           struct agent *agent)
{
    questions->count = attacher_asks(attacher)->count;
    if (questions->count || questions->moved)
        agent_look_wholly(agent);
    questions->moved = false;
}

void questions_end_cycle(struct questions *questions, struct attacher *attacher,
                         bool seen)
{
    if (seen)
        attacher_drop_asks(attacher, questions->count);
    questions->in_cycle = !seen;
    questions->moved |= !seen;
}
