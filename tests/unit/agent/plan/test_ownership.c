/* Nobody ever gets what another's guest has: each way in which that could come about. */
#include "tests/unit/test.h"

#include "tests/unit/agent/plan/plan_script.h"

#define ONE "gpu 84 35:4 36:2\ntype 35\nsettle\n"
#define TWO "gpu 84 35:4\ngpu 85 35:4\ntype 35\nsettle\n"
/* A card that is full with one device. */
#define TIGHT "gpu 84 35:1\ntype 35\nsettle\nalloc 84 c1 1\nsettle\n"
/* c1's guest runs with the device that was made for it. */
#define RUNS ONE "alloc 84 c1 1\nsettle\nrunning c1 c1.0@84\n"
#define OFF ONE "alloc 84 c1 1\nsettle\ndomain c1 c1.0@84\n"

static const struct plan_case migrating[] = {
    {"1a a new server at the moment of a migration, before it by uuid",
     RUNS "rename c1 m1\n alloc 84 a1 1\n"
          "=> inventory 84 VGPU=3\n"
          "=> create a1.0@84 35\n"
          "=> create m1.0@84 35\n"
          "=> release c1.0@84\n"
          "=> nothing\n"
          "? a1 ready\n"
          "? m1 ready\n"
          "? c1 releasing a libvirt domain names it\n"
          "whose c1.0@84 c1\n"
          "rename m1 c1\n"
          "=> inventory 84 VGPU=4\n"
          "=> take c1.0@84 c1.0\n"
          "=> release m1.0@84\n"},
    {"1a and after it by uuid", RUNS "rename c1 m1\n alloc 84 x1 1\n"
                                     "=> inventory 84 VGPU=3\n"
                                     "=> create m1.0@84 35\n"
                                     "=> create x1.0@84 35\n"
                                     "=> release c1.0@84\n"
                                     "=> nothing\n"
                                     "? x1 ready\n"
                                     "whose c1.0@84 c1\n"},
    {"1a the new server comes at the next look",
     RUNS "rename c1 m1\n settle\n alloc 84 a1 1\n"
          "=> create a1.0@84 35\n"
          "=> nothing\n"
          "? m1 migrating\n"
          "whose c1.0@84 c1\n"},
    {"1a of several units, a new server with another number is no migration", ONE
     "alloc 84 c1 2\n settle\n running c1 c1.0@84\n also c1 c1.1@84\n rename c1 m1\n"
     "alloc 84 a1 1\n"
     "=> take c1.0@84 c1.0 for m1\n"
     "=> take c1.1@84 c1.1 for m1\n"
     "=> create a1.0@84 35\n"
     "=> nothing\n"},
    {"1a nor one on another card", TWO "alloc 84 c1 1\n settle\n running c1 c1.0@84\n"
                                       "rename c1 m1\n alloc 85 a1 1\n"
                                       "=> take c1.0@84 c1.0 for m1\n"
                                       "=> create a1.0@85 35\n"},
    {"1a nor one that is a domain by now",
     RUNS "rename c1 m1\n alloc 84 a1 1\n bare a1\n"
          "=> take c1.0@84 c1.0 for m1\n"
          "=> create a1.0@84 35\n"},
    {"1a nor one whose devices were asked for",
     RUNS "rename c1 m1\n alloc 84 a1 1\n asked a1\n"
          "=> take c1.0@84 c1.0 for m1\n"
          "=> create a1.0@84 35\n"},
    {"1a a card without room: the reason says why",
     "gpu 84 35:2\n type 35\n settle\n alloc 84 c1 1\n settle\n running c1 c1.0@84\n"
     "rename c1 m1\n alloc 84 x1 1\n"
     "? x1 failed is left on this GPU; the guest of\n"
     "=> create m1.0@84 35\n"
     "=> release c1.0@84\n"
     "=> nothing\n"
     "whose c1.0@84 c1\n"
     "rename m1 c1\n settle\n set now=+60\n settle\n"
     "? c1 ready\n"
     "? x1 ready\n"
     "=> nothing\n"},
    {"1b a guest that is shut off for its resize", OFF "rename c1 m1\n alloc 84 a1 1\n"
                                                       "=> inventory 84 VGPU=3\n"
                                                       "=> create a1.0@84 35\n"
                                                       "=> create m1.0@84 35\n"
                                                       "=> release c1.0@84\n"
                                                       "rename m1 c1\n settle\n"
                                                       "whose c1.0@84 c1\n"
                                                       "=> nothing\n"},
    {"1b alone: reverted", OFF "rename c1 m1\n"
                               "=> take c1.0@84 c1.0 for m1\n"
                               "rename m1 c1\n"
                               "=> take c1.0@84 c1.0\n"},
    {"1b alone: confirmed", OFF "rename c1 m1\n settle\n alloc 84 m1 0\n"
                                "=> inventory 84 VGPU=3\n"
                                "=> release c1.0@84\n"
                                "undomain c1.0@84\n"
                                "=> inventory 84 VGPU=4\n"
                                "set now=+60\n"
                                "=> remove c1.0@84\n"},
    {"1b a migration off a full card stands for its guest, and does not fail",
     TIGHT "running c1 c1.0@84\n rename c1 m1\n"
           "=> take c1.0@84 c1.0 for m1\n"
           "=> nothing\n"
           "? m1 migrating\n"},
    {"1c a server that is not yet removed, beside a migration",
     ONE "alloc 84 z1 1\n alloc 84 c1 1\n settle\n running c1 c1.0@84\n alloc 84 z1 0\n"
         "settle\n set now=+30\n rename c1 m1\n"
         "=> take c1.0@84 c1.0 for m1\n"
         "=> nothing\n"
         "? z1 releasing the grace period runs\n"
         "set now=+30\n"
         "=> remove z1.0@84\n"},
    {"1c that goes in the same moment: the migration gets the free device",
     ONE "alloc 84 z1 1\n alloc 84 c1 1\n settle\n running c1 c1.0@84\n alloc 84 z1 0\n"
         "rename c1 m1\n"
         "=> inventory 84 VGPU=3\n"
         "=> take z1.0@84 m1.0\n"
         "=> release c1.0@84\n"},
    {"1d after a reboot, a new server at the moment of a migration",
     OFF "reboot\n rename c1 m1\n alloc 84 a1 1\n"
         "=> create a1.0@84 35\n"
         "=> create m1.0@84 35\n"
         "=> forget c1.0@84\n"},
    {"1d a lost device of a server that was deleted is not a new one's",
     OFF "alloc 84 c1 0\n settle\n reboot\n alloc 84 a1 1\n"
         "=> inventory 84 VGPU=4\n"
         "=> create a1.0@84 35\n"
         "=> forget c1.0@84\n"},
    {"1d put back for a domain, it is still without an allocation",
     OFF "alloc 84 c1 0\n settle\n reboot\n set blind=1\n"
         "=> create c1.0@84 35\n"
         "set blind=0\n alloc 84 a1 1\n"
         "=> create a1.0@84 35\n"
         "=> nothing\n"
         "? c1 releasing a libvirt domain names it\n"},
    {"1e an orphaned guest keeps its device", RUNS "alloc 84 c1 0\n"
                                                   "=> inventory 84 VGPU=3\n"
                                                   "=> release c1.0@84\n"
                                                   "alloc 84 a1 1\n"
                                                   "=> create a1.0@84 35\n"
                                                   "=> nothing\n"
                                                   "whose c1.0@84 c1\n"},
    {"1e orphaned at the moment of a new server: that asks, and has its own",
     RUNS "alloc 84 c1 0\n alloc 84 a1 1\n"
          "=> take c1.0@84 c1.0 for a1\n"
          "? a1 migrating\n"
          "asked a1\n"
          "=> inventory 84 VGPU=3\n"
          "=> create a1.0@84 35\n"
          "=> release c1.0@84\n"
          "=> nothing\n"
          "? a1 ready\n"},
    {"1e or is a domain", RUNS "alloc 84 c1 0\n alloc 84 a1 1\n settle\n bare a1\n"
                               "=> inventory 84 VGPU=3\n"
                               "=> create a1.0@84 35\n"
                               "=> release c1.0@84\n"},
    {"1e or the orphan lets go", RUNS "alloc 84 c1 0\n alloc 84 a1 1\n settle\n"
                                      "undomain c1.0@84\n"
                                      "=> take c1.0@84 a1.0\n"},
    {"two migrations at once stand for both, whoever is whose",
     ONE "alloc 84 c1 1\n alloc 84 c2 1\n settle\n running c1 c1.0@84\n"
         "running c2 c2.0@84\n rename c1 m2\n rename c2 m1\n"
         "=> take c1.0@84 c1.0 for m1\n"
         "=> take c2.0@84 c2.0 for m2\n"
         "rename m1 c2\n"
         "=> take c1.0@84 c1.0 for m2\n"
         "=> take c2.0@84 c2.0\n"
         "rename m2 c1\n"
         "=> take c1.0@84 c1.0\n"},
    {"one was shut off without its device, one runs: nobody can tell",
     ONE "alloc 84 c1 1\n alloc 84 c2 1\n settle\n running c1 c1.0@84\n rename c1 m1\n"
         "rename c2 m2\n"
         "=> inventory 84 VGPU=3\n"
         "=> take c2.0@84 m1.0\n"
         "=> create m2.0@84 35\n"
         "=> release c1.0@84\n"},
};

