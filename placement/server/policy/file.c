#include "placement/server/policy/file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/cleanup.h"
#include "lib/files.h"
#include "lib/json_read.h"

#define MAX_SIZE (1 << 20)

static void begin(yaml_parser_t *parser, const char *text, size_t length)
{
    if (!yaml_parser_initialize(parser))
        abort();
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, length);
}

/* ---- tabs, which oslo.policy's YAML does not take between words, and libyaml does ---- */

/* Goes on by so many characters, as libyaml counts. */
static const char *forward(const char *at, const char *end, size_t characters)
{
    for (; characters > 0 && at < end; characters--)
        do
            at++;
        while (at < end && ((unsigned char)*at & 0xc0) == 0x80);
    return at;
}

/* The first tab that is in no comment; NULL where there is none. */
static const char *tab_between_words(const char *from, const char *to)
{
    bool comment = false;
    for (const char *at = from; at < to; at++) {
        comment = *at != '\n' && (comment || *at == '#');
        if (*at == '\t' && !comment)
            return at;
    }
    return NULL;
}

static const char *find_tab(yaml_parser_t *parser, const char *at, const char *end)
{
    const char *tab = NULL;
    size_t index = 0;
    for (bool last = false; !tab && !last;) {
        yaml_token_t token;
        if (!yaml_parser_scan(parser, &token))
            break;
        size_t begins = token.start_mark.index, ends = token.end_mark.index;
        const char *start = forward(at, end, begins > index ? begins - index : 0);
        tab = tab_between_words(at, start);
        index = begins > index ? begins : index;
        at = forward(start, end, ends > index ? ends - index : 0);
        index = ends > index ? ends : index;
        if (!tab && token.type == YAML_SCALAR_TOKEN &&
            token.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
            tab = memchr(start, '\t', (size_t)(at - start));
        last = token.type == YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
    }
    return tab ? tab : tab_between_words(at, end);
}

/* oslo.policy looks whether the text is JSON first, which takes them. */
static bool is_json(const char *text, size_t length)
{
    _cleanup_json_ struct json_object *json = NULL;
    return json_parse(text, length, &json, NULL) == 0;
}

static int check_tabs(const char *text, size_t length, struct error *err)
{
    yaml_parser_t parser;
    size_t line = 1;
    begin(&parser, text, length);
    const char *tab = find_tab(&parser, text, text + length);
    yaml_parser_delete(&parser);
    for (const char *at = text; tab && at < tab; at++)
        line += *at == '\n';
    if (!tab || is_json(text, length))
        return 0;
    return error_set(err, ERROR_INVALID,
                     "line %zu: a tab between words, where YAML wants blanks", line);
}

/* ---- the document ---- */

static const char *scalar(yaml_document_t *document, int index)
{
    const yaml_node_t *node = yaml_document_get_node(document, index);
    return node && node->type == YAML_SCALAR_NODE
               ? (const char *)node->data.scalar.value
               : NULL;
}

static int take_document(yaml_document_t *document, policy_file_taker *take,
                         void *context, struct error *err)
{
    yaml_node_t *root = yaml_document_get_root_node(document);
    /* An empty file, or one with nothing but comments, has no rules. */
    if (!root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0))
        return 0;
    if (root->type != YAML_MAPPING_NODE)
        return error_set(err, ERROR_INVALID, "expected a mapping of names to rules");
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        const char *name = scalar(document, pair->key);
        const char *rule = scalar(document, pair->value);
        if (!name || !rule)
            return error_set(err, ERROR_INVALID, "rule %s: expected a text",
                             name ? name : "?");
        if (take(context, name, rule, err) != 0)
            return -1;
    }
    return 0;
}

static int syntax_error(const yaml_parser_t *parser, struct error *err)
{
    return error_set(err, ERROR_INVALID, "line %zu: %s", parser->problem_mark.line + 1,
                     parser->problem ? parser->problem : "no YAML");
}

/* A second document would be rules that nobody heeds. */
static int check_end(yaml_parser_t *parser, struct error *err)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return syntax_error(parser, err);
    bool is_end = !yaml_document_get_root_node(&document);
    size_t line = document.start_mark.line + 1;
    yaml_document_delete(&document);
    return is_end ? 0
                  : error_set(err, ERROR_INVALID,
                              "line %zu: a second document begins (---), and a file of "
                              "rules is one",
                              line);
}

int policy_file_parse(const char *text, size_t length, policy_file_taker *take,
                      void *context, struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    int rc = -1;
    begin(&parser, text, length);
    if (!yaml_parser_load(&parser, &document)) {
        rc = syntax_error(&parser, err);
    } else {
        if (check_end(&parser, err) == 0 && check_tabs(text, length, err) == 0)
            rc = take_document(&document, take, context, err);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return rc;
}

int policy_file_read(const char *path, policy_file_taker *take, void *context,
                     struct error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t length;
    if (file_read_at(AT_FDCWD, path, MAX_SIZE, &text, &length, err) != 0)
        return -1;
    if (policy_file_parse(text, length, take, context, err) != 0)
        return error_prefix(err, "%s", path);
    return 0;
}
