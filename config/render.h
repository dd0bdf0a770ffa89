/*
 * render: what people read about options, from the tables that the parser uses: the
 * options' part of --help, the sample file, and the manual page. Stateless; only writes
 * to `out`.
 */
#ifndef CONFIG_RENDER_H
#define CONFIG_RENDER_H

#include <stdio.h>

#include "config/options.h"

struct render_part {
    const struct option_table *table;
    const char *section; /* stands in place of the options' own; NULL: as they are */
};

/* What is said of one program's files. */
struct render_page {
    const char *file;      /* "vgpu-agent.conf" */
    const char *program;   /* "vgpu-agent" */
    const char *summary;   /* for the manual's first line */
    const char *intro;     /* paragraphs, separated by an empty line */
    const char *example;   /* a whole small file */
    const char *elsewhere; /* a section that --help only names: its options are another
                              program's, and many; NULL: none */
    const struct render_part *parts;
    size_t part_count;
};

extern const struct render_page render_vgpu_agent, render_placementd;

/* Each option with the first sentence of its help. */
void render_help(FILE *out, const struct render_page *page);
/* Every option, commented out, with help and default. */
void render_sample(FILE *out, const struct render_page *page);
/* The manual page, in roff; `version` stands at its foot. */
void render_man(FILE *out, const struct render_page *page, const char *version);

#endif
