#include "placement/server/http/head.h"

#include <string.h>

bool head_has_nul(const char *head, size_t size)
{
    const char *end = head + size, *line = memchr(head, 0, size);
    while (line && line < end && *line == 0)
        line++;
    while (line && line < end && *line != '\r' && *line != '\n') {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (!feed)
            return false;
        if (memchr(line, 0, (size_t)(feed - line)))
            return true;
        line = feed + 1;
    }
    return false;
}

void head_begin(struct head *head, const char *version, const char *end)
{
    *head = (struct head){.at = version + strlen(version), .end = end};
}

/* Between `head->at` and `next` there are to be the ends of so many lines, each of one
 * NUL or two, and blanks. */
static void pass(struct head *head, const char *next, int lines)
{
    int nuls = 0;
    if (next < head->at || next > head->end) {
        head->unclear = true;
        return;
    }
    for (const char *at = head->at; at < next; at++) {
        nuls += *at == 0;
        if (*at != 0 && !strchr(" \t\r\n", *at))
            head->unclear = true;
    }
    if (nuls > 2 * lines)
        head->unclear = true;
}

void head_take(struct head *head, const char *name, const char *value)
{
    pass(head, name, 1);
    if (value < name || value > head->end)
        head->unclear = true;
    if (!head->unclear)
        head->at = value + strlen(value);
}

bool head_is_unclear(struct head *head)
{
    if (!head->unclear)
        pass(head, head->end, 2);
    return head->unclear;
}
