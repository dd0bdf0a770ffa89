#include "placement/server/policy/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strlist.h"
#include "lib/xalloc.h"

/* Bounds the parts that are evaluated to answer one question. */
#define MAX_STEPS 10000

enum kind { ALWAYS, NEVER, ALL, ANY, NOT, RULE, ROLE, VALUE };

struct policy_check {
    enum kind kind;
    char *word, *text;           /* of RULE, ROLE and VALUE: "WORD:TEXT" */
    struct policy_check **parts; /* of ALL, ANY and NOT */
    size_t part_count;
};

static struct policy_check *new_check(enum kind kind)
{
    struct policy_check *check = xcalloc(1, sizeof *check);
    check->kind = kind;
    return check;
}

void policy_check_free(struct policy_check *check)
{
    for (size_t i = 0; i < check->part_count; i++)
        policy_check_free(check->parts[i]);
    free(check->parts);
    free(check->word);
    free(check->text);
    free(check);
}

static void add_part(struct policy_check *check, struct policy_check *part)
{
    *array_add(check->parts, check->part_count) = part;
}

struct policy_check *policy_check_either(struct policy_check *a, struct policy_check *b)
{
    struct policy_check *check = new_check(ANY);
    add_part(check, a);
    add_part(check, b);
    return check;
}

/* ---- parsing ---- */

/* Splits a rule into words. Parentheses at the ends of a word are tokens of their own;
 * those inside a word, as in "%(project_id)s", are not. */
static struct strlist tokens_of(const char *rule)
{
    struct strlist tokens = {0};
    while (*(rule += strspn(rule, " \t\r\n"))) {
        size_t length = strcspn(rule, " \t\r\n"), closing = 0;
        for (; length > 0 && *rule == '('; rule++, length--)
            strlist_add(&tokens, "(");
        while (closing < length && rule[length - closing - 1] == ')')
            closing++;
        if (length > closing)
            strlist_add_take(&tokens, xstrndup(rule, length - closing));
        for (size_t i = 0; i < closing; i++)
            strlist_add(&tokens, ")");
        rule += length;
    }
    return tokens;
}

struct parser {
    struct strlist tokens;
    size_t at;
    int depth;
};

static bool take(struct parser *parser, const char *word)
{
    if (parser->at == parser->tokens.count ||
        strcasecmp(parser->tokens.items[parser->at], word) != 0)
        return false;
    parser->at++;
    return true;
}

static int parse_any(struct parser *parser, struct policy_check **out,
                     struct error *err);

/* oslo.policy takes it for a text, of which it makes no check. */
static bool is_quoted(const char *token)
{
    size_t length = strlen(token);
    return length > 1 && strchr("'\"", *token) && token[length - 1] == *token;
}

static int parse_word(const char *token, struct policy_check **out, struct error *err)
{
    const char *colon = strchr(token, ':');
    if (strcmp(token, "@") == 0 || strcmp(token, "!") == 0) {
        *out = new_check(*token == '@' ? ALWAYS : NEVER);
        return 0;
    }
    if (!colon || is_quoted(token))
        return error_set(err, ERROR_INVALID, "'%s': expected WORD:TEXT, @ or !", token);
    _cleanup_free_ char *word = xstrndup(token, (size_t)(colon - token));
    if (strcmp(word, "http") == 0 || strcmp(word, "https") == 0)
        return error_set(err, ERROR_INVALID,
                         "'%s': rules that ask another server are not supported",
                         token);
    *out = new_check(strcmp(word, "rule") == 0   ? RULE
                     : strcmp(word, "role") == 0 ? ROLE
                                                 : VALUE);
    (*out)->word = steal(word);
    (*out)->text = xstrdup(colon + 1);
    return 0;
}

