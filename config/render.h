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
    /* replaces the section of the options; NULL: it is not replaced */
    const char *section;
};

/* The texts about the files of one program. */
struct render_page {
    const char *file;    /* "vgpu-agent.conf" */
    const char *program; /* "vgpu-agent" */
    const char *summary; /* for the manual's first line */
    const char *intro;   /* paragraphs, separated by an empty line */
    const char *example; /* a whole small file */
    /* Sections that --help only mentions, since they have many options, as other
     * programs have them; NULL at the end. */
    const char *const *elsewhere;
    const struct render_part *parts;
    size_t part_count;
};

extern const struct render_page render_vgpu_agent, render_placementd;

/* Writes the options for --help, each with the first sentence of its help. */
void render_help(FILE *out, const struct render_page *page);
/* Writes the sample file: every option, commented out, with help and default. */
void render_sample(FILE *out, const struct render_page *page);
/* Writes the manual page, in roff, with `version` at its foot. */
void render_man(FILE *out, const struct render_page *page, const char *version);

#endif
