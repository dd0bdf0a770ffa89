#include "agent/daemon/questions.h"

/* Whether nothing is to be done for the consumer. False also where that cannot be found
 * out. In nova mode the agent gives a guest nothing when it starts. */
static bool is_answered(const struct attacher *attacher, struct agent *agent,
                        enum agent_mode mode, const char *consumer)
{
    const struct strlist *providers = attacher_providers(attacher);
    bool has;
    if (mode == MODE_NOVA || wanted_find(attacher_table(attacher), consumer))
        return true;
    return providers &&
           agent_has_allocation(agent, consumer, providers, &has, NULL) == 0 && !has;
}

bool questions_answer(struct questions *questions, struct attacher *attacher,
                      struct agent *agent, enum agent_mode mode)
{
    const struct strlist *asks = attacher_asks(attacher);
    while (asks->count && !questions->in_cycle) {
        /* More may be asked during the request, behind this one. */
        if (is_answered(attacher, agent, mode, asks->items[0]))
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
