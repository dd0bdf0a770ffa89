/* render: whatever is in the tables is in help, sample and manual; the samples load. */
#include "config/render.h"

#include <stdlib.h>
#include <string.h>

#include "config/placementd_options.h"
#include "lib/xalloc.h"
#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

typedef void renderer(FILE *out, const struct render_page *page);

static void man(FILE *out, const struct render_page *page)
{
    render_man(out, page, "0.0");
}

static char *render(renderer *function, const struct render_page *page)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    function(out, page);
    fclose(out);
    return text;
}

static bool is_among(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Every option's name, as it stands between `before` and `after`; those of the sections
 * `without` need not be there. */
static void assert_all_there(const struct render_page *page, const char *text,
                             const char *const *without, const char *before,
                             const char *after)
{
    for (size_t i = 0; i < page->part_count; i++)
        for (size_t j = 0; j < page->parts[i].table->option_count; j++) {
            const struct option_spec *option = &page->parts[i].table->options[j];
            const char *section =
                page->parts[i].section ? page->parts[i].section : option->section;
            const char *name = option->name;
            if (is_among(without, section))
                continue;
            char *wanted = xasprintf("%s%s%s", before, name, after);
            if (!strstr(text, wanted))
                fail_msg("%s is not there", name);
            free(wanted);
        }
}

static void every_option_is_in_every_form(void **state)
{
    (void)state;
    static const struct render_page *const pages[] = {&render_vgpu_agent,
                                                      &render_placementd};
    for (size_t i = 0; i < 2; i++) {
        char *help = render(render_help, pages[i]);
        char *sample = render(render_sample, pages[i]);
        char *manual = render(man, pages[i]);
        assert_all_there(pages[i], help, pages[i]->elsewhere, "\n    ", " ");
        assert_all_there(pages[i], sample, NULL, "\n#", " =");
        assert_all_there(pages[i], manual, NULL, "\n.B ", "\n");
        for (const char *const *name = pages[i]->elsewhere; *name; name++)
            assert_non_null(strstr(help, *name));
        assert_null(strstr(help, "auth_url"));
        free(help), free(sample), free(manual);
    }
}

static void lines_are_short(void **state)
{
    (void)state;
    char *sample = render(render_sample, &render_vgpu_agent);
    for (char *line = strtok(sample, "\n"); line; line = strtok(NULL, "\n"))
        assert_in_range(strlen(line), 1, 88);
    free(sample);
}

static bool is_commented(const char *line)
{
    return line[0] == '#' && line[1] != ' ';
}

/* The sample with every option and section taken in but auth_section, which would move
 * what stands there. */
static char *uncommented(const struct render_page *page)
{
    char *sample = render(render_sample, page), *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    for (char *line = strtok(sample, "\n"); line; line = strtok(NULL, "\n"))
        fprintf(out, "%s\n",
                is_commented(line) && strncmp(line, "#auth_section", 13) != 0 ? line + 1
                                                                              : line);
    fclose(out);
    free(sample);
    return text;
}

static void the_agents_sample_loads(void **state)
{
    (void)state;
    char *text = uncommented(&render_vgpu_agent);
    /* It says that nothing is written, and what else would be. */
    char *fixed = strstr(text, "\nfixed = true\n");
    memset(fixed, '\n', strlen("\nfixed = true"));
    /* The other types of the example. */
    const char *rest = strstr(text, "nvidia-35, nvidia-36\n") + 20;
    char *more = xasprintf("%.*s, mxgpu%s"
                           "[mdev_nvidia-36]\ndevice_addresses = 0000:86:00.0\n"
                           "[mdev_mxgpu]\ndevice_addresses = 0000:63:00.0\n",
                           (int)(rest - text), text, rest);
    struct config *config = load_text(more);
    assert_int_equal(config->types[0].max_instances, 8);
    assert_string_equal(config->placement.username, "placement");
    config_free(config);
    free(text), free(more);
}

static void the_commented_sample_is_the_default(void **state)
{
    (void)state;
    char *text = render(render_sample, &render_vgpu_agent);
    struct config *config = load_text(text);
    assert_null(config->placement.auth_type);
    assert_int_equal(config->type_count, 0);
    config_free(config);
    free(text);
}

static void placementds_sample_loads(void **state)
{
    (void)state;
    char *text = uncommented(&render_placementd), *folder = make_folder();
    struct strlist files = {0}, dirs = {0};
    struct config_problems problems = {0};
    struct placementd_config config = {0};
    strlist_add_take(&files, write_file(folder, "p.conf", text, strlen(text)));
    assert_int_equal(placementd_config_load(&files, &dirs, &config, &problems), 0);
    assert_int_equal(problems.count, 0);
    strlist_clear(&files);
    placementd_config_clear(&config);
    remove_folder(folder);
    free(text), free(folder);
}

/* roff takes a line that starts with '.' or '\'' for a command: only our own do. */
static void the_manual_has_no_stray_commands(void **state)
{
    (void)state;
    static const char *const commands[] = {".TH ", ".SH ", ".SS ", ".TP", ".B ",
                                           ".BR ", ".PP",  ".br",  ".nf", ".fi"};
    char *manual = render(man, &render_vgpu_agent);
    for (char *line = strtok(manual, "\n"); line; line = strtok(NULL, "\n")) {
        bool known = line[0] != '.' && line[0] != '\'';
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            known = known || strncmp(line, commands[i], strlen(commands[i])) == 0;
        if (!known)
            fail_msg("%s", line);
    }
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_in_every_form),
        cmocka_unit_test(lines_are_short),
        cmocka_unit_test(the_agents_sample_loads),
        cmocka_unit_test(the_commented_sample_is_the_default),
        cmocka_unit_test(placementds_sample_loads),
        cmocka_unit_test(the_manual_has_no_stray_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
