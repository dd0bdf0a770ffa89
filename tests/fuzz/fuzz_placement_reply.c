/* libFuzzer: any bytes as what Placement, Keystone or a proxy answers: the error texts,
 * and each reader of a reply; and as the file of an export, which has the same parts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "placement/client/error_body.h"
#include "placement/client/keystone.h"
#include "placement/codec.h"
#include "placement/server/auth/token_check.h"
#include "placement/transfer/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_lists(struct json_object *json)
{
    struct provider *providers;
    struct class_inventory *inventories;
    struct provider_allocation *allocations;
    struct class_usage *usages;
    size_t count;
    int64_t generation;
    struct error err;
    if (codec_read_providers(json, &providers, &count, &err) == 0)
        providers_free(providers, count);
    if (codec_read_inventories(json, &inventories, &count, &generation, &err) == 0)
        class_inventories_free(inventories, count);
    if (codec_read_provider_allocations(json, &allocations, &count, &generation,
                                        &err) == 0)
        provider_allocations_free(allocations, count);
    if (codec_read_usages(json, &usages, &count, &err) == 0)
        class_usages_free(usages, count);
}

static void read_traits(struct json_object *json)
{
    struct strlist traits = {0};
    int64_t generation;
    struct error err;
    if (codec_read_traits(json, &traits, &generation, &err) == 0)
        strlist_clear(&traits);
    if (codec_read_traits(json, &traits, NULL, &err) == 0)
        strlist_clear(&traits);
}

/* What placementd asks Keystone about its clients' tokens. */
static void read_facts(const char *text, size_t length)
{
    struct token_facts facts = {0};
    struct error err = {0};
    if (token_facts_parse(text, length, &facts, &err) != 0 && !err.text[0])
        abort();
    token_facts_clear(&facts);
}

static void read_document(struct json_object *json)
{
    struct snapshot snapshot = {0};
    struct error err = {0};
    if (document_parse(json, &snapshot, &err) != 0 && !err.text[0])
        abort();
    snapshot_clear(&snapshot);
}

static void read_keystone(struct json_object *json)
{
    static const struct placement_config options = {.region_name = (char *)"One"};
    struct keystone_token token;
    char *url;
    struct error err;
    if (keystone_read_token(json, &token, &err) == 0)
        (void)keystone_renew_after(&token);
    if (keystone_read_endpoint(json, &options, &url, &err) == 0)
        free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = xstrndup((const char *)data, size);
    size_t length = strlen(text);
    struct error_body body = error_body_parse(text, length, NULL);
    if (strlen(body.text) >= sizeof body.text || strpbrk(body.text, "\n\r\x1b"))
        abort();
    _cleanup_json_ struct json_object *json = NULL;
    if (json_parse((const char *)data, size, &json, NULL) != 0)
        return 0;
    read_facts((const char *)data, size);
    read_lists(json);
    read_traits(json);
    read_keystone(json);
    read_document(json);
    return 0;
}
