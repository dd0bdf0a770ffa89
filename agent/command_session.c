#include "agent/command_session.h"

#include <sysexits.h>
#include <time.h>

#include "lib/log.h"

int command_session_open(struct command_session *session,
                         const struct command_context *context,
                         enum agent_access access)
{
    if (command_load_full_config(context, &session->config) != 0)
        return EX_CONFIG;
    struct error err;
    _cleanup_free_ char *note = NULL;
    if (agent_new(session->config, access, time(NULL), &session->agent, &note, &err) !=
        0)
        return command_fail(&err);
    if (note)
        log_error("agent", "%s", note);
    return EX_OK;
}

int command_session_look(struct command_session *session,
                         const struct command_context *context)
{
    int status = command_session_open(session, context, AGENT_LOOKS);
    if (status != EX_OK)
        return status;
    struct error err;
    if (cycle_look(session->agent, time(NULL), true, &session->cycle, &err) != 0)
        return command_fail(&err);
    return EX_OK;
}

static int parse_consumer(const char *text, char uuid[UUID_TEXT_SIZE],
                          struct error *err)
{
    if (uuid_parse_text(text, uuid))
        return 0;
    return error_set(err, ERROR_INVALID,
                     "%s: expected the uuid of a consumer (a server)", text);
}

int command_session_devices(struct command_session *session,
                            const struct command_context *context, const char *consumer,
                            struct consumer_device **out, size_t *count)
{
    struct error err;
    char uuid[UUID_TEXT_SIZE];
    if (parse_consumer(consumer, uuid, &err) != 0)
        return command_fail(&err);
    int status = command_session_look(session, context);
    if (status != EX_OK)
        return status;
    if (consumer_devices(&session->cycle, uuid, out, count, &err) != 0)
        return command_fail(&err);
    return EX_OK;
}

void command_session_end(struct command_session *session)
{
    cycle_clear(&session->cycle);
    agent_free(session->agent);
    config_free(session->config);
}
