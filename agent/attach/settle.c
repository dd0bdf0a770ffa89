#include "agent/attach/settle.h"

struct settling {
    const struct hypervisor *hypervisor;
    void *connection;
    const struct settle_job *job;
    const struct wanted *wanted; /* NULL: only look */
    struct settle_result *result;
    struct strlist refused; /* devices that are not tried again in this job */
    struct error refusal;   /* the first of them */
    bool refuses;           /* for another reason than that the guest is busy */
    struct error last;      /* any failure */
    bool ended;             /* nothing can be learned by another look */
};

static const char *describe(enum attach_verb verb)
{
    switch (verb) {
    case ATTACH_CONFIGURED:
        return "attach to the configuration";
    case ATTACH_LIVE:
        return "attach to the running guest";
    case ATTACH_BOTH:
        return "attach to the running guest and its configuration";
    case DETACH_CONFIGURED:
        return "take out of the configuration";
    }
    return "?";
}

/* The domain or the connection is gone. */
static void end_without_guest(struct settling *settling,
                              enum hypervisor_failure failure, const struct error *err)
{
    struct settle_result *result = settling->result;
    guest_clear(&result->guest);
    result->gone = failure == HYPERVISOR_NO_DOMAIN;
    result->unreachable = failure == HYPERVISOR_UNREACHABLE;
    result->state = result->gone ? GUEST_ABSENT : GUEST_FAILED;
    if (!result->gone)
        result->reason = *err;
    settling->ended = true;
}

static void look(struct settling *settling)
{
    struct guest guest = {0};
    enum hypervisor_failure failure = HYPERVISOR_REFUSED;
    struct error err = {0};
    if (settling->hypervisor->look(settling->connection, settling->job->domain, &guest,
                                   &failure, &err) != 0) {
        end_without_guest(settling, failure, &err);
        return;
    }
    guest_clear(&settling->result->guest);
    settling->result->guest = guest;
}

static void refuse(struct settling *settling, const struct attach_action *action,
                   const struct error *err)
{
    if (settling->refused.count == 0)
        settling->refusal = *err;
    strlist_add_unique(&settling->refused, action->address);
}

/* True: the guest is not as it was at the look. */
static bool take_failure(struct settling *settling, const struct attach_action *action,
                         enum hypervisor_failure failure, struct error *err)
{
    (void)error_prefix(err, "%s: %s", action->address, describe(action->verb));
    settling->last = *err;
    switch (failure) {
    case HYPERVISOR_THERE: /* the next look shows how much of it */
        return false;
    case HYPERVISOR_NOT_RUNNING:
        return true;
    case HYPERVISOR_UNREACHABLE:
        if (action->verb != DETACH_CONFIGURED)
            strlist_add(&settling->result->uncertain, action->address);
        end_without_guest(settling, failure, err);
        return false;
    case HYPERVISOR_NO_DOMAIN:
        end_without_guest(settling, failure, err);
        return false;
    case HYPERVISOR_NO_PORT:
        if (action->verb == ATTACH_LIVE || action->verb == ATTACH_BOTH) {
            settling->result->no_port = true;
            return true;
        }
        settling->refuses = true;
        refuse(settling, action, err);
        return false;
    case HYPERVISOR_REFUSED:
    case HYPERVISOR_ELSEWHERE:
        settling->refuses = true;
        refuse(settling, action, err);
        return false;
    case HYPERVISOR_BUSY:
        refuse(settling, action, err);
        return false;
    }
    return true;
}

static void act(struct settling *settling, const struct attach_action *actions,
                size_t count)
{
    bool look_again = false;
    for (size_t i = 0; i < count && !look_again && !settling->ended; i++) {
        if (strlist_contains(&settling->refused, actions[i].address))
            continue;
        enum hypervisor_failure failure = HYPERVISOR_REFUSED;
        struct error err = {0};
        if (settling->hypervisor->act(settling->connection, settling->job->domain,
                                      &actions[i], &failure, &err) != 0)
            look_again = take_failure(settling, &actions[i], failure, &err);
    }
}

static size_t count_untried(const struct settling *settling,
                            const struct attach_action *actions, size_t count)
{
    size_t untried = 0;
    for (size_t i = 0; i < count; i++)
        untried += !strlist_contains(&settling->refused, actions[i].address);
    return untried;
}

/* Nothing more will be tried, and `left` actions would still be to be done. */
static void conclude(struct settling *settling, size_t left, size_t untried)
{
    struct settle_result *result = settling->result;
    settling->ended = true;
    result->state = attach_state(&result->guest, settling->wanted, result->no_port);
    if (left == 0)
        return;
    result->state = GUEST_FAILED;
    result->busy = untried == 0 && !settling->refuses;
    if (untried == 0)
        result->reason = settling->refusal;
    else if (settling->last.code != ERROR_NONE)
        result->reason = settling->last;
    else
        (void)error_set(&result->reason, ERROR_CONFLICT,
                        "the guest lacks its devices after %d attempts that libvirt "
                        "called successful",
                        SETTLE_ROUNDS);
}

void settle(const struct hypervisor *hypervisor, void *connection,
            const struct settle_job *job, struct settle_result *result)
{
    *result = (struct settle_result){.no_port = job->no_port};
    struct settling settling = {.hypervisor = hypervisor,
                                .connection = connection,
                                .job = job,
                                .wanted = *job->wanted.consumer ? &job->wanted : NULL,
                                .result = result};
    for (int round = 0; !settling.ended; round++) {
        look(&settling);
        if (settling.ended)
            break;
        struct attach_action *actions;
        size_t count;
        attach_decide(&result->guest, settling.wanted, &job->ours, job->occasion,
                      result->no_port, &actions, &count);
        size_t untried = count_untried(&settling, actions, count);
        if (untried == 0 || round == SETTLE_ROUNDS)
            conclude(&settling, count, untried);
        else
            act(&settling, actions, count);
        attach_actions_free(actions, count);
    }
    strlist_clear(&settling.refused);
}

void settle_job_clear(struct settle_job *job)
{
    wanted_clear(&job->wanted);
    strlist_clear(&job->ours);
    *job = (struct settle_job){0};
}

void settle_result_clear(struct settle_result *result)
{
    guest_clear(&result->guest);
    strlist_clear(&result->uncertain);
    *result = (struct settle_result){0};
}
