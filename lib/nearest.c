#include "lib/nearest.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#define LONGEST 63

static unsigned least3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Damerau and Levenshtein's distance, in its form of optimal string alignment. */
static unsigned distance(const char *a, const char *b)
{
    size_t rows = strnlen(a, LONGEST), columns = strnlen(b, LONGEST);
    unsigned d[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= rows; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= columns; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++)
        for (size_t j = 1; j <= columns; j++) {
            unsigned changed = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
            d[i][j] =
                least3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + changed);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]) && d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    return d[rows][columns];
}

/* Numbers are chosen, not misspelt: who writes nvidia-99 does not mean nvidia-39. */
static bool differ_in_numbers_only(const char *a, const char *b)
{
    bool numbers = false;
    for (;;) {
        size_t x = strspn(a, "0123456789"), y = strspn(b, "0123456789");
        numbers |= x > 0;
        a += x;
        b += y;
        if ((x > 0) != (y > 0) || !same_letter(*a, *b))
            return false;
        if (!*a)
            return numbers;
        a++;
        b++;
    }
}

/* Two neighbours have changed places. */
static bool is_swapped(const char *a, const char *b)
{
    for (; *a && same_letter(*a, *b); a++, b++)
        ;
    return *a && a[1] && same_letter(a[0], b[1]) && same_letter(a[1], b[0]) &&
           strcasecmp(a + 2, b + 2) == 0;
}

/* How unlikely it is that `name` was meant; UINT_MAX: it was not. */
static unsigned farness(const char *word, const char *name)
{
    size_t length = strlen(word);
    if (length == 0)
        return UINT_MAX;
    if (strcasecmp(word, name) == 0)
        return 0;
    if (differ_in_numbers_only(word, name))
        return is_swapped(word, name) ? 1 : UINT_MAX;
    if (strncasecmp(word, name, length) == 0)
        return 1;
    unsigned far = distance(word, name), allowed = (unsigned)(length + 3) / 4;
    return far <= (allowed < 3 ? allowed : 3) ? far : UINT_MAX;
}

void nearest_names(const char *word, const char *const *names, size_t count,
                   struct strlist *out)
{
    for (unsigned wanted = 0, added = 0; wanted <= 3; wanted++)
        for (size_t i = 0; i < count && added < NEAREST_MOST; i++)
            if (farness(word, names[i]) == wanted) {
                strlist_add(out, names[i]);
                added++;
            }
}
