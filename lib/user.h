/*
 * user: who a user is, for messages. Not for threads: it asks the system's user database.
 */
#ifndef LIB_USER_H
#define LIB_USER_H

#include <sys/types.h>

/* The user's name, or the number where it has none. The caller frees. */
char *user_name(uid_t uid);

#endif
