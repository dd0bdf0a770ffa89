#include "placement/server/policy/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <yaml.h>

#include "lib/cleanup.h"
#include "lib/files.h"

#define MAX_SIZE (1 << 20)

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

int policy_file_parse(const char *text, size_t length, policy_file_taker *take,
                      void *context, struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        abort();
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    int rc;
    if (!yaml_parser_load(&parser, &document)) {
        rc = error_set(err, ERROR_INVALID, "line %zu: %s", parser.problem_mark.line + 1,
                       parser.problem ? parser.problem : "no YAML");
    } else {
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
