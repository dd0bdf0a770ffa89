#include "tests/unit/test.h"

#include "tests/unit/agent/plan/plan_script.h"

#define ONE "gpu 84 35:4 36:2\ntype 35\nsettle\n"
/* c1 had a device that the agent made; the time is 1000, the grace period 60. */
#define RELEASED ONE "alloc 84 c1 1\nsettle\nalloc 84 c1 0\nsettle\n"
#define OVER RELEASED "set now=1060\n"

static const struct plan_case releasing[] = {
    {"after its allocation a device waits for the grace period, then goes",
     ONE "alloc 84 c1 1\n settle\n alloc 84 c1 0\n"
         "use needed\n"
         "wake 1060\n"
         "=> release c1.0@84\n"
         "=> nothing\n"
         "? c1 releasing the grace period runs\n"
         "use needed\n"
         "set now=1059\n"
         "=> nothing\n"
         "wake 1060\n"
         "set now=1060\n"
         "use needed\n"
         "=> remove c1.0@84\n"
         "? c1 releasing it is being removed\n"
         "=> nothing\n"
         "? c1 unknown\n"
         "wake none\n"},
    {"without a grace period it goes at the next look",
     ONE "set grace=0\n alloc 84 c1 1\n settle\n alloc 84 c1 0\n"
         "=> release c1.0@84\n"
         "then\n"
         "=> remove c1.0@84\n"},
    {"wanted again in time, it stays", RELEASED "set now=+59\n alloc 84 c1 1\n"
                                                "=> take c1.0@84 c1.0\n"
                                                "set now=+600\n"
                                                "=> nothing\n"
                                                "? c1 ready\n"
                                                "alloc 84 c1 0\n"
                                                "=> release c1.0@84\n"
                                                "wake 1719\n"
                                                "=> nothing\n"},
    {"a clock that goes back starts the period again", RELEASED "set now=500\n"
                                                                "=> release c1.0@84\n"
                                                                "wake 560\n"
                                                                "set now=559\n"
                                                                "=> nothing\n"
                                                                "set now=560\n"
                                                                "=> remove c1.0@84\n"},
    {"a clock that goes back a little", RELEASED "set now=999\n"
                                                 "=> release c1.0@84\n"
                                                 "set now=1058\n"
                                                 "=> nothing\n"
                                                 "set now=1059\n"
                                                 "=> remove c1.0@84\n"},
    {"a clock at nought", RELEASED "set now=0\n"
                                   "=> release c1.0@84\n"
                                   "=> nothing\n"
                                   "set now=61\n"
                                   "=> remove c1.0@84\n"},
    {"a clock before nought", RELEASED "set now=-5000\n"
                                       "=> release c1.0@84\n"
                                       "=> nothing\n"},
};

static const struct plan_case keeping[] = {
    {"one that a running domain names",
     RELEASED "running c1 c1.0@84\n set now=1060\n"
              "=> inventory 84 VGPU=3\n"
              "? c1 releasing a libvirt domain names it\n"
              "=> nothing\n"
              "undomain c1.0@84\n"
              "=> inventory 84 VGPU=4\n"
              "=> remove c1.0@84\n"},
    {"one that a domain names that is shut off",
     RELEASED "domain c9 c1.0@84\n set now=1060\n"
              "=> inventory 84 VGPU=3\n"
              "? c1 releasing a libvirt domain names it\n"},
    {"one whose group a process has open",
     RELEASED "hold c1.0@84\n set now=1060\n"
              "=> inventory 84 VGPU=3\n"
              "? c1 releasing a process has its VFIO group open\n"
              "drop c1.0@84\n"
              "=> inventory 84 VGPU=4\n"
              "=> remove c1.0@84\n"},
    {"one that mdevctl defines", RELEASED "mdevctl c1.0@84\n set now=1060\n"
                                          "=> inventory 84 VGPU=3\n"
                                          "? c1 releasing mdevctl defines it\n"},
    {"any while who uses what cannot be read",
     OVER "set unknown=1\n"
          "=> inventory 84 VGPU=3\n"
          "? c1 releasing who uses it cannot be read\n"
          "set unknown=0\n"
          "=> inventory 84 VGPU=4\n"
          "=> remove c1.0@84\n"},
    {"one in transition", OVER "transit c1.0@84 leaving\n"
                               "=> inventory 84 VGPU=3\n"
                               "? c1 releasing it is in transition\n"
                               "settled c1.0@84\n"
                               "=> inventory 84 VGPU=4\n"
                               "=> remove c1.0@84\n"},
    {"one that nobody knows where is", OVER "stray c1.0@84 leaving\n"
                                            "=> inventory 84 VGPU=3\n"
                                            "? c1 releasing it is in transition\n"},
    {"any on a GPU that is not well", OVER "health 84 unreadable\n"
                                           "=> inventory 84 VGPU=4/4\n"
                                           "? c1 releasing the GPU is not well\n"
                                           "health 84 ok\n"
                                           "=> inventory 84 VGPU=4\n"
                                           "=> remove c1.0@84\n"},
    {"any while Placement cannot be read", OVER "set blind=1\n"
                                                "=> nothing\n"},
    {"any while the root is missing", OVER "noroot\n"
                                           "=> nothing\n"},
    {"any while Placement shows another root", OVER "newroot\n"
                                                    "=> nothing\n"
                                                    "! but this host is now host (\n"},
    {"one whose provider is gone", OVER "adopt\n unprovider 84\n notypes\n"
                                        "=> forgetprovider 84\n"
                                        "? c1 releasing its provider is not in\n"
                                        "set now=+600\n"
                                        "=> nothing\n"
                                        "lose c1.0@84\n"
                                        "=> forget c1.0@84\n"},
    {"any while its provider could not be read", OVER "undetailed 84\n"
                                                      "=> nothing\n"},
    {"any while its provider is made anew",
     OVER "unprovider 84\n"
          "=> provider 84\n"
          "=> traits 84 +CUSTOM_GRID_T_35 +CUSTOM_NVIDIA_35 +CUSTOM_OWNER_VGPU_AGENT\n"
          "=> inventory 84 VGPU=4\n"
          "then\n"
          "=> remove c1.0@84\n"},
    {"one that the agent did not make", ONE "mdev d1 84 35\n alloc 84 c1 1\n settle\n"
                                            "alloc 84 c1 0\n"
                                            "=> forget d1\n"
                                            "set now=+600\n"
                                            "=> nothing\n"},
    {"one that a lost journal had", ONE "alloc 84 c1 1\n settle\n alloc 84 c1 0\n"
                                        "journal lost\n settle\n set now=+600\n"
                                        "=> nothing\n"},
    {"any on Nova's provider", OVER "traits 84 +OWNER_NOVA\n"
                                    "=> nothing\n"},
};

