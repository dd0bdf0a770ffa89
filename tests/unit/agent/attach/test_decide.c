/* What is done for a guest, as tables: one line for each line of the tables of what Nova
 * and libvirt were seen to do. */
#include "agent/attach/decide.h"

#include <string.h>

#include "lib/buffer.h"
#include "tests/unit/agent/attach/devices.h"
#include "tests/unit/test.h"

#define LOOK OCCASION_LOOK
#define DEFINED OCCASION_DEFINED
#define STARTED OCCASION_STARTED
#define RESTORED OCCASION_RESTORED
#define CHANGED OCCASION_CHANGED

struct line {
    const char *what;
    const char *how, *live, *configured; /* the guest */
    const char *wanted, *ours; /* `wanted`: "ab", with "+" further ones are to come, "!"
                                  it only heals; NULL: no entry */
    enum occasion occasion;
    bool no_port;
    const char *expected; /* "-c" out, "a" configured, "a!" live, "a*" both */
    enum guest_state state;
};

static void write_actions(const struct attach_action *actions, size_t count,
                          char out[64])
{
    static const char *const marks[] = {[ATTACH_CONFIGURED] = "",
                                        [ATTACH_LIVE] = "!",
                                        [ATTACH_BOTH] = "*",
                                        [DETACH_CONFIGURED] = ""};
    char *end = out;
    for (size_t i = 0; i < count; i++)
        end += snprintf(end, (size_t)(out + 64 - end), "%s%s%c%s", i ? " " : "",
                        actions[i].verb == DETACH_CONFIGURED ? "-" : "",
                        device_letter(actions[i].address), marks[actions[i].verb]);
    *end = 0;
}

static void assert_xml(const struct attach_action *action)
{
    _cleanup_free_ char *removed = guest_device_xml(action->address);
    char attached[] = "<?/>";
    attached[1] = device_letter(action->address);
    assert_string_equal(action->xml,
                        action->verb == DETACH_CONFIGURED ? removed : attached);
}

static void check(const struct line *line)
{
    _cleanup_guest_ struct guest guest =
        make_guest(SERVER(1), line->how, line->live, line->configured);
    _cleanup_wanted_ struct wanted wanted = {.whole = true};
    if (line->wanted) {
        char letters[32] = "";
        size_t length = strcspn(line->wanted, "+!");
        memcpy(letters, line->wanted, length);
        add_wanted(&wanted, letters);
        wanted.whole = line->wanted[length] != '+';
        wanted.heals = line->wanted[length] == '!';
    }
    _cleanup_strlist_ struct strlist ours = device_list(line->ours);
    struct attach_action *actions;
    size_t count;
    attach_decide(&guest, line->wanted ? &wanted : NULL, &ours, line->occasion,
                  line->no_port, &actions, &count);
    char found[64] = "";
    write_actions(actions, count, found);
    if (strcmp(found, line->expected) != 0)
        fail_msg("%s: '%s' instead of '%s'", line->what, found, line->expected);
    for (size_t i = 0; i < count; i++)
        assert_xml(&actions[i]);
    attach_actions_free(actions, count);
    enum guest_state state =
        attach_state(&guest, line->wanted ? &wanted : NULL, line->no_port);
    if (state != line->state)
        fail_msg("%s: state %d instead of %d", line->what, (int)state,
                 (int)line->state);
}

static void check_all(const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&lines[i]);
}
#define CHECK(lines) check_all((lines), sizeof(lines) / sizeof *(lines))

