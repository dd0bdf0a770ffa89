#include "agent/act/made_names.h"

#include <string.h>

#include "lib/xalloc.h"
#include "tests/unit/test.h"

/* ---- a Placement ---- */

static struct strlist there;   /* names that it has */
static const char *used;       /* by a provider */
static const char *refused;    /* nobody may delete it */
static struct strlist deleted; /* in their order */

static int delete_name(const char *name, struct error *err)
{
    if (refused && strcmp(name, refused) == 0)
        return error_set(err, ERROR_UNAUTHORIZED, "%s: refused", name);
    if (used && strcmp(name, used) == 0)
        return error_set(err, ERROR_BUSY, "%s is in use", name);
    if (!strlist_remove(&there, name))
        return error_set(err, ERROR_NOT_FOUND, "no %s", name);
    strlist_add(&deleted, name);
    return 0;
}

int placement_delete_trait(struct placement_client *client, const char *name,
                           struct error *err)
{
    (void)client;
    return delete_name(name, err);
}

int placement_delete_class(struct placement_client *client, const char *name,
                           struct error *err)
{
    (void)client;
    return delete_name(name, err);
}

static int tear_down(void **state)
{
    (void)state;
    strlist_clear(&there);
    strlist_clear(&deleted);
    used = refused = NULL;
    return 0;
}

static struct journal *make_journal(void)
{
    struct journal *journal = journal_new();
    journal->made_traits = strlist_split("CUSTOM_A,CUSTOM_B,CUSTOM_C", ',');
    journal->made_classes = strlist_split("CUSTOM_K,CUSTOM_L", ',');
    there = strlist_split("CUSTOM_A,CUSTOM_B,CUSTOM_C,CUSTOM_K,CUSTOM_L,CUSTOM_X", ',');
    return journal;
}

static void assert_names(const struct strlist *list, const char *expected)
{
    _cleanup_free_ char *names = strlist_join(list, ",");
    assert_string_equal(names, expected);
}

/* ---- tests ---- */

static void what_is_configured_is_wanted(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = make_journal();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    array_add(config->types, config->type_count)->mdev_class = xstrdup("CUSTOM_L");
    _cleanup_(desired_tree_freep) struct desired_tree *desired =
        xcalloc(1, sizeof *desired);
    struct desired_provider *provider =
        array_add(desired->providers, desired->provider_count);
    provider->resource_class = xstrdup("VGPU");
    strlist_add(&provider->traits, "CUSTOM_B");
    _cleanup_strlist_ struct strlist traits = {0}, classes = {0};
    made_names_unwanted(journal, config, desired, &traits, &classes);
    assert_names(&traits, "CUSTOM_A,CUSTOM_C");
    assert_names(&classes, "CUSTOM_K");
}

/* The provider of a card that has several types has no class of its own: they are below
 * it. */
static void a_card_with_several_types_has_no_class(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = make_journal();
    _cleanup_(config_freep) struct config *config = xcalloc(1, sizeof *config);
    _cleanup_(desired_tree_freep) struct desired_tree *desired =
        xcalloc(1, sizeof *desired);
    struct desired_provider *card =
        array_add(desired->providers, desired->provider_count);
    card->is_card = true;
    strlist_add(&card->traits, "CUSTOM_A");
    struct desired_provider *type =
        array_add(desired->providers, desired->provider_count);
    type->resource_class = xstrdup("CUSTOM_L");
    _cleanup_strlist_ struct strlist traits = {0}, classes = {0};
    made_names_unwanted(journal, config, desired, &traits, &classes);
    assert_names(&traits, "CUSTOM_B,CUSTOM_C");
    assert_names(&classes, "CUSTOM_K");
}

static void what_nobody_has_goes(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = make_journal();
    _cleanup_strlist_ struct strlist traits = strlist_copy(&journal->made_traits);
    _cleanup_strlist_ struct strlist classes = strlist_split("CUSTOM_K", ',');
    struct error err = {0};
    bool changed;
    used = "CUSTOM_B";
    strlist_remove(&there, "CUSTOM_C"); /* somebody has deleted it */
    assert_ok(made_names_delete(NULL, &traits, &classes, journal, &changed, &err),
              &err);
    assert_true(changed);
    assert_names(&deleted, "CUSTOM_A,CUSTOM_K");
    assert_names(&journal->made_traits, "CUSTOM_B");
    assert_names(&journal->made_classes, "CUSTOM_L");
    assert_names(&there, "CUSTOM_B,CUSTOM_L,CUSTOM_X");
}

static void a_failure_does_not_stop_the_others(void **state)
{
    (void)state;
    _cleanup_(journal_freep) struct journal *journal = make_journal();
    _cleanup_strlist_ struct strlist traits = strlist_copy(&journal->made_traits);
    _cleanup_strlist_ struct strlist classes = strlist_copy(&journal->made_classes);
    struct error err = {0};
    bool changed;
    refused = "CUSTOM_A";
    assert_int_equal(
        made_names_delete(NULL, &traits, &classes, journal, &changed, &err), -1);
    assert_string_equal(err.text, "CUSTOM_A: refused");
    assert_names(&deleted, "CUSTOM_B,CUSTOM_C,CUSTOM_K,CUSTOM_L");
    assert_names(&journal->made_traits, "CUSTOM_A");
    tear_down(NULL);
    journal_free(steal(journal));
    journal = make_journal();
    refused = "CUSTOM_K";
    assert_int_equal(
        made_names_delete(NULL, &traits, &classes, journal, &changed, &err), -1);
    assert_string_equal(err.text, "CUSTOM_K: refused");
    assert_names(&journal->made_classes, "CUSTOM_K");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_configured_is_wanted, tear_down),
        cmocka_unit_test_teardown(a_card_with_several_types_has_no_class, tear_down),
        cmocka_unit_test_teardown(what_nobody_has_goes, tear_down),
        cmocka_unit_test_teardown(a_failure_does_not_stop_the_others, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
