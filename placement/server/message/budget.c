#include "placement/server/message/budget.h"

#include <poll.h>

#include "lib/clock.h"

/* So many steps take about a millisecond. */
#define STEPS_BETWEEN_LOOKS 100000
/* The first look comes sooner: otherwise each of many connections whose client has gone
 * would cost a millisecond. Requests with fewer steps are not worth a look. */
#define STEPS_BEFORE_FIRST_LOOK 5000

void budget_begin(struct budget *budget, double seconds, size_t memory,
                  const int *connection)
{
    *budget = (struct budget){
        .work_left = BUDGET_WORK,
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
    budget->before_look = budget->work_left = 0;
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
