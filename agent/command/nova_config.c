/* vgpu-agent nova-config: the part of nova.conf that fits the cut of this host's cards,
 * in mode nova-pci. */
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "agent/command/session.h"
#include "agent/desired/type_traits.h"
#include "lib/json_write.h"

/* ---- one entry ---- */

static void write_device_spec(struct json_writer *w, const struct pci_card *card,
                              const char *function)
{
    _cleanup_free_ char *traits = strlist_join(&card->traits, ",");
    json_write_begin_object(w);
    json_write_string_member(w, "address", function);
    json_write_string_member(w, "managed", card->managed ? "yes" : "no");
    if (card->live_migratable)
        json_write_string_member(w, "live_migratable", "yes");
    json_write_string_member(w, "resource_class", card->resource_class);
    json_write_string_member(w, "traits", traits);
    json_write_end_object(w);
}

/* The trait of the type's name stays the same when a driver renumbers the types. */
static void write_alias(struct json_writer *w, const struct pci_card *card)
{
    _cleanup_free_ char *trait =
        trait_custom(card->type_name ? card->type_name : card->type_id);
    json_write_begin_object(w);
    json_write_string_member(w, "name", card->type_id);
    json_write_string_member(w, "device_type", "type-VF");
    json_write_string_member(w, "resource_class", card->resource_class);
    json_write_string_member(w, "traits", trait);
    if (card->live_migratable)
        json_write_string_member(w, "live_migratable", "yes");
    json_write_end_object(w);
}

/* Whether the alias of the card's type is made of this card. Nova takes one entry for an
 * alias, so that of several cards the first one counts that is as configured. */
static bool names_alias(const struct plan *plan, size_t card)
{
    const struct pci_card *own = &plan->cards[card];
    if (!own->functions.count)
        return false;
    for (size_t i = 0; i < plan->card_count; i++) {
        const struct pci_card *other = &plan->cards[i];
        if (i == card || !other->functions.count ||
            strcmp(other->type_id, own->type_id) != 0)
            continue;
        bool same = !other->waits == !own->waits;
        if (same ? i < card : !other->waits)
            return false;
    }
    return true;
}

/* ---- for programs ---- */

static void write_lists(struct json_writer *w, const struct plan *plan)
{
    json_write_key(w, "device_spec");
    json_write_begin_array(w);
    for (size_t i = 0; i < plan->card_count; i++)
        for (size_t j = 0; j < plan->cards[i].functions.count; j++)
            write_device_spec(w, &plan->cards[i], plan->cards[i].functions.items[j]);
    json_write_end_array(w);
    json_write_key(w, "alias");
    json_write_begin_array(w);
    for (size_t i = 0; i < plan->card_count; i++)
        if (names_alias(plan, i))
            write_alias(w, &plan->cards[i]);
    json_write_end_array(w);
}

static void print_json(const struct plan *plan)
{
    struct json_writer w = {0};
    json_write_begin_object(&w);
    json_write_key(&w, "pci");
    json_write_begin_object(&w);
    json_write_bool_member(&w, "report_in_placement", true);
    write_lists(&w, plan);
    json_write_end_object(&w);
    json_write_key(&w, "filter_scheduler");
    json_write_begin_object(&w);
    json_write_bool_member(&w, "pci_in_placement", true);
    json_write_end_object(&w);
    json_write_end_object(&w);
    _cleanup_free_ char *text = json_writer_take(&w, NULL);
    puts(text);
}

/* ---- for nova.conf ---- */

static void print_option(const char *name, struct json_writer *w)
{
    _cleanup_free_ char *text = json_writer_take(w, NULL);
    printf("%s = %s\n", name, text);
}

static void print_card(const struct pci_card *card)
{
    if (!card->functions.count)
        printf("# %s: none of its functions has a type\n", card->gpu);
    else
        printf("# %s: %zu of %s%s%s%s\n", card->gpu, card->functions.count,
               card->type_id, card->type_name ? " (" : "",
               card->type_name ? card->type_name : "", card->type_name ? ")" : "");
    if (card->waits)
        printf("#   not yet as configured: %s\n", card->waits);
    for (size_t i = 0; i < card->functions.count; i++) {
        struct json_writer w = {0};
        write_device_spec(&w, card, card->functions.items[i]);
        print_option("device_spec", &w);
    }
}

static void print_lines(const struct plan *plan)
{
    puts("# For nova-compute on this host, 2025.1 or later, which must not have "
         "another\n"
         "# device_spec for these cards. Restart it afterwards.\n"
         "[pci]\n"
         "report_in_placement = true");
    for (size_t i = 0; i < plan->card_count; i++)
        print_card(&plan->cards[i]);
    puts("# For nova-api as well. A flavor asks with pci_passthrough:alias = NAME:1.");
    for (size_t i = 0; i < plan->card_count; i++) {
        struct json_writer w = {0};
        if (!names_alias(plan, i))
            continue;
        write_alias(&w, &plan->cards[i]);
        print_option("alias", &w);
    }
    puts("\n"
         "# For nova-scheduler and nova-api, once all compute nodes report in "
         "Placement.\n"
         "[filter_scheduler]\n"
         "pci_in_placement = true");
}

/* ---- the command ---- */

/* Without Placement it is not known what is allocated, so that no function changes its
 * type; the rest is known. */
static int look(struct command_session *session, struct error *err)
{
    if (cycle_look(session->agent, agent_now(session->agent), true, &session->cycle,
                   err) == 0)
        return command_check_root(&session->cycle, err);
    if (session->cycle.round_count == 0)
        return -1;
    command_say(err->text);
    return 0;
}

/* Nova's part without any card would be taken for what fits them. */
static int say_why_none(const struct command_session *session)
{
    struct error err;
    command_print_problems(&session->cycle);
    (void)error_set(&err, ERROR_NOT_FOUND,
                    "no card is known that has something for nova.conf");
    return command_fail(&err);
}

static int run(const struct command_context *context, int argc, char **argv)
{
    (void)argc, (void)argv;
    _cleanup_session_ struct command_session session = {0};
    struct error err;
    int status = command_session_open(&session, context, AGENT_LOOKS);
    if (status != EX_OK)
        return status;
    if (session.config->agent.mode != MODE_NOVA_PCI) {
        (void)error_set(&err, ERROR_INVALID,
                        "[agent] mode is %s: Nova's [pci] is for mode nova-pci alone",
                        agent_mode_name(session.config->agent.mode));
        return command_fail(&err);
    }
    if (look(&session, &err) != 0)
        return command_fail(&err);
    if (cycle_plan(&session.cycle)->card_count == 0)
        return say_why_none(&session);
    if (context->format == FORMAT_JSON)
        print_json(cycle_plan(&session.cycle));
    else
        print_lines(cycle_plan(&session.cycle));
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

const struct command command_nova_config = {
    .name = "nova-config",
    .summary = "the part of nova.conf that fits the cards, in mode nova-pci",
    .run = run,
};
