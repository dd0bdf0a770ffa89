#include "agent/command/screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define USUAL_ROWS 24

/* The second screen, without a cursor, and where long lines do not go on in the next
 * row; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

static void send(const char *sequence)
{
    fputs(sequence, stdout);
    (void)fflush(stdout);
}

void screen_enter(struct screen *screen)
{
    if (!screen->entered)
        send(ENTER);
    screen->entered = true;
}

void screen_leave(struct screen *screen)
{
    if (screen->entered)
        send(LEAVE);
    screen->entered = false;
}

static size_t rows(void)
{
    struct winsize window;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 3)
        return window.ws_row;
    return USUAL_ROWS;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == '\n' || i == length - 1;
    return count;
}

/* The next line, without its end; *text and *length are moved behind it. */
static void draw_line(const char **text, size_t *length)
{
    const char *end = memchr(*text, '\n', *length);
    size_t size = end ? (size_t)(end - *text) : *length;
    fputc('\n', stdout);
    fwrite(*text, 1, size, stdout);
    fputs(CLEAR_LINE, stdout);
    size += end ? 1 : 0;
    *text += size;
    *length -= size;
}

/* Draws over what was there instead of clearing it first, which would flicker. */
void screen_draw(const char *title, const char *text, size_t length)
{
    size_t room = rows() - 2, lines = count_lines(text, length);
    size_t shown = lines <= room ? lines : room - 1;
    fputs(HOME, stdout);
    fputs(title, stdout);
    fputs(CLEAR_LINE "\n" CLEAR_LINE, stdout);
    for (size_t i = 0; i < shown; i++)
        draw_line(&text, &length);
    if (shown < lines)
        fprintf(stdout, "\n%zu more lines" CLEAR_LINE, lines - shown);
    fputs(CLEAR_BELOW, stdout);
    (void)fflush(stdout);
}