static void nova_defines_and_libvirt_starts(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"create", "off", "", "", "a", "a", DEFINED, false, "a", GUEST_MISSES},
        {"create with three devices, q35 or not", "off", "", "", "abc", "abc", DEFINED,
         false, "a b c", GUEST_MISSES},
        {"create, cold plugged", "run", "a", "a", "a", "a", STARTED, false, "",
         GUEST_ATTACHED},
        {"the configuration's attach lost the race", "run", "", "a", "a", "a", STARTED,
         false, "a!", GUEST_AT_NEXT_START},
        {"revert: DEFINED came too late", "run", "", "", "a", "a", STARTED, false, "a*",
         GUEST_MISSES},
        {"q35: one was cold plugged", "run", "a", "a", "ab", "ab", STARTED, false, "b*",
         GUEST_MISSES},
        {"stop/start, hard reboot, rescue: Nova keeps mediated devices", "off", "", "a",
         "a", "a", DEFINED, false, "", GUEST_CONFIGURED},
        {"and they are there after the start", "run", "a", "a", "a", "a", STARTED,
         false, "", GUEST_ATTACHED},
        {"hard reboot: Nova drops PCI devices", "off", "", "", "p", "p", DEFINED, false,
         "p", GUEST_MISSES},
        {"hard reboot of a guest with both kinds", "off", "", "a", "ap", "ap", DEFINED,
         false, "p", GUEST_MISSES},
        {"hard reboot again, PCI devices cold plugged", "run", "pq", "pq", "pq", "pq",
         STARTED, false, "", GUEST_ATTACHED},
        {"hard reboot, 0 ms from DEFINED to the start", "run", "", "", "pq", "pq",
         STARTED, false, "p* q*", GUEST_MISSES},
        {"rebuild, unshelve, resize: Nova drops the device", "off", "", "", "a", "a",
         DEFINED, false, "a", GUEST_MISSES},
        {"resize: the flavor has another type", "off", "", "a", "b", "ab", DEFINED,
         false, "-a b", GUEST_MISSES},
        {"the same with PCI devices", "off", "", "p", "q", "pq", DEFINED, false, "-p q",
         GUEST_MISSES},
        {"the same while its devices are not all made", "off", "", "a", "b+", "ab",
         DEFINED, false, "b", GUEST_MISSES},
        {"a device that is not ours stays", "off", "", "xa", "b", "ab", DEFINED, false,
         "-a b", GUEST_MISSES},
        {"a device too many", "off", "", "ab", "a", "ab", LOOK, false, "-b",
         GUEST_CONFIGURED},
        {"no entry: nothing is taken out", "off", "", "ab", NULL, "ab", DEFINED, false,
         "", GUEST_CONFIGURED},
        {"resize: the flavor has no GPU", "off", "", "xa", "", "ab", LOOK, false, "-a",
         GUEST_CONFIGURED},
        {"the same while it runs", "run", "a", "a", "", "ab", LOOK, false, "",
         GUEST_ATTACHED},
        {"a wrong device in a running guest stays", "run", "a", "a", "b", "ab", STARTED,
         false, "b*", GUEST_MISSES},
        {"a resize to another type begins", "run", "a", "a", "b", "ab", LOOK, false,
         "b", GUEST_MISSES},
        {"a resize to one more begins", "run", "a", "a", "ab", "ab", LOOK, false, "b*",
         GUEST_MISSES},
        {"the resize does not come", "run", "a", "a", "b", "ab", RESTORED, false, "b*",
         GUEST_MISSES},
        {"another's device that is not ours", "run", "x", "x", "b", "ab", LOOK, false,
         "b*", GUEST_MISSES},
        {"a late call's device", "run", "b", "ab", "b", "ab", LOOK, false, "-a",
         GUEST_ATTACHED},
        {"the same at the start, and no port", "run", "", "ab", "b", "ab", STARTED,
         true, "-a", GUEST_WAITS_FOR_PORT},
        {"a device that is not ours stays", "run", "b", "xb", "b", "ab", LOOK, false,
         "", GUEST_ATTACHED},
        {"a rescued guest keeps its device", "run", "a", "a", "a", "a", DEFINED, false,
         "", GUEST_ATTACHED},
        {"STARTED, and it is stopped already", "off", "", "", "a", "a", STARTED, false,
         "a", GUEST_MISSES},
    };
    CHECK(lines);
}

static void nova_suspends_and_resumes(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"suspend detaches", "run", "", "a", "a", "a", CHANGED, false, "",
         GUEST_AT_NEXT_START},
        {"suspend is under way when the table changes", "run", "", "a", "a", "a", LOOK,
         false, "", GUEST_AT_NEXT_START},
        {"suspended", "off", "", "a", "a", "a", CHANGED, false, "", GUEST_CONFIGURED},
        {"resume: DEFINED", "off", "", "a", "a", "a", DEFINED, false, "",
         GUEST_CONFIGURED},
        {"resume: runs before DEFINED is looked at", "run", "", "a", "a", "a", DEFINED,
         false, "", GUEST_AT_NEXT_START},
        {"resume, in neither", "run", "", "", "a", "a", DEFINED, false, "",
         GUEST_MISSES},
        {"resumed, Nova has attached it", "run", "a", "a", "a", "a", RESTORED, false,
         "", GUEST_ATTACHED},
        {"cold snapshot: Nova does not attach again", "run", "", "a", "a", "a",
         RESTORED, false, "a!", GUEST_AT_NEXT_START},
        {"the same with nothing in the configuration", "run", "", "", "a", "a",
         RESTORED, false, "a*", GUEST_MISSES},
    };
    CHECK(lines);
}

