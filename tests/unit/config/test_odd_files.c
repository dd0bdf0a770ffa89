/* Files as operators on a bad day write them: one line for one cause, with its place and
 * what is accepted; what is odd and right says nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/config/config_test.h"
#include "tests/unit/test.h"

#define BEGIN "[agent]\n"
#define DEVICES "[devices]\nenabled_mdev_types = nvidia-35\n"
#define SECTION "[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0\n"
#define NO_TEXT                                                                       \
    ": a NUL byte, so that this is no text, and the rest is not read; expected text " \
    "in UTF-8"
#define NEITHER                                                                   \
    ": neither a [section], nor an option = value, nor a comment (# or ; in the " \
    "first "                                                                      \
    "column)"
#define NOTHING_ABOVE                                                              \
    ": an indented line continues the option before it, and there is none; start " \
    "options in the first column"
#define HEADER                                                                         \
    ": a section header must be [name] and nothing else; what follows is not read up " \
    "to the next header"
#define MODE " is not accepted; expected one of owner, nova, nova-pci"

static const struct {
    const char *text;
    size_t length; /* 0: up to the NUL */
    const char *problems[5];
} cases[] = {
    /* files */
    {"", 0, {NULL}},
    {"# nothing\n; at all\n", 0, {NULL}},
    {"\xef\xbb\xbf" BEGIN "mode = owner\n",
     0,
     {"a.conf:1: warning: starts with a byte order mark, which OpenStack's services do "
      "not accept"}},
    {"\xff\xfe[\0a\0]\0\n\0",
     10,
     {"a.conf:1: UTF-16, as editors of Windows write it; expected text in UTF-8"}},
    {"\xfe\xff\0[\0a\0]\0\n",
     10,
     {"a.conf:1: UTF-16, as editors of Windows write it; expected text in UTF-8"}},
    {"[\0a\0]\0\n\0m\0=\0x\0\n\0", 16, {"a.conf:1" NO_TEXT}},
    {"\177ELF\2\1\1\0\n\0\n\0\n", 13, {"a.conf:1" NO_TEXT}},
    {BEGIN "# M\xfcller\n", 0, {"a.conf:2: invalid UTF-8; expected text in UTF-8"}},
    {"[agent]\r\nmode = owner\r\nlibvirt = no\r\n", 0, {NULL}},
    {"[agent]\rmode = owner\r",
     0,
     {"a.conf:1: a carriage return inside the line; end lines with a newline"}},
    {BEGIN "mode\t=\towner", 0, {NULL}},
    {"{\n  \"agent\": {\n    \"mode\": \"owner\"\n  }\n}\n",
     0,
     {"a.conf:1" NEITHER, "a.conf:5" NEITHER}},
    {"agent:\n  mode: owner\n", 0, {"a.conf:1: an option before the first [section]"}},
    {"mode = owner\n", 0, {"a.conf:1: an option before the first [section]"}},
    /* headers */
    {"[agent] # ours\nmode = x\n" DEVICES, 0, {"a.conf:1" HEADER}},
    {BEGIN "[devices\nenabled_mdev_types = nvidia-35\n" SECTION,
     0,
     {"a.conf:2" HEADER}},
    {"[]\nmode = x\n", 0, {"a.conf:1" HEADER}},
    {"[ devices ]\nenabled_mdev_types = nvidia-35\n" SECTION,
     0,
     {"a.conf:1: [ devices ]: not used; did you mean [devices]?"}},
    {"[vgpu-agent]\nmode = x\n",
     0,
     {"a.conf:1: warning: [vgpu-agent]: not used; did you mean [agent]?"}},
    {"[VGPU_AGENT]\nmode = x\n",
     0,
     {"a.conf:1: warning: [VGPU_AGENT]: not used; did you mean [agent]?"}},
    {BEGIN "libvirt = no\n[Agent]\nlibvirt = yes\n",
     0,
     {"a.conf:2: warning: agent.libvirt: not used: line 4 sets it again, and the last "
      "one counts"}},
    /* other programs' sections are theirs */
    {"[vnc]\nmode = x # y\nlisten = \"a\nlisten = b\n[pci]\nalias = {}\nalias = {}\n",
     0,
     {NULL}},
    /* options in the wrong place */
    {"[DEFAULT]\nsync_interval = 5\nlog_level = x\nmode = y\n",
     0,
     {"a.conf:2: warning: DEFAULT.sync_interval: not used; it belongs into [agent]"}},
    {"[DEFAULT]\nenabled_mdev_types = nvidia-35\n" SECTION,
     0,
     {"a.conf:2: warning: DEFAULT.enabled_mdev_types: not used; it belongs into "
      "[devices]"}},
    {BEGIN "enabled_mdev_types = nvidia-35\n",
     0,
     {"a.conf:2: agent.enabled_mdev_types: not used; it belongs into [devices]"}},
    {DEVICES "create_root = true\n",
     0,
     {"a.conf:3: devices.create_root: not used; it belongs into [agent]"}},
    {DEVICES "mode = nova\n",
     0,
     {"a.conf:3: devices.mode: not used; it belongs into [agent]"}},
    {BEGIN "max_instances = 4\npassthrough_addresses = 0000:84:00.0\n",
     0,
     {"a.conf:2: agent.max_instances: not used; it belongs into [mdev_<type>]",
      "a.conf:3: agent.passthrough_addresses: not used; it belongs into [devices]"}},
    /* a line was added to the end of a file */
    {DEVICES SECTION "listen = 9190\n",
     0,
     {"a.conf:5: mdev_nvidia-35.listen: not used; it belongs into [agent]"}},
    {"[placement]\nauth_type = noauth\nlisten = 9190\n",
     0,
     {"a.conf:3: warning: placement.listen: not used; it belongs into [agent]"}},
    {DEVICES "[groups_a]\ndevice_addresses = 0000:84:00.0\n",
     0,
     {"a.conf:3: [groups_a]: not used; did you mean [group_a]?"}},
    {DEVICES "[group-a]\ndevice_addresses = 0000:84:00.0\n",
     0,
     {"a.conf:3: [group-a]: not used; did you mean [group_a]?"}},
    {DEVICES "[group_a]\ndevice_addresses = 0000:84:00.0\nattach = none\n",
     0,
     {"a.conf:5: group_a.attach: not used; it belongs into [agent]"}},
    /* lines */
    {"  [agent]\n  mode = owner\n", 0, {"a.conf:1" NOTHING_ABOVE}},
    {BEGIN "    mode = owner\n    libvirt = no\n[devices]\n"
           "    enabled_mdev_types = nvidia-35\n" SECTION,
     0,
     {"a.conf:2" NOTHING_ABOVE, "a.conf:5" NOTHING_ABOVE}},
    {BEGIN "mode = owner\n  libvirt = no\n",
     0,
     {"a.conf:2: agent.mode: 'owner?libvirt = no'" MODE
      "; an indented line continues the value above it; start options in the first "
      "column"}},
    {BEGIN "mode owner\n", 0, {"a.conf:2" NEITHER}},
    {BEGIN "// ours\n", 0, {"a.conf:2" NEITHER}},
    {BEGIN "= owner\n",
     0,
     {"a.conf:2: no name before the '='; expected option = value"}},
    {BEGIN "mode == owner\n", 0, {"a.conf:2: agent.mode: '= owner'" MODE}},
    {BEGIN "Mode = owner\n",
     0,
     {"a.conf:2: warning: agent.Mode: unknown option; did you mean mode?"}},
    {BEGIN "export mode = owner\n",
     0,
     {"a.conf:2: warning: agent.export mode: unknown option, not used"}},
    {BEGIN "mode\u00a0=\u00a0owner\n",
     0,
     {"a.conf:2: warning: agent.mode\u00a0: unknown option; did you mean mode?"}},
    /* values */
    {BEGIN "mode = Owner\n", 0, {"a.conf:2: agent.mode: 'Owner'" MODE}},
    {BEGIN "mode = \u201cowner\u201d\n",
     0,
     {"a.conf:2: agent.mode: '\u201cowner\u201d'" MODE}},
    {BEGIN "mode = \"\n",
     0,
     {"a.conf:2: agent.mode: one quote and nothing else; expected a pair of them, or a "
      "value"}},
    {BEGIN "mode = $nothing\n",
     0,
     {"a.conf:2: agent.mode: refers with '$' to an option that no file sets; write "
      "'$$' "
      "for a dollar sign"}},
    {BEGIN "sync_interval = 99999999999999999999\n",
     0,
     {"a.conf:2: agent.sync_interval: '99999999999999999999' is not accepted; expected "
      "a "
      "number of seconds from 1 to 86400"}},
    {BEGIN "state_file = ~/state.json\n",
     0,
     {"a.conf:2: agent.state_file: '~/state.json' is not accepted; expected an "
      "absolute "
      "path"}},
    {"[devices]\nenabled_mdev_types = [\"nvidia-35\", \"nvidia-36\"]\n",
     0,
     {"a.conf:2: devices.enabled_mdev_types: '[\"nvidia-35\"' is not accepted: quotes "
      "stand in pairs around the whole list, not around an item"}},
    {"[devices]\nenabled_mdev_types = [nvidia-35]\n",
     0,
     {"a.conf:2: devices.enabled_mdev_types: '[nvidia-35]' cannot be a type; expected "
      "ids such as nvidia-35 or names such as GRID V100DX-1Q, with commas between "
      "them"}},
    /* who we are */
    {"[placement]\nauth_type = none\nauth_section = placement\n", 0, {NULL}},
    {"[placement]\nauth_section = service_user\nauth_type = none\n",
     0,
     {"a.conf:2: placement.auth_section: there is no section [service_user] in the "
      "files"}},
    {"[placement]\nendpoint = http://u:hunter2@host:8778\n",
     0,
     {"a.conf:2: placement.endpoint: not accepted; expected http://HOST[:PORT][/PATH] "
      "or "
      "https://..., without user, query or %(name)s"}},
    {"[placement]\npassword = pa$$word # it\nusername = 'nova\n",
     0,
     {"a.conf:2: warning: placement.password: the value is taken as it stands: a "
      "comment "
      "stands on a line of its own, with # in the first column",
      "a.conf:3: warning: placement.username: ''nova' is taken as it stands: a quote "
      "that is not closed; expected quotes around the whole value, or none"}},
};

static void each_cause_has_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_problems(cases[i].text,
                        cases[i].length ? cases[i].length : strlen(cases[i].text),
                        cases[i].problems);
}

/* As many lines as fit: none of the checks may take the square of their number. */
static void many_lines_take_no_time(void **state)
{
    (void)state;
    static const char *const lines[] = {"mode = owner\n", "mose = owner\n", "x = 1\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *text = NULL;
        size_t length;
        FILE *file = open_memstream(&text, &length);
        fputs(BEGIN, file);
        for (size_t j = 0; j < 100000; j++)
            fputs(lines[i], file);
        fclose(file);
        struct config *config = NULL;
        struct strlist problems = {0};
        assert_int_equal(load(text, length, &config, &problems), 0);
        assert_true(problems.count >= 99999);
        strlist_clear(&problems);
        config_free(config);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cause_has_its_line),
        cmocka_unit_test(many_lines_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