static const struct plan_case naming[] = {
    {"a device that another domain names is not the consumer's any more",
     ONE "alloc 84 c1 1\n settle\n domain c2 c1.0@84\n alloc 84 a1 1\n"
         "=> inventory 84 VGPU=3\n"
         "=> create a1.0@84 35\n"
         "=> create c1.1@84 35\n"
         "=> release c1.0@84\n"
         "=> nothing\n"},
    {"but that domain's", ONE "alloc 84 c1 1\n settle\n domain c2 c1.0@84\n"
                              "alloc 84 c2 1\n"
                              "=> take c1.0@84 c2.0\n"
                              "=> create c1.1@84 35\n"},
    {"of two that only define it, it stays the consumer's",
     OFF "also c2 c1.0@84\n alloc 84 a1 1\n"
         "=> create a1.0@84 35\n"
         "=> nothing\n"
         "whose c1.0@84 c1\n"},
    {"a uuid that another domain names is not made for a consumer",
     ONE "domain c2 c1.0@84\n alloc 84 c1 1\n"
         "=> create c1.1@84 35\n"
         "=> nothing\n"
         "? c1 ready\n"},
    {"nor made again", ONE "alloc 84 c1 1\n settle\n reboot\n domain c2 c1.0@84\n"
                           "=> create c1.1@84 35\n"
                           "=> forget c1.0@84\n"},
    {"a card without room for another",
     TIGHT "domain c2 c1.0@84\n alloc 84 a1 0\n settle\n"
           "asked c1\n alloc 84 a1 1\n settle\n"
           "? c1 failed is left on this GPU; the\n"
           "=> nothing\n"},
};

