/*
 * client: the part of the Placement API that the agent uses, over libcurl: one
 * persistent connection, one thread. Each call is one request. Before the first one, a
 * GET / negotiates the microversion (the highest that both sides know, from 1.14 to
 * 1.39), and again after a 406. With Keystone, a token is fetched, and renewed before
 * it expires and once after a 401. Replies are limited in size and time.
 *
 * Errors: NOT_FOUND for 404; CONFLICT for 409 placement.concurrent_update; BUSY for 409
 * placement.inventory.inuse; EXISTS for other 409s on creation; INVALID for 400;
 * UNAUTHORIZED for 401; FORBIDDEN for 403; UNREACHABLE for any failure of the
 * connection and for 5xx; TIMEOUT; PROTOCOL for a reply that cannot be understood. The
 * text is one line with method, path, status and the server's detail, and never
 * contains a secret.
 */
#ifndef PLACEMENT_CLIENT_CLIENT_H
#define PLACEMENT_CLIENT_CLIENT_H

#include "config/config.h"
#include "lib/error.h"
#include "lib/json_read.h"
#include "lib/strlist.h"
#include "placement/model.h"

struct placement_client;

/* Checks the options and makes the client; sends no request yet. `options` is borrowed
 * for its whole life. */
int placement_client_new(const struct placement_config *options,
                         struct placement_client **out, struct error *err);
void placement_client_free(struct placement_client *client);
DEFINE_CLEANUP(struct placement_client *, placement_client_free)

/* The number of requests sent so far, for metrics and tests. */
unsigned long placement_client_requests(const struct placement_client *client);

/* The minor number of the negotiated microversion 1.x; 0 before the first reply. */
unsigned placement_client_minor(const struct placement_client *client);

/* The seconds that the last reply, a 503 or 429, asked to wait before the next request;
 * 0: none. Keystone's replies count as well. */
unsigned placement_client_retry_after(const struct placement_client *client);

/* When Keystone's token expires, in seconds since the epoch; 0: there is none. */
int64_t placement_client_token_expires_at(const struct placement_client *client);

/* `interrupted` is called about once a second during a call. When it returns true, the
 * call ends with BUSY; so does a signal during the pause between two attempts. It is
 * for a daemon that is told to stop. */
void placement_client_set_interrupt(struct placement_client *client,
                                    bool (*interrupted)(void *data), void *data);

/* From now on replies with a whole Placement are taken: of up to 256 MiB. For a program
 * that has the memory. */
void placement_client_take_large(struct placement_client *client);

/* Any call of the API. `body` is JSON, or NULL; `minor` an older microversion than the
 * negotiated one, or 0. The caller frees *reply, which is NULL when the server sent no
 * body; `reply` may be NULL when none is wanted. */
int placement_client_call(struct placement_client *client, const char *method,
                          const char *path, const char *body, unsigned minor,
                          struct json_object **reply, struct error *err);

/* GET /resource_providers?in_tree=, or ?name=. The caller frees the array and its
 * items. When there is none, the count is 0. */
int placement_get_tree(struct placement_client *client, const char *root,
                       struct provider **out, size_t *count, struct error *err);
int placement_get_by_name(struct placement_client *client, const char *name,
                          struct provider **out, size_t *count, struct error *err);
/* POST. EXISTS when the name or the uuid is taken. `parent` NULL makes a root. */
int placement_create_provider(struct placement_client *client, const char *uuid,
                              const char *name, const char *parent, struct error *err);
int placement_delete_provider(struct placement_client *client, const char *uuid,
                              struct error *err);

/* A GET also gives the provider's generation at that moment. A PUT takes the generation
 * that it is based on, and gives the new one. */
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

/* GET /allocations/{consumer}: all that the consumer has; nothing for one that does not
 * exist. */
int placement_get_consumer_allocations(struct placement_client *client,
                                       const char *consumer,
                                       struct consumer_allocations *out,
                                       struct error *err);

/* GET /traits?name=in:...: those of `names` that the server has, sorted. More than
 * about 2000 characters of them take more than one request. */
int placement_get_traits(struct placement_client *client, const struct strlist *names,
                         struct strlist *out, struct error *err);
/* PUT /traits/{name}. A trait that exists already is a success; *made: this request has
 * made it. */
int placement_create_trait(struct placement_client *client, const char *name,
                           bool *made, struct error *err);
/* PUT /resource_classes/{name}, for a CUSTOM_ mdev_class; *made as above. */
int placement_create_class(struct placement_client *client, const char *name,
                           bool *made, struct error *err);
/* BUSY where a provider has the trait, or inventory of the class. */
int placement_delete_trait(struct placement_client *client, const char *name,
                           struct error *err);
int placement_delete_class(struct placement_client *client, const char *name,
                           struct error *err);

#endif
