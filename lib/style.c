#include "lib/style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/printable.h"
#include "lib/table.h"
#include "lib/xalloc.h"

/* A window that is narrower gets lines that do not fit: there is no room for words. */
#define LEAST_WIDTH 40
#define BAR_CELLS 10

/* SGR sequences of ECMA-48. The colours are those of the terminal's own palette, which
 * its user can read; none is the only sign of anything. */
static const char *const sequences[] = {
    [TONE_GOOD] = "\033[32m", [TONE_WARNING] = "\033[33m", [TONE_BAD] = "\033[1;31m",
    [TONE_TITLE] = "\033[1m", [TONE_FAINT] = "\033[2m",
};

bool style_is_terminal(FILE *out)
{
    const char *term = getenv("TERM");
    int fd = fileno(out);
    return fd >= 0 && isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

struct style style_plain(void)
{
    return (struct style){.on = false, .width = TABLE_WIDTH};
}

struct style style_of(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR");
    struct winsize window;
    struct style style = style_plain();
    if (!style_is_terminal(out) || (no_colour && *no_colour))
        return style;
    style.on = true;
    /* A serial line does not know its width. */
    if (ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        style.width = window.ws_col > LEAST_WIDTH ? window.ws_col : LEAST_WIDTH;
    return style;
}

void style_begin(const struct style *style, enum tone tone, FILE *out)
{
    if (style->on && tone != TONE_PLAIN)
        fputs(sequences[tone], out);
}

void style_end(const struct style *style, enum tone tone, FILE *out)
{
    if (style->on && tone != TONE_PLAIN)
        fputs("\033[0m", out);
}

void style_put(const struct style *style, enum tone tone, const char *text, FILE *out)
{
    _cleanup_free_ char *shown = printable_copy(text);
    style_begin(style, tone, out);
    fputs(shown, out);
    style_end(style, tone, out);
}

/* How many cells stand for `part` of `whole`: at least one for what is not 0, and not
 * all of them for what is less. */
static int cells_of(int64_t part, int64_t whole)
{
    if (part <= 0)
        return 0;
    if (part >= whole)
        return BAR_CELLS;
    int cells = (int)((double)part * BAR_CELLS / (double)whole + 0.5);
    return cells < 1 ? 1 : cells < BAR_CELLS ? cells : BAR_CELLS - 1;
}

char *style_bar(const struct style *style, int64_t used, int64_t reserved,
                int64_t total)
{
    if (!style->on || total <= 0 || used < 0 || reserved < 0)
        return xstrdup("");
    int filled = cells_of(used, total);
    int taken = cells_of(used < total - reserved ? used + reserved : total, total);
    char bar[BAR_CELLS + 1];
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = (char)(i < filled ? '#' : i < taken ? '=' : '.');
    bar[BAR_CELLS] = '\0';
    return xasprintf("[%s]", bar);
}
