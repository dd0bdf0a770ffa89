#include "lib/page.h"

#include <stddef.h>

/* Nothing is taken for another type than it has, no address goes to other servers, and
 * no page of another server gets at what is here. */
const struct page_header page_headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {NULL, NULL},
};
