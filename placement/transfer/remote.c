#include "placement/transfer/remote.h"

#include "lib/xalloc.h"
#include "placement/client/batch.h"

struct remote {
    struct side side; /* first, so that a pointer to it is one to this */
    struct placement_client *client;
    size_t connections;
};

static int call(struct side *side, const struct placement_call *call,
                struct json_object **reply, struct error *err)
{
    struct remote *remote = (struct remote *)side;
    int rc = placement_client_call(remote->client, call->method, call->path, call->body,
                                   call->minor, reply, err);
    side->minor = placement_client_minor(remote->client);
    return rc;
}

static int run(struct side *side, const struct placement_batch *batch, bool singly,
               struct error *err)
{
    struct remote *remote = (struct remote *)side;
    int rc = placement_client_run(remote->client, singly ? 1 : remote->connections,
                                  batch, err);
    side->minor = placement_client_minor(remote->client);
    return rc;
}

/* What was answered is in the database of the other side. */
static int settle(struct side *side, struct error *err)
{
    (void)side, (void)err;
    return 0;
}

static void release(struct side *side)
{
    struct remote *remote = (struct remote *)side;
    placement_client_free(remote->client);
    free(remote);
}

int remote_side_new(const struct placement_config *options, size_t connections,
                    struct side **out, struct error *err)
{
    struct placement_client *client;
    if (placement_client_new(options, &client, err) != 0)
        return -1;
    placement_client_take_large(client);
    struct remote *remote = xcalloc(1, sizeof *remote);
    remote->client = client;
    remote->connections = connections;
    remote->side = (struct side){.name = xstrdup(options->endpoint_override),
                                 .call = call,
                                 .run = run,
                                 .settle = settle,
                                 .free = release};
    *out = &remote->side;
    return 0;
}
