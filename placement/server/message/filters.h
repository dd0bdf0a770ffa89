/*
 * filters: what one group of query parameters asks of providers: `resources`,
 * `required`, `member_of` and `in_tree`, as GET /resource_providers and each group of
 * GET /allocation_candidates have them. Values are taken apart and checked as
 * upstream's placement.util does it, with its words where they are wrong; names are not
 * looked up.
 *
 * Plain data; all zero asks nothing. The caller owns it. Stateless.
 */
#ifndef PLACEMENT_SERVER_MESSAGE_FILTERS_H
#define PLACEMENT_SERVER_MESSAGE_FILTERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/strlist.h"
#include "placement/server/message/query.h"
#include "placement/server/message/reply.h"

struct amount {
    char *class_name;
    int64_t amount; /* at least 1; INT64_MAX where the number is larger */
};

/* A list of sets of names: each set must be met by any one of its names. The names of a
 * set are sorted and distinct. */
struct any_of {
    struct strlist *sets;
    size_t count;
};

struct filters {
    struct amount *amounts; /* one for each class */
    size_t amount_count;
    struct any_of required; /* traits */
    struct strlist forbidden;
    struct any_of member_of; /* uuids of aggregates, lower case with dashes */
    struct strlist not_member_of;
    char *in_tree; /* uuid, lower case with dashes; NULL: anywhere */
};

/* Each replaces what `filters` had of the parameter. 0, or -1 with a problem (400) in
 * `reply`. */
int filters_read_resources(struct filters *filters, const char *value,
                           struct reply *reply);
/* All parameters "required<suffix>": their number and what they may hold depend on the
 * microversion (forbidden since 1.22, "in:" and several since 1.39). */
int filters_read_required(struct filters *filters, const struct query *query,
                          const char *suffix, int microversion, struct reply *reply);
/* All parameters "member_of<suffix>": several since 1.24, forbidden since 1.32. */
int filters_read_member_of(struct filters *filters, const struct query *query,
                           const char *suffix, int microversion, struct reply *reply);
int filters_read_in_tree(struct filters *filters, const char *value,
                         struct reply *reply);

/* One value of a trait parameter, added to `required` and `forbidden`, which the caller
 * sorts. */
int filters_read_traits(const char *value, bool allow_forbidden, bool allow_any,
                        struct any_of *required, struct strlist *forbidden,
                        struct reply *reply);

void filters_clear_any_of(struct any_of *any_of);
void filters_clear(struct filters *filters);

#endif