static int parse_one(struct parser *parser, struct policy_check **out,
                     struct error *err)
{
    if (++parser->depth > POLICY_CHECK_DEPTH)
        return error_set(err, ERROR_INVALID, "more than %d levels", POLICY_CHECK_DEPTH);
    if (parser->at == parser->tokens.count)
        return error_set(err, ERROR_INVALID, "it ends too early");
    int rc = 0;
    if (take(parser, "not")) {
        struct policy_check *part;
        rc = parse_one(parser, &part, err);
        if (rc == 0) {
            *out = new_check(NOT);
            add_part(*out, part);
        }
    } else if (take(parser, "(")) {
        _cleanup_(policy_check_freep) struct policy_check *part = NULL;
        rc = parse_any(parser, &part, err);
        if (rc == 0 && !take(parser, ")"))
            rc = error_set(err, ERROR_INVALID, "a parenthesis is not closed");
        if (rc == 0)
            *out = steal(part);
    } else {
        rc = parse_word(parser->tokens.items[parser->at++], out, err);
    }
    parser->depth--;
    return rc;
}

/* Parses parts that are joined by the same word, `and` or `or`. */
static int parse_list(struct parser *parser, enum kind kind, const char *word,
                      int (*parse_part)(struct parser *parser,
                                        struct policy_check **out, struct error *err),
                      struct policy_check **out, struct error *err)
{
    _cleanup_(policy_check_freep) struct policy_check *list = new_check(kind);
    do {
        struct policy_check *part;
        if (parse_part(parser, &part, err) != 0)
            return -1;
        add_part(list, part);
    } while (take(parser, word));
    *out = steal(list);
    return 0;
}

static int parse_all(struct parser *parser, struct policy_check **out,
                     struct error *err)
{
    return parse_list(parser, ALL, "and", parse_one, out, err);
}

static int parse_any(struct parser *parser, struct policy_check **out,
                     struct error *err)
{
    return parse_list(parser, ANY, "or", parse_all, out, err);
}

int policy_check_parse(const char *text, struct policy_check **out, struct error *err)
{
    struct parser parser = {.tokens = tokens_of(text)};
    _cleanup_(policy_check_freep) struct policy_check *check = NULL;
    int rc = 0;
    if (parser.tokens.count == 0)
        check = new_check(ALWAYS);
    else
        rc = parse_any(&parser, &check, err);
    if (rc == 0 && parser.at < parser.tokens.count)
        rc = error_set(err, ERROR_INVALID, "'%s' is not expected there",
                       parser.tokens.items[parser.at]);
    strlist_clear(&parser.tokens);
    if (rc == 0)
        *out = steal(check);
    return rc;
}

int policy_check_references(const struct policy_check *check,
                            int (*tell)(void *context, const char *name,
                                        struct error *err),
                            void *context, struct error *err)
{
    if (check->kind == RULE)
        return tell(context, check->text, err);
    for (size_t i = 0; i < check->part_count; i++)
        if (policy_check_references(check->parts[i], tell, context, err) != 0)
            return -1;
    return 0;
}

/* ---- evaluating ---- */

/* The text with "%(name)s" replaced by attributes of the target; NULL when the target
 * has no such attribute. The caller frees. */
static char *expand(const char *text, const struct policy_question *question)
{
    char *out = xstrdup("");
    while (*text) {
        size_t plain = strcspn(text, "%");
        const char *value = "";
        size_t taken = 0;
        if (strncmp(text + plain, "%(project_id)s", 14) == 0) {
            value = question->project_id ? question->project_id : "None";
            taken = 14;
        } else if (strncmp(text + plain, "%(user_id)s", 11) == 0) {
            value = question->user_id;
            taken = 11;
        } else if (text[plain]) {
            value = NULL;
        }
        if (!value) {
            free(out);
            return NULL;
        }
        char *longer = xasprintf("%s%.*s%s", out, (int)plain, text, value);
        free(out);
        out = longer;
        text += plain + taken;
    }
    return out;
}

/* `compare`: strncmp(), or strncasecmp() where case does not count. */
static bool has_role(const char *roles, const char *wanted,
                     int (*compare)(const char *, const char *, size_t))
{
    size_t length = strlen(wanted);
    while (roles && *(roles += strspn(roles, " ,"))) {
        size_t role = strcspn(roles, ",");
        const char *next = roles + role;
        while (role > 0 && isspace((unsigned char)roles[role - 1]))
            role--;
        if (role == length && compare(roles, wanted, length) == 0)
            return true;
        roles = next;
    }
    return false;
}