static void ports_run_out(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"both failed: the configuration alone", "run", "a", "a", "ab", "ab", STARTED,
         true, "b", GUEST_MISSES},
        {"the same at a look", "run", "a", "a", "ab", "ab", LOOK, true, "b",
         GUEST_MISSES},
        {"in the configuration: not tried live again", "run", "a", "ab", "ab", "ab",
         STARTED, true, "", GUEST_WAITS_FOR_PORT},
        {"nor after a restore", "run", "a", "ab", "ab", "ab", RESTORED, true, "",
         GUEST_WAITS_FOR_PORT},
        {"transient: nothing can be done", "transient", "a", "", "ab", "ab", STARTED,
         true, "", GUEST_WAITS_FOR_PORT},
        {"shut off: always fits", "off", "", "a", "ab", "ab", DEFINED, true, "b",
         GUEST_MISSES},
    };
    CHECK(lines);
}

static void other_looks(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"found shut off without", "off", "", "", "a", "a", LOOK, false, "a",
         GUEST_MISSES},
        {"found running without", "run", "", "", "a", "a", LOOK, false, "a*",
         GUEST_MISSES},
        {"found running, missing in the configuration", "run", "a", "", "a", "a", LOOK,
         false, "a", GUEST_ATTACHED},
        {"redefined without it while it runs", "run", "a", "", "a", "a", DEFINED, false,
         "a", GUEST_ATTACHED},
        {"transient", "transient", "", "", "a", "a", STARTED, false, "a!",
         GUEST_MISSES},
        {"transient, found so", "transient", "", "", "ap", "ap", LOOK, false, "p! a!",
         GUEST_MISSES},
        {"transient and well", "transient", "a", "", "a", "a", STARTED, false, "",
         GUEST_ATTACHED},
        {"stopped: only a look", "off", "", "", "a", "a", CHANGED, false, "",
         GUEST_MISSES},
        {"two at once: each by its own state", "run", "b", "ab", "abc", "abc", STARTED,
         false, "a! c*", GUEST_MISSES},
        {"no entry", "run", "", "", NULL, "a", STARTED, false, "", GUEST_ATTACHED},
        {"an entry without devices yet", "run", "", "", "+", "a", STARTED, false, "",
         GUEST_MISSES},
        {"an entry without devices yet, shut off", "off", "", "a", "+", "a", DEFINED,
         false, "", GUEST_MISSES},
        {"all there are, more to come", "run", "a", "a", "a+", "a", STARTED, false, "",
         GUEST_MISSES},
    };
    CHECK(lines);
}

static void beside_nova_it_only_heals(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"resize and revert: Nova lost it", "run", "", "", "a!", "", LOOK, false, "a*",
         GUEST_MISSES},
        {"a guest that is shut off is Nova's", "off", "", "", "a!", "", DEFINED, false,
         "", GUEST_MISSES},
        {"nor is anything taken out", "off", "", "b", "a!", "b", LOOK, false, "",
         GUEST_MISSES},
        {"Nova has attached another one", "run", "b", "b", "a!", "", LOOK, false, "",
         GUEST_MISSES},
        {"Nova has configured another one", "run", "", "b", "a!", "", STARTED, false,
         "", GUEST_MISSES},
        {"a network card of the guest is no such device", "run", "x", "x", "a!", "",
         LOOK, false, "a*", GUEST_MISSES},
        {"the second of two, after a failure", "run", "a", "a", "ab!", "", LOOK, false,
         "b*", GUEST_MISSES},
        {"Nova's suspend may be under way", "run", "", "a", "a!", "", LOOK, false, "",
         GUEST_AT_NEXT_START},
        {"no port", "run", "", "", "a!", "", LOOK, true, "a", GUEST_MISSES},
        {"well", "run", "a", "a", "a!", "", LOOK, false, "", GUEST_ATTACHED},
    };
    CHECK(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nova_defines_and_libvirt_starts),
        cmocka_unit_test(nova_suspends_and_resumes),
        cmocka_unit_test(ports_run_out),
        cmocka_unit_test(other_looks),
        cmocka_unit_test(beside_nova_it_only_heals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
