/* libFuzzer: any bytes as a policy file: the YAML, the language of its rules, and each
 * rule asked by somebody.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/server/policy/check.h"
#include "placement/server/policy/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One rule of the file is what all names of rules stand for. */
static const struct policy_check *same_rule(const void *context, const char *name)
{
    (void)name;
    return context;
}

static int ask(void *context, const char *name, const char *rule, struct error *err)
{
    (void)context, (void)name;
    char user[] = "u", project[] = "p", roles[] = "admin,member , reader";
    const struct identity identity = {
        .user_id = user, .project_id = project, .roles = roles};
    _cleanup_(policy_check_freep) struct policy_check *check = NULL;
    if (policy_check_parse(rule, &check, err) != 0)
        return err->text[0] ? 0 : (abort(), -1);
    const struct policy_question question = {.identity = &identity,
                                             .project_id = project,
                                             .user_id = user,
                                             .rule = same_rule,
                                             .context = check};
    (void)policy_check_allows(check, &question);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    if (policy_file_parse((const char *)data, size, ask, NULL, &err) != 0 &&
        !err.text[0])
        abort();
    return 0;
}
