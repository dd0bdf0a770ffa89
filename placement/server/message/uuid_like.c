#include "placement/server/message/uuid_like.h"

#include <ctype.h>
#include <string.h>

/* Removes all occurrences of `word`, as upstream does. */
static void drop(char *text, const char *word)
{
    char *found;
    while ((found = strstr(text, word)))
        memmove(found, found + strlen(word), strlen(found + strlen(word)) + 1);
}

bool uuid_like(const char *text, char out[UUID_TEXT_SIZE])
{
    char digits[64];
    if (strlen(text) >= sizeof digits)
        return false;
    strncpy(digits, text, sizeof digits);
    drop(digits, "urn:");
    drop(digits, "uuid:");
    char *start = digits + strspn(digits, "{}");
    char *end = start + strlen(start);
    while (end > start && (end[-1] == '{' || end[-1] == '}'))
        *--end = 0;
    drop(start, "-");
    if (strlen(start) != 32 || strspn(start, "0123456789abcdefABCDEF") != 32)
        return false;
    if (!out)
        return true;
    for (size_t i = 0, at = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[at++] = '-';
        out[at++] = (char)tolower((unsigned char)start[i]);
    }
    out[UUID_TEXT_SIZE - 1] = 0;
    return true;
}
