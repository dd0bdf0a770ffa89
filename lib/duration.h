/*
 * duration: a length of time as people say it. Stateless.
 */
#ifndef LIB_DURATION_H
#define LIB_DURATION_H

#include <stdint.h>

/* "45 s", "3 minutes", "2 hours", "2 days": whole ones, of the largest unit that there
 * are two of. The caller frees. */
char *duration_text(int64_t seconds);

#endif
