/*
 * lower_bound: where something is, or would have to be put, in what is sorted already.
 * bsearch(3) finds only what is there, and calls a function for each step.
 *
 *     size_t at = lower_bound(i, list->count, list->items[i]->id < id);
 *     bool found = at < list->count && list->items[at]->id == id;
 */
#ifndef LIB_LOWER_BOUND_H
#define LIB_LOWER_BOUND_H

#include <stddef.h>

/* How many of the `count` items come before the one that is looked for. `before` is an
 * expression of the index, which gets the name `i`; it must be true up to one place and
 * false from there on. It is evaluated about log2(count) times. */
#define lower_bound(i, count, before)             \
    ({                                            \
        size_t low_ = 0, high_ = (count);         \
        while (low_ < high_) {                    \
            size_t i = low_ + (high_ - low_) / 2; \
            if (before)                           \
                low_ = i + 1;                     \
            else                                  \
                high_ = i;                        \
        }                                         \
        low_;                                     \
    })

#endif