static const struct plan_case rebuilding[] = {
    {"while the journal is rebuilt nothing is removed",
     "gpu 84 35:4\n gpu 85 35:4\n type 35\n settle\n alloc 84 c1 1\n settle\n"
     "journal lost\n settle\n alloc 84 c1 0\n settle\n set now=+60\n"
     "=> remove c1.0@84\n"},
    {"a GPU that cannot be read puts it off",
     "gpu 84 35:4\n gpu 85 35:4\n type 35\n settle\n alloc 84 c1 1\n settle\n"
     "journal lost\n health 85 unreadable\n settle\n alloc 84 c1 0\n settle\n"
     "set now=+60\n"
     "? c1 releasing the state file is being rebuilt\n"
     "health 85 ok\n"
     "=> inventory 85 VGPU=4\n"
     "=> rebuilt\n"
     "then\n"
     "=> remove c1.0@84\n"},
    {"so does a device in transition",
     ONE "mdev d1 84 35\n settle\n transit d1\n settle\n journal lost\n"
         "=> note 84\n"
         "settled d1\n"
         "=> inventory 84 VGPU=4\n"
         "=> rebuilt\n"},
    {"and Placement without a root", ONE "journal lost\n noroot\n"
                                         "=> nothing\n"},
    {"and a provider that was not read", ONE "journal lost\n undetailed 84\n"
                                             "=> nothing\n"
                                             "undetailed 84 no\n"
                                             "=> note 84\n"
                                             "=> rebuilt\n"},
    {"a GPU that is configured and gone does not", "gpu 84 35:4\n type 35 84 99\n"
                                                   "settle\n journal lost\n"
                                                   "=> note 84\n"
                                                   "=> rebuilt\n"},
};

static const struct plan_case forgetting[] = {
    {"an entry whose device is gone and not wanted", RELEASED "lose c1.0@84\n"
                                                              "=> forget c1.0@84\n"},
    {"not while its GPU cannot be read",
     RELEASED "lose c1.0@84\n health 84 lost\n settle\n"
              "=> nothing\n"
              "health 84 ok\n"
              "=> inventory 84 VGPU=4\n"
              "=> forget c1.0@84\n"},
    {"not while its GPU is gone and has a provider",
     RELEASED "absent 84\n reboot\n settle\n"
              "=> nothing\n"},
    {"when nothing speaks of its GPU any more",
     RELEASED "whose c1.0@84 c1\n absent 84\n reboot\n settle\n set prune=1\n"
              "=> delete 84\n"
              "then\n"
              "=> forget c1.0@84\n"},
    {"a provider is pruned after its last device",
     RELEASED "whose c1.0@84 c1\n notypes\n settle\n set prune=1\n"
              "=> nothing\n"
              "! not deleted: its GPU still has the device\n"
              "set now=1060\n"
              "=> remove c1.0@84\n"
              "then\n"
              "=> delete 84\n"},
};

static void releases(void **state)
{
    (void)state;
    plan_cases_run(releasing, sizeof releasing / sizeof *releasing);
}

static void keeps(void **state)
{
    (void)state;
    plan_cases_run(keeping, sizeof keeping / sizeof *keeping);
}

static void rebuilds(void **state)
{
    (void)state;
    plan_cases_run(rebuilding, sizeof rebuilding / sizeof *rebuilding);
}

static void forgets(void **state)
{
    (void)state;
    plan_cases_run(forgetting, sizeof forgetting / sizeof *forgetting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(releases),
        cmocka_unit_test(keeps),
        cmocka_unit_test(rebuilds),
        cmocka_unit_test(forgets),
    };
    return cmocka_run_group_tests_name("plan_release", tests, NULL, NULL);
}
