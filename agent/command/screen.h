/*
 * screen: the whole window of a terminal, for `watch`: a second screen beside the one
 * with the user's shell, as xterm's mode 1049 gives it, so that the terminal is
 * afterwards as it was. One thread.
 */
#ifndef AGENT_COMMAND_SCREEN_H
#define AGENT_COMMAND_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: not entered. */
struct screen {
    bool entered;
};

/* Both do nothing when that is so already. */
void screen_enter(struct screen *screen);
void screen_leave(struct screen *screen);

/* Shows the title and below it as many lines of the text as the window has; what there
 * is more is counted in the last line. Lines that are wider than the window are cut. */
void screen_draw(const char *title, const char *text, size_t length);

#endif
