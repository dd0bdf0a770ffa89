/*
 * generate: a program of the build that prints what is made from the tables of options:
 *
 *     generate sample|man vgpu-agent|placementd
 */
#include <stdio.h>
#include <string.h>

#include "config/render.h"

int main(int argc, char **argv)
{
    static const struct render_page *const pages[] = {&render_vgpu_agent,
                                                      &render_placementd};
    for (size_t i = 0; argc == 3 && i < OPTION_COUNT(pages); i++) {
        if (strcmp(argv[2], pages[i]->program) != 0)
            continue;
        if (strcmp(argv[1], "sample") == 0)
            render_sample(stdout, pages[i]);
        else if (strcmp(argv[1], "man") == 0)
            render_man(stdout, pages[i], VERSION);
        else
            break;
        return fflush(stdout) == 0 ? 0 : 1;
    }
    fputs("usage: generate sample|man vgpu-agent|placementd\n", stderr);
    return 1;
}
