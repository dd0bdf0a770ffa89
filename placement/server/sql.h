/*
 * sql: the names of all statements; their texts are in sql.c, in the same order.
 */
#ifndef PLACEMENT_SERVER_SQL_H
#define PLACEMENT_SERVER_SQL_H

enum sql { SQL_COUNT };

#endif
