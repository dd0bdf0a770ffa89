#include "lib/text_copy.h"

#include <stdlib.h>
#include <string.h>

void text_copy(char *to, size_t size, const char *from)
{
    if (!memccpy(to, from, 0, size))
        abort();
}
