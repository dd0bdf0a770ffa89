#include "placement/transfer/remote.h"

#include "lib/xalloc.h"
#include "placement/client/client.h"

struct remote {
    struct side side; /* first, so that a pointer to it is one to this */
    struct placement_client *client;
};

static int call(struct side *side, const struct side_call *call,
                struct json_object **reply, struct error *err)
{
    struct remote *remote = (struct remote *)side;
    int rc = placement_client_call(remote->client, call->method, call->path, call->body,
                                   call->minor, reply, err);
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

int remote_side_new(const struct placement_config *options, struct side **out,
                    struct error *err)
{
    struct placement_client *client;
    if (placement_client_new(options, &client, err) != 0)
        return -1;
    placement_client_take_large(client);
    struct remote *remote = xcalloc(1, sizeof *remote);
    remote->client = client;
    remote->side = (struct side){.name = xstrdup(options->endpoint_override),
                                 .call = call,
                                 .settle = settle,
                                 .free = release};
    *out = &remote->side;
    return 0;
}