static bool is_literal(const char *word)
{
    return strcmp(word, "True") == 0 || strcmp(word, "False") == 0 ||
           strcmp(word, "None") == 0 || (*word && !word[strspn(word, "0123456789")]);
}

/* The attribute of the identity of that name, as Python would write it; NULL when there
 * is no such attribute. */
static const char *known(const struct identity *identity, const char *word)
{
    const struct {
        const char *name, *value;
    } facts[] = {
        {"user_id", identity->user_id},
        {"project_id", identity->project_id},
        {"domain_id", identity->domain_id},
        {"system_scope", identity->system_scope},
        {"user_domain_id", identity->user_domain_id},
        {"project_domain_id", identity->project_domain_id},
        {"is_admin_project", identity->outside_admin_project ? "False" : "True"},
        {"service_user_id", NULL},
        {"service_user_domain_id", NULL},
        {"service_project_id", NULL},
        {"service_project_domain_id", NULL},
    };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (strcmp(facts[i].name, word) == 0)
            return facts[i].value ? facts[i].value : "None";
    /* oslo.policy's older name, which is there with such a scope alone. */
    if (strcmp(word, "system") == 0)
        return identity->system_scope;
    return is_literal(word) ? word : NULL;
}

static bool value_matches(const struct policy_check *check, const char *text,
                          const struct identity *identity)
{
    const char *word = check->word, *value = known(identity, word);
    size_t length = strlen(word);
    /* As any other word whose value is a list: one of them is to be the text. */
    if (strcmp(word, "roles") == 0)
        return has_role(identity->roles, text, strncmp);
    if (length >= 2 && (*word == '\'' || *word == '"') && word[length - 1] == *word)
        return strlen(text) == length - 2 && strncmp(word + 1, text, length - 2) == 0;
    return value && strcmp(value, text) == 0;
}

/* policy.c refuses rules that refer to themselves, and chains that are too long. A small
 * text of many rules can still take too many steps, and then allows nothing. */
struct evaluation {
    const struct policy_question *question;
    const struct policy_check *rule; /* the one that is evaluated */
    int depth, steps;
};

static bool allows(const struct policy_check *check, struct evaluation *evaluation);

static bool rule_allows(const char *name, struct evaluation *evaluation)
{
    const struct policy_question *question = evaluation->question;
    const struct policy_check *rule = question->rule(question->context, name);
    const struct policy_check *outer = evaluation->rule;
    if (evaluation->depth == POLICY_CHECK_DEPTH)
        evaluation->steps = MAX_STEPS + 1;
    if (!rule || rule == outer || evaluation->depth == POLICY_CHECK_DEPTH)
        return false;
    evaluation->depth++;
    evaluation->rule = rule;
    bool result = allows(rule, evaluation);
    evaluation->rule = outer;
    evaluation->depth--;
    return result;
}

static bool word_allows(const struct policy_check *check,
                        const struct policy_question *question)
{
    _cleanup_free_ char *text = expand(check->text, question);
    if (!text)
        return false;
    return check->kind == ROLE ? has_role(question->identity->roles, text, strncasecmp)
                               : value_matches(check, text, question->identity);
}

static bool allows(const struct policy_check *check, struct evaluation *evaluation)
{
    if (evaluation->steps++ >= MAX_STEPS)
        return false;
    switch (check->kind) {
    case ALWAYS:
        return true;
    case NEVER:
        return false;
    case NOT:
        return !allows(check->parts[0], evaluation);
    case ALL:
    case ANY:
        for (size_t i = 0; i < check->part_count; i++)
            if (allows(check->parts[i], evaluation) == (check->kind == ANY))
                return check->kind == ANY;
        return check->kind == ALL;
    case RULE:
        return rule_allows(check->text, evaluation);
    default:
        return word_allows(check, evaluation->question);
    }
}

bool policy_check_allows(const struct policy_check *check,
                         const struct policy_question *question)
{
    struct evaluation evaluation = {.question = question, .rule = check};
    bool result = allows(check, &evaluation);
    /* Once the steps were used up the result means nothing: a part that was not
     * evaluated may stand below a "not". */
    return result && evaluation.steps <= MAX_STEPS;
}
