#include "tests/unit/agent/tree/fetch_rig.h"

#include <stdlib.h>
#include <string.h>

#include "agent/state/journal_read.h"
#include "agent/state/journal_write.h"
#include "lib/xalloc.h"
#include "tests/unit/test.h"

void rig_open(struct rig *rig)
{
    *rig = (struct rig){.peer = peer_new(), .journal = journal_new(), .now = 1000};
    rig->config.agent.root_provider_name = (char *)"host";
    rig->config.placement.auth_type = (char *)"noauth";
    rig->config.placement.endpoint = (char *)peer_url(rig->peer);
    assert_ok(placement_client_new(&rig->config.placement, &rig->client, &rig->err),
              &rig->err);
    rig->fetch = placement_fetch_new(rig->client, &rig->config, rig->journal);
    peer_ok(rig->peer, "{\"versions\": [{\"min_version\": \"1.0\", \"max_version\": "
                       "\"1.39\"}]}");
    rig->seen = 1;
}

void rig_close(struct rig *rig)
{
    placement_fetch_free(rig->fetch);
    journal_free(rig->journal);
    placement_client_free(rig->client);
    peer_free(rig->peer);
}

void rig_restart(struct rig *rig)
{
    size_t length;
    _cleanup_free_ char *text = journal_write(rig->journal, &length);
    journal_free(rig->journal);
    assert_ok(journal_read(text, length, &rig->journal, &rig->err), &rig->err);
    placement_fetch_free(rig->fetch);
    rig->fetch = placement_fetch_new(rig->client, &rig->config, rig->journal);
}

int rig_fetch(struct rig *rig)
{
    return placement_fetch_tree(rig->fetch, rig->now, &rig->observed, &rig->err);
}

void assert_requests(struct rig *rig, const char *expected)
{
    static const char common[] = "GET /resource_providers";
    _cleanup_strlist_ struct strlist lines = {0};
    size_t count = peer_request_count(rig->peer);
    for (; rig->seen < count; rig->seen++) {
        _cleanup_free_ char *line = peer_request_line(rig->peer, rig->seen);
        bool usual = strncmp(line, common, sizeof common - 1) == 0;
        strlist_add(&lines, usual ? line + sizeof common - 1 : line);
    }
    _cleanup_free_ char *got = strlist_join(&lines, "\n");
    assert_string_equal(got, expected);
}

/* ---- answers ---- */

void answer_list(struct rig *rig, const struct row *rows, size_t count)
{
    char *body = xstrdup("{\"resource_providers\": [");
    for (size_t i = 0; i < count; i++) {
        char *longer = xasprintf(
            "%s%s{\"uuid\": \"%s\", \"name\": \"%s\", \"generation\": %d, "
            "\"root_provider_uuid\": \"%s\", \"parent_provider_uuid\": %s%s%s}",
            body, i ? ", " : "", rows[i].uuid, rows[i].name, rows[i].generation,
            rows[i].parent ? rows[i].parent : rows[i].uuid, rows[i].parent ? "\"" : "",
            rows[i].parent ? rows[i].parent : "null", rows[i].parent ? "\"" : "");
        free(body);
        body = longer;
    }
    char *whole = xasprintf("%s]}", body);
    peer_ok(rig->peer, whole);
    free(body);
    free(whole);
}

void answer_inventories(struct rig *rig, int total, int generation)
{
    _cleanup_free_ char *body =
        xasprintf("{\"inventories\": {\"VGPU\": {\"total\": %d, \"reserved\": 0, "
                  "\"min_unit\": 1, "
                  "\"max_unit\": %d, \"step_size\": 1, \"allocation_ratio\": 1.0}}, "
                  "\"resource_provider_generation\": %d}",
                  total, total, generation);
    peer_ok(rig->peer, body);
}

void answer_traits(struct rig *rig, int generation)
{
    _cleanup_free_ char *body =
        xasprintf("{\"traits\": [\"CUSTOM_A\"], \"resource_provider_generation\": %d}",
                  generation);
    peer_ok(rig->peer, body);
}

void answer_allocations(struct rig *rig, int amount, int generation)
{
    _cleanup_free_ char *body = xasprintf("{\"allocations\": {\"" OTHER_ROOT
                                          "\": {\"resources\": {\"VGPU\": %d}}}, "
                                          "\"resource_provider_generation\": %d}",
                                          amount, generation);
    peer_ok(rig->peer, body);
}

void answer_404(struct rig *rig)
{
    peer_reply(rig->peer, 404, NULL, "{\"errors\": [{\"status\": 404}]}");
}

void answer_details(struct rig *rig, int total, int generation)
{
    answer_inventories(rig, total, generation);
    answer_traits(rig, generation);
    answer_allocations(rig, 1, generation);
}

struct row row_root(int generation)
{
    return (struct row){ROOT, "host", NULL, generation};
}

struct row row_84(int generation)
{
    return (struct row){CHILD_84, "host_pci_0000_84_00_0", ROOT, generation};
}

struct row row_85(int generation)
{
    return (struct row){CHILD_85, "host_pci_0000_85_00_0", ROOT, generation};
}

void rig_with_tree(struct rig *rig)
{
    rig_open(rig);
    answer_rows(rig, row_root(1));
    answer_rows(rig, row_85(5), row_root(1), row_84(4));
    answer_details(rig, 16, 4);
    answer_details(rig, 8, 5);
    assert_ok(rig_fetch(rig), &rig->err);
    assert_requests(rig, BY_NAME "\n" BELOW "\n" DETAILS_84 "\n" DETAILS_85);
}

int64_t rig_total_of(const struct rig *rig, const char *uuid)
{
    const struct observed_provider *provider = observed_by_uuid(rig->observed, uuid);
    assert_non_null(provider);
    assert_true(provider->detailed);
    assert_int_equal(provider->inventory_count, 1);
    assert_int_equal(provider->traits.count, 1);
    assert_int_equal(provider->allocation_count, 1);
    return provider->inventories[0].inventory.total;
}
