#include "agent/daemon/questions.h"

#include <string.h>

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
    bool has_entry =
        !wanted_is_nothing(wanted_find(attacher_table(attacher), have->consumer));
    if (agent_knows(agent, have) && here == has_entry)
        return true;
    return here && !has_entry && user->serve(user->data, have);
}

/* How many guests are defined or start, and wait. */
static size_t count_waiting(const struct attach_question *all, size_t count)
{
    size_t guests = 0;
    for (size_t i = 0; i < count; i++)
        guests += all[i].life == 0 && !attach_questions_wait(all, i, all[i].consumer);
    return guests;
}

static uint64_t last_id(const struct attacher *attacher)
{
    size_t count;
    const struct attach_question *all = attacher_questions(attacher, &count);
    return count ? all[count - 1].id : 0;
}

/* One of the consumer's that is not younger than `last`; NULL: there is none. */
static const struct attach_question *find_about(const struct attacher *attacher,
                                                const char *consumer, uint64_t last)
{
    size_t count;
    const struct attach_question *all = attacher_questions(attacher, &count);
    for (size_t i = 0; i < count && all[i].id <= last; i++)
        if (strcmp(all[i].consumer, consumer) == 0)
            return &all[i];
    return NULL;
}

/* Whether its allocations here are gone with the domain: a server that was deleted, as a
 * rule. Then nobody waits for devices, and a cycle at once would hold up others. */
static bool has_departed(const struct attach_question *asked,
                         const struct strlist *providers,
                         const struct consumer_allocations *have)
{
    return asked->life && !is_here(providers, have);
}

/* Whether the table is right for the consumer by now, or nobody waits for that. False also
 * where it cannot be found out. */
static bool ask_and_answer(struct attacher *attacher, struct agent *agent,
                           const struct questions_user *user,
                           const struct attach_question *asked)
{
    const struct strlist *providers = attacher_providers(attacher);
    _cleanup_consumer_allocations_ struct consumer_allocations have = {0};
    /* What was asked about it before the request is answered by it, too. */
    uint64_t last = last_id(attacher);
    if (!providers || agent_ask_allocations(agent, asked->consumer, &have, NULL) != 0)
        return false;
    if (is_settled(attacher, agent, user, providers, &have)) {
        _cleanup_strlist_ struct strlist allocations =
            lives_allocations(&have, providers);
        const struct attach_question *about;
        while ((about = find_about(attacher, asked->consumer, last)) != NULL)
            attacher_answered(attacher, about->id, &allocations);
        return true;
    }
    if (!has_departed(asked, providers, &have))
        return false;
    /* The table still has it: this answer counts for no definition, and neither does an
     * earlier one any more. */
    attacher_answered(attacher, asked->id, NULL);
    user->cycle_soon(user->data);
    return true;
}

bool questions_answer(struct questions *questions, struct attacher *attacher,
                      struct agent *agent, enum agent_mode mode,
                      const struct questions_user *user)
{
    size_t count;
    const struct attach_question *all;
    while ((all = attacher_questions(attacher, &count)) && count &&
           !questions->in_cycle) {
        /* More may be asked during the request, and the program may end. */
        const struct attach_question asked = all[0];
        /* In Nova's modes the agent gives a guest nothing when it starts. */
        if (mode != MODE_OWNER)
            attacher_answered(attacher, asked.id, NULL);
        else
            questions->in_cycle = count_waiting(all, count) > SERVED_MOST ||
                                  !ask_and_answer(attacher, agent, user, &asked);
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
    questions->last = last_id(attacher);
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
                         bool told, const struct observed *seen)
{
    const struct attach_question *asked;
    const struct strlist *providers = attacher_providers(attacher);
    bool known = seen && providers;
    while (told && (asked = next_seen(questions, attacher)) != NULL) {
        _cleanup_strlist_ struct strlist allocations = {0};
        if (known)
            allocations = lives_allocations_seen(seen, providers, asked->consumer);
        attacher_answered(attacher, asked->id, known ? &allocations : NULL);
    }
    questions->in_cycle = !told;
}
