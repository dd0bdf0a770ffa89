#include "config/environment.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"

static char *lower_case(const char *text, size_t length)
{
    char *lower = xstrndup(text, length);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return lower;
}

static void take(struct ini *ini, const char *variable,
                 struct config_problems *problems)
{
    const char *value = strchr(variable, '=');
    const char *section = variable + strlen("OS_"), *middle = strstr(section, "__");
    if (!value || !middle || middle >= value || middle == section)
        return;
    const char *option = middle + strlen("__");
    _cleanup_free_ char *name = xstrndup(variable, (size_t)(value - variable));
    if (strpbrk(value, "\r\n")) {
        config_error(problems, NULL, "%s: expected one line", name);
        return;
    }
    _cleanup_free_ char *section_name = lower_case(section, (size_t)(middle - section));
    _cleanup_free_ char *option_name = lower_case(option, (size_t)(value - option));
    _cleanup_free_ char *text =
        xasprintf("[%s]\n%s = %s\n", section_name, option_name, value + 1);
    ini_read_text(ini, name, text, strlen(text), problems);
    explicit_bzero(text, strlen(text));
}

void environment_read(struct ini *ini, struct config_problems *problems)
{
    for (char **variable = environ; variable && *variable; variable++)
        if (strncmp(*variable, "OS_", 3) == 0)
            take(ini, *variable, problems);
}
