#include "config/render.h"

#include <stdbool.h>
#include <string.h>

#include "config/value.h"
#include "lib/xalloc.h"

#define WIDTH 88

/* ---- walking a page: its sections, and the options of each ---- */

static const char *section_of(const struct render_part *part,
                              const struct option_spec *option)
{
    return part->section ? part->section : option->section;
}

typedef void print_section(FILE *out, const struct option_section *section);
typedef void print_option(FILE *out, const struct option_spec *option);

static bool is_among(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Walks over all sections except those `without`, which may be NULL. */
static void walk(FILE *out, const struct render_page *page, const char *const *without,
                 print_section *on_section, print_option *on_option)
{
    for (size_t i = 0; i < page->part_count; i++) {
        const struct option_table *table = page->parts[i].table;
        for (size_t j = 0; !page->parts[i].section && j < table->section_count; j++) {
            const struct option_section *section = &table->sections[j];
            if (is_among(without, section->name))
                continue;
            on_section(out, section);
            for (size_t k = 0; k < page->part_count; k++)
                for (size_t l = 0; l < page->parts[k].table->option_count; l++) {
                    const struct option_spec *option =
                        &page->parts[k].table->options[l];
                    if (strcmp(section_of(&page->parts[k], option), section->name) == 0)
                        on_option(out, option);
                }
        }
    }
}

/* ---- text ---- */

/* Writes `text` in lines of at most WIDTH, each starting with `indent`, and ends the
 * last line. */
static void put_wrapped(FILE *out, const char *indent, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column && column + 1 + length > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        fprintf(out, "%s%.*s", column ? " " : indent, (int)length, text);
        column += length + (column ? 1 : strlen(indent));
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}

static char *join_names(const char *const *names)
{
    struct strlist list = {0};
    for (; *names; names++)
        strlist_add(&list, *names);
    char *text = strlist_join(&list, ", ");
    strlist_clear(&list);
    return text;
}

/* What an option accepts, as "An integer from 1 to 9. Default: 3. Old name: x." The
 * caller frees. */
static char *facts(const struct option_spec *option)
{
    _cleanup_free_ char *accepted = value_accepted(option);
    _cleanup_free_ char *old = option->old_names ? join_names(option->old_names) : NULL;
    if (*accepted >= 'a' && *accepted <= 'z')
        *accepted -= 'a' - 'A';
    return xasprintf("%s. %s%s.%s%s%s%s", accepted,
                     option->default_value ? "Default: " : "Not set by default",
                     option->default_value ? option->default_value : "",
                     old ? " Old name: " : "", old ? old : "", old ? "." : "",
                     option->secret ? " A secret: it is never shown." : "");
}

/* ---- --help ---- */

static void help_section(FILE *out, const struct option_section *section)
{
    fprintf(out, "  [%s]\n", section->name);
}

/* Writes an option with the first sentence of its help, without the full stop and
 * without backquotes. */
static void help_option(FILE *out, const struct option_spec *option)
{
    fprintf(out, "    %-29s ", option->name);
    for (const char *c = option->help; *c && strncmp(c, ". ", 2) != 0; c++)
        if (*c != '`' && (*c != '.' || c[1]))
            fputc(*c, out);
    if (option->default_value)
        fprintf(out, " (%s)", option->default_value);
    fputc('\n', out);
}

void render_help(FILE *out, const struct render_page *page)
{
    fprintf(out, "Options of the files, with their defaults; more in %s(5):\n",
            page->file);
    walk(out, page, page->elsewhere, help_section, help_option);
    for (const char *const *name = page->elsewhere; *name; name++)
        fprintf(out, "  [%s]\n    as OpenStack's services have it; %s(5) lists it\n",
                *name, page->file);
}

/* ---- the sample file ---- */

static void sample_section(FILE *out, const struct option_section *section)
{
    fputc('\n', out);
    put_wrapped(out, "# ", section->help);
    fprintf(out, section->example ? "#[%s]\n" : "[%s]\n",
            section->example ? section->example : section->name);
}

static void sample_option(FILE *out, const struct option_spec *option)
{
    _cleanup_free_ char *text = facts(option);
    const char *value = option->default_value ? option->default_value
                        : option->example     ? option->example
                                              : "";
    fputc('\n', out);
    put_wrapped(out, "# ", option->help);
    put_wrapped(out, "# ", text);
    fprintf(out, "#%s =%s%s\n", option->name, *value ? " " : "", value);
}

void render_sample(FILE *out, const struct render_page *page)
{
    fprintf(out, "# %s: options of %s. Each is shown with its default, or with an\n",
            page->file, page->program);
    fprintf(out, "# example where it has none. %s(5) tells the same.\n", page->file);
    walk(out, page, NULL, sample_section, sample_option);
}

/* ---- the manual page ---- */

/* Writes text for roff: `code` becomes bold, and what roff would take for a command is
 * escaped. */
static void put_roff(FILE *out, const char *text)
{
    bool code = false, line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        line_start = *text == '\n';
        if (*text == '`')
            fputs((code = !code) ? "\\fB" : "\\fR", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
    fputc('\n', out);
}

static void put_paragraphs(FILE *out, const char *text)
{
    for (const char *end; (end = strstr(text, "\n\n")); text = end + 2) {
        _cleanup_free_ char *paragraph = xstrndup(text, (size_t)(end - text));
        put_roff(out, paragraph);
        fputs(".PP\n", out);
    }
    put_roff(out, text);
}

static void man_section(FILE *out, const struct option_section *section)
{
    fprintf(out, ".SS [%s]\n", section->name);
    put_roff(out, section->help);
}

static void man_option(FILE *out, const struct option_spec *option)
{
    _cleanup_free_ char *text = facts(option);
    fputs(".TP\n.B ", out);
    put_roff(out, option->name);
    put_roff(out, option->help);
    fputs(".br\n", out);
    put_roff(out, text);
}

static const char dialect[] =
    "The files are in the dialect of OpenStack's oslo.config. `[name]` starts a "
    "section; its case does not count. An option is a line `name = value`, and a line "
    "that starts with white space continues the value before it. `#` or `;` in the "
    "first column starts a comment; there are no comments behind values. A pair of "
    "quotes around the whole value is taken off, and says that what looks like a "
    "comment in it is meant so. Items of a list stand between commas. An option that "
    "stands twice has the later value, with a warning where it is in one file, and a "
    "later file wins over an earlier one. `$name` and `${section.name}` stand for the "
    "values of other options, `$$` for a dollar sign. An empty value means: not set. "
    "Files are in UTF-8.";

void render_man(FILE *out, const struct render_page *page, const char *version)
{
    fprintf(out, ".TH %s 5 \"\" \"%s %s\" \"File formats\"\n", page->file,
            page->program, version);
    fprintf(out, ".SH NAME\n%s \\- %s\n.SH DESCRIPTION\n", page->file, page->summary);
    put_paragraphs(out, page->intro);
    fputs(".PP\n", out);
    put_paragraphs(out, dialect);
    fputs(".SH OPTIONS\n", out);
    walk(out, page, NULL, man_section, man_option);
    fputs(".SH EXAMPLE\n.nf\n", out);
    put_roff(out, page->example);
    fprintf(out, ".fi\n.SH SEE ALSO\n.BR %s (8)\n", page->program);
}
