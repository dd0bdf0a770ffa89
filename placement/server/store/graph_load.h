/*
 * graph_load: fills a graph from the tables. Finds what the tables' types cannot
 * forbid: rows that refer to nothing, loops of parents, negative numbers.
 */
#ifndef PLACEMENT_SERVER_STORE_GRAPH_LOAD_H
#define PLACEMENT_SERVER_STORE_GRAPH_LOAD_H

#include "placement/server/graph/graph.h"
#include "placement/server/store/database.h"

/* `graph` must be empty. On failure it is empty again, and ERROR_INVALID says what is
 * wrong with the rows. */
int graph_load(struct graph *graph, struct database *database, struct error *err);

#endif
