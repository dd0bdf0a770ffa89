/*
 * client: the Placement API as the agent uses it, over libcurl: one kept connection,
 * one thread. Each call is one request. Before the first one comes a GET / for the
 * microversion (the highest that both know, at most 1.39, at least 1.14), again after a
 * 406; and with Keystone a token, renewed before it expires and once after a 401.
 * Replies are bounded in size and time.
 *
 * Errors: NOT_FOUND 404; CONFLICT 409 placement.concurrent_update; BUSY 409
 * placement.inventory.inuse; EXISTS other 409s on creation; INVALID 400; UNAUTHORIZED
 * 401; FORBIDDEN 403; UNREACHABLE for everything on the way there, 5xx included;
 * TIMEOUT; PROTOCOL for an answer that makes no sense. The text is one line with
 * method, path, status and the server's detail, and never a secret.
 */
#ifndef PLACEMENT_CLIENT_CLIENT_H
#define PLACEMENT_CLIENT_CLIENT_H

#include "config/config.h"
#include "lib/error.h"
#include "lib/strlist.h"
#include "placement/model.h"

struct placement_client;

/* Checks the options and makes the client; nothing is sent yet. `options` is borrowed
 * for its whole life. */
int placement_client_new(const struct placement_config *options,
                         struct placement_client **out, struct error *err);
void placement_client_free(struct placement_client *client);
DEFINE_CLEANUP(struct placement_client *, placement_client_free)

/* The number of requests sent so far, for metrics and tests. */
unsigned long placement_client_requests(const struct placement_client *client);

/* The microversion that was agreed on is 1.<this>; 0 before the first answer. */
unsigned placement_client_minor(const struct placement_client *client);

/* When Keystone's token expires, in seconds since the epoch; 0: there is none. */
int64_t placement_client_token_expires_at(const struct placement_client *client);

/* Asked about once a second while a call is under way; true ends it with ERROR_BUSY, as
 * does a signal while it waits between tries. For a daemon that is told to stop. */
void placement_client_set_interrupt(struct placement_client *client,
                                    bool (*interrupted)(void *data), void *data);

/* GET /resource_providers?in_tree=, or ?name=. The array and what is in it are the
 * caller's. None found: count 0. */
int placement_get_tree(struct placement_client *client, const char *root,
                       struct provider **out, size_t *count, struct error *err);
int placement_get_by_name(struct placement_client *client, const char *name,
                          struct provider **out, size_t *count, struct error *err);
/* POST. EXISTS when the name or the uuid is taken. `parent` NULL makes a root. */
int placement_create_provider(struct placement_client *client, const char *uuid,
                              const char *name, const char *parent, struct error *err);
int placement_delete_provider(struct placement_client *client, const char *uuid,
                              struct error *err);

/* GETs also give the provider's generation at that moment; PUTs take the one they were
 * decided on and give the new one. */
int placement_get_inventories(struct placement_client *client, const char *uuid,
                              struct class_inventory **out, size_t *count,
                              int64_t *generation, struct error *err);
int placement_put_inventories(struct placement_client *client, const char *uuid,
                              const struct class_inventory *items, size_t count,
                              int64_t *generation, struct error *err);
int placement_get_provider_traits(struct placement_client *client, const char *uuid,
                                  struct strlist *out, int64_t *generation,
                                  struct error *err);
int placement_put_provider_traits(struct placement_client *client, const char *uuid,
                                  const struct strlist *traits, int64_t *generation,
                                  struct error *err);
int placement_get_usages(struct placement_client *client, const char *uuid,
                         struct class_usage **out, size_t *count, struct error *err);
int placement_get_provider_allocations(struct placement_client *client,
                                       const char *uuid,
                                       struct provider_allocation **out, size_t *count,
                                       int64_t *generation, struct error *err);

/* GET /traits?name=in:...: those of `names` that the server has, sorted. More than
 * about 2000 characters of them take more than one request. */
int placement_get_traits(struct placement_client *client, const struct strlist *names,
                         struct strlist *out, struct error *err);
/* PUT /traits/{name}. Creating what exists is success. */
int placement_create_trait(struct placement_client *client, const char *name,
                           struct error *err);
/* PUT /resource_classes/{name}, for a CUSTOM_ mdev_class. */
int placement_create_class(struct placement_client *client, const char *name,
                           struct error *err);

#endif