static const struct plan_case counting[] = {
    {"7 held without an allocation: taken from the first moment",
     RUNS "alloc 84 c1 0\n"
          "=> inventory 84 VGPU=3\n"
          "=> release c1.0@84\n"
          "=> nothing\n"},
    {"7 until the guest lets go", RUNS "alloc 84 c1 0\n settle\n undomain c1.0@84\n"
                                       "=> inventory 84 VGPU=4\n"},
    {"7 by a process", ONE "alloc 84 c1 1\n settle\n hold c1.0@84\n alloc 84 c1 0\n"
                           "=> inventory 84 VGPU=3\n"
                           "=> release c1.0@84\n"},
    {"7 while it cannot be seen", ONE "alloc 84 c1 1\n settle\n set unknown=1\n"
                                      "alloc 84 c1 0\n"
                                      "=> inventory 84 VGPU=3\n"
                                      "=> release c1.0@84\n"},
};

static void keeps_migrated_guests_devices(void **state)
{
    (void)state;
    plan_cases_run(migrating, sizeof migrating / sizeof *migrating);
}

static void follows_the_domains(void **state)
{
    (void)state;
    plan_cases_run(naming, sizeof naming / sizeof *naming);
}

static void counts_what_is_held(void **state)
{
    (void)state;
    plan_cases_run(counting, sizeof counting / sizeof *counting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_migrated_guests_devices),
        cmocka_unit_test(follows_the_domains),
        cmocka_unit_test(counts_what_is_held),
    };
    return cmocka_run_group_tests_name("plan_ownership", tests, NULL, NULL);
}
