#include "placement/server/message/budget.h"

#include <poll.h>

#include "lib/clock.h"

/* So many steps take about a millisecond. */
#define STEPS_BETWEEN_LOOKS 100000
/* The first look comes sooner: otherwise each of many connections whose client has gone
 * would cost a millisecond. Requests with fewer steps are not worth a look. */
#define STEPS_BEFORE_FIRST_LOOK 5000

uint64_t budget_pool_offer(struct budget_pool *pool, int64_t now)
{
    uint64_t passed = now > pool->since ? (uint64_t)(now - pool->since) : 0;
    /* Long enough, and no number overflows. */
    if (passed > BUDGET_SHARED / BUDGET_SHARED_PER_SECOND)
        pool->used = 0;
    else if (pool->used > passed * BUDGET_SHARED_PER_SECOND)
        pool->used -= passed * BUDGET_SHARED_PER_SECOND;
    else
        pool->used = 0;
    pool->since = now;
    uint64_t left = BUDGET_SHARED - pool->used;
    return left < BUDGET_WORK - BUDGET_WORK_ALWAYS ? BUDGET_WORK_ALWAYS + left
                                                   : BUDGET_WORK;
}

void budget_charge(const struct budget *budget, uint64_t more, struct budget_pool *pool)
{
    uint64_t used = budget->work - budget->work_left + more;
    if (used <= BUDGET_WORK_ALWAYS)
        return;
    uint64_t left = BUDGET_SHARED - pool->used;
    used -= BUDGET_WORK_ALWAYS;
    pool->used += used < left ? used : left;
}

void budget_begin(struct budget *budget, uint64_t work, double seconds, size_t memory,
                  const int *connection)
{
    *budget = (struct budget){
        .work = work,
        .work_left = work,
        .before_look = STEPS_BEFORE_FIRST_LOOK,
        .memory_left = memory ? memory : SIZE_MAX,
        .deadline = seconds > 0 ? clock_thread_ns() + (int64_t)(seconds * 1e9) : 0,
        .connection = connection,
    };
}

bool budget_end_(struct budget *budget, enum budget_end why)
{
    if (budget->end == BUDGET_LEFT)
        budget->end = why;
    budget->before_look = 0;
    return false;
}

/* Whether the client has closed the connection, or its side of it. No work is done for
 * a client that does not wait for the reply. */
static bool client_is_gone(const struct budget *budget)
{
    if (!budget->connection)
        return false;
    struct pollfd item = {.fd = *budget->connection, .events = POLLRDHUP};
    return poll(&item, 1, 0) > 0;
}

bool budget_look_(struct budget *budget)
{
    if (budget->end != BUDGET_LEFT)
        return false;
    if (budget->deadline && clock_thread_ns() >= budget->deadline)
        return budget_end_(budget, BUDGET_TIME_OVER);
    if (client_is_gone(budget))
        return budget_end_(budget, BUDGET_CLIENT_GONE);
    budget->before_look = STEPS_BETWEEN_LOOKS;
    return true;
}

bool budget_take_memory(struct budget *budget, size_t bytes)
{
    if (budget->end != BUDGET_LEFT)
        return false;
    if (bytes > budget->memory_left)
        return budget_end_(budget, BUDGET_MEMORY_USED);
    budget->memory_left -= bytes;
    return true;
}
