/*
 * api_call: requests to the API without sockets, for tests: a store on a file of its
 * own in a temporary folder, and one function that asks.
 */
#ifndef TESTS_UNIT_PLACEMENT_SERVER_API_CALL_H
#define TESTS_UNIT_PLACEMENT_SERVER_API_CALL_H

#include "placement/server/dispatch.h"

struct api_world {
    struct dispatch api;
    char folder[64], path[96];
    int64_t now;                                       /* of the next request */
    struct strlist origins, methods, headers, exposed; /* of CORS */
    struct error commit_error;
};

/* `world` is all zero before. */
void api_world_open(struct api_world *world);
/* Closes the store and opens it again from the file. */
void api_world_reopen(struct api_world *world);
void api_world_close(struct api_world *world);

/* What is not usual in a request. */
struct api_extra {
    const char *token, *roles, *scope, *accept, *content_type, *origin, *cors_method;
    const char *version; /* the header, in place of the number */
};

/* Asks as admin, at microversion 1.`minor`, and commits. `reply` is to be cleared; its
 * body is NUL-terminated. Returns the status. */
int api_call(struct api_world *world, int minor, const char *method, const char *target,
             const char *body, const struct api_extra *extra, struct reply *reply);
/* The same, without the reply: fails the test unless the status is `status` and the
 * body has `text` in it (NULL: any). */
void api_expect(struct api_world *world, int minor, const char *method,
                const char *target, const char *body, int status, const char *text);

/* All that a graph holds, as text: two are equal when their texts are. The caller
 * frees. */
char *graph_text(const struct graph *graph);

#endif
