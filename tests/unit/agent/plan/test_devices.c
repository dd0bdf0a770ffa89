#include "tests/unit/test.h"

#include "tests/unit/agent/plan/plan_script.h"

#define ONE "gpu 84 35:4 36:2\ntype 35\nsettle\n"
#define TWO "gpu 84 35:4 36:2\ngpu 85 35:4 36:2\ntype 35\nsettle\n"
/* c1 has a device that the agent made. */
#define SERVED ONE "alloc 84 c1 1\nsettle\n"

static const struct plan_case making[] = {
    {"an allocation gets its device", ONE "alloc 84 c1 1\n"
                                          "use needed\n"
                                          "? c1 pending\n"
                                          "=> create c1.0@84 35\n"
                                          "=> nothing\n"
                                          "? c1 ready\n"
                                          "use not\n"},
    {"several units get a device each", ONE "alloc 84 c1 2\n alloc 84 c2 1\n"
                                            "=> create c1.0@84 35\n"
                                            "=> create c1.1@84 35\n"
                                            "=> create c2.0@84 35\n"},
    {"on two GPUs each has its own", TWO "alloc 84 c1 1\n alloc 85 c1 1\n"
                                         "=> create c1.0@84 35\n"
                                         "=> create c1.0@85 35\n"},
    {"more units later", SERVED "alloc 84 c1 3\n"
                                "use needed\n"
                                "=> create c1.1@84 35\n"
                                "=> create c1.2@84 35\n"},
    {"an allocation larger than what is left fails, others are served",
     SERVED "alloc 84 c2 5\n alloc 84 c3 1\n"
            "? c2 failed no instance of the type 'nvidia-35' is left on this GPU\n"
            "? c3 pending\n"
            "=> inventory 84 VGPU=7\n"
            "=> create c3.0@84 35\n"
            "? c1 ready\n"
            "? c3 pending\n"
            "alloc 84 c2 0\n"
            "=> inventory 84 VGPU=4\n"},
    {"an absurd amount is refused without counting up to it",
     ONE "alloc 84 c1 2000000000\n alloc 84 c2 1\n"
         "=> inventory 84 VGPU=2000000001\n"
         "=> create c2.0@84 35\n"
         "? c1 failed\n"},
    {"those that had devices come before newcomers",
     ONE "alloc 84 c4 1\n settle\n reboot\n alloc 84 c1 4\n alloc 84 c2 3\n"
         "=> inventory 84 VGPU=8\n"
         "=> create c4.0@84 35\n"
         "=> create c2.0@84 35\n"
         "=> create c2.1@84 35\n"
         "=> create c2.2@84 35\n"
         "? c1 failed\n"
         "? c2 pending\n"},
    {"a device in transition is neither free nor lost",
     SERVED "transit c1.0@84 uncounted\n"
            "=> nothing\n"
            "? c1 pending a device of it is in transition\n"
            "settled c1.0@84\n"
            "=> nothing\n"
            "? c1 ready\n"},
    {"where its instance may count as available yet, less is reported",
     SERVED "transit c1.0@84\n"
            "=> inventory 84 VGPU=3\n"
            "? c1 pending a device of it is in transition\n"
            "settled c1.0@84\n"
            "=> inventory 84 VGPU=4\n"},
    {"where the agent removes it, its instance does not",
     ONE "mdev d1 84 35\n settle\n transit d1 leaving\n"
         "=> inventory 84 VGPU=3\n"
         "settled d1\n transit d1\n"
         "=> inventory 84 VGPU=2\n"},
    {"nor does a card with virtual functions take more than it takes",
     "gpu 84 35:2 vfs=4\n type 35\n settle\n alloc 84 c1 1\n settle\n"
     "stray c1.0@84\n inventory 84 VGPU total=3 max_unit=3\n"
     "=> inventory 84 VGPU=2\n"},
    {"with a device in transition the inventory does not grow",
     SERVED "transit c1.0@84 uncounted\n inventory 84 VGPU total=1 max_unit=1\n"
            "=> nothing\n"
            "settled c1.0@84\n"
            "=> inventory 84 VGPU=4\n"},
    {"one that nobody knows where is neither", SERVED "stray c1.0@84 uncounted\n"
                                                      "=> nothing\n"
                                                      "? c1 pending\n"},
    {"what is in transition takes room",
     ONE "mdev d1 84 35\n mdev d2 84 35\n mdev d3 84 35\n settle\n transit d1\n"
         "domain x d2\n domain x d3\n settle\n alloc 84 c1 1\n settle\n"
         "? c1 pending it waits for a device in transition\n"
         "=> nothing\n"
         "settled d1\n"
         "=> inventory 84 VGPU=2\n"
         "=> take d1 c1.0 adopted\n"},
    {"counts that cannot be read: wait", ONE "counts 84 unreadable\n settle\n"
                                             "alloc 84 c1 1\n"
                                             "=> inventory 84 VGPU=1\n"
                                             "? c1 pending the number of available\n"},
    {"a sick GPU makes nothing", ONE "health 84 lost\n alloc 84 c1 1\n"
                                     "=> inventory 84 VGPU=4/4\n"
                                     "? c1 failed the GPU is not well: lost: test\n"},
    {"a device on a lost card is no device", SERVED "health 84 lost\n"
                                                    "=> inventory 84 VGPU=4/4\n"
                                                    "? c1 failed\n"},
    {"one on a card that cannot be read well is", SERVED "health 84 unreadable\n"
                                                         "=> inventory 84 VGPU=4/4\n"
                                                         "? c1 ready\n"},
    {"a guest shows", SERVED "running c1 c1.0@84\n alloc 84 c2 1\n"
                             "? c1 in-use\n"
                             "=> create c2.0@84 35\n"},
    {"no type that is offered", "gpu 84 35:4\n type 35\n settle\n notypes\n"
                                "type 77 84\n settle\n alloc 84 c1 1\n"
                                "=> inventory 84 VGPU=1\n"
                                "? c1 failed this GPU does not offer the type\n"},
    {"a new allocation on a retired provider",
     TWO "notypes\n type 35 85\n settle\n alloc 84 c1 1\n"
         "=> nothing\n"
         "? c1 failed no type is configured for this GPU any more\n"},
    {"a class of its own", "gpu 84 35:4\n type 35 class=CUSTOM_FAST\n settle\n"
                           "alloc 84 c1 1 class=CUSTOM_FAST\n settle\n"
                           "=> nothing\n"
                           "? c1 ready\n"},
    {"the provider is made first, its allocations come later",
     "gpu 84 35:4\n type 35\n provider 84 foreign\n inventory 84 VGPU total=4\n"
     "alloc 84 c1 1\n settle\n"
     "=> nothing\n"
     "? c1 ready\n"},
};

static const struct plan_case parents[] = {
    {"VFs are taken in order", "gpu 84 35:3 vfs=5\n type 35\n settle\n"
                               "alloc 84 c1 1\n alloc 84 c2 1\n alloc 84 c3 1\n"
                               "=> create c1.0@84 35 vf=0\n"
                               "=> create c2.0@84 35 vf=1\n"
                               "=> create c3.0@84 35 vf=2\n"},
    {"never more than the card takes, whatever its VFs show",
     "gpu 84 35:2 vfs=5\n type 35\n settle\n alloc 84 c1 1\n alloc 84 c2 2\n"
     "? c2 failed\n"
     "=> inventory 84 VGPU=3\n"
     "=> create c1.0@84 35 vf=0\n"},
    {"VFs that are taken are passed over",
     "gpu 84 35:4 vfs=5\n type 35\n mdev d1 84 35 vf=1\n domain x d1\n settle\n"
     "alloc 84 c1 3\n"
     "=> create c1.0@84 35 vf=0\n"
     "=> create c1.1@84 35 vf=2\n"
     "=> create c1.2@84 35 vf=3\n"},
    {"only the VFs that are configured",
     "gpu 84 35:4 vfs=5\n type 35 84.2 84.4\n settle\n"
     "alloc 84 c1 2\n"
     "=> create c1.0@84 35 vf=2\n"
     "=> create c1.1@84 35 vf=4\n"},
    {"a lost device goes back to its VF",
     "gpu 84 35:4 vfs=5\n type 35\n settle\n alloc 84 c2 1\n settle\n"
     "alloc 84 c1 1\n settle\n reboot\n"
     "=> create c1.0@84 35 vf=1\n"
     "=> create c2.0@84 35 vf=0\n"},
    {"or to another where that is taken",
     "gpu 84 35:4 vfs=5\n type 35\n settle\n alloc 84 c1 1\n settle\n reboot\n"
     "mdev d1 84 35 vf=0\n domain x d1\n settle\n"
     "=> nothing\n"
     "? c1 ready\n"},
};

static const struct plan_case again[] = {
    {"after a reboot the same uuids are back", ONE "alloc 84 c1 2\n settle\n reboot\n"
                                                   "=> create c1.0@84 35\n"
                                                   "=> create c1.1@84 35\n"
                                                   "=> nothing\n"},
    {"a single lost device is back", ONE "alloc 84 c1 2\n settle\n lose c1.1@84\n"
                                         "=> create c1.1@84 35\n"},
    {"after a reboot without Placement the journal suffices",
     ONE "alloc 84 c1 2\n settle\n reboot\n set blind=1\n"
         "=> create c1.0@84 35\n"
         "=> create c1.1@84 35\n"
         "=> nothing\n"
         "set blind=0\n"
         "=> nothing\n"},
    {"what was released is not put back", SERVED "alloc 84 c1 0\n settle\n reboot\n"
                                                 "set blind=1\n"
                                                 "=> nothing\n"
                                                 "set blind=0\n"
                                                 "=> forget c1.0@84\n"},
    {"unless it is not known whether a guest that is shut off names it",
     SERVED "alloc 84 c1 0\n settle\n reboot\n set blind=1 unknown=1\n"
            "=> nothing\n"
            "! cannot be put back: it is not known whether a domain names it\n"},
    {"what cannot be put back is said",
     SERVED "reboot\n set blind=1\n absent 84\n"
            "=> nothing\n"
            "! cannot be put back: the GPU is not\n"},
    {"after a driver upgrade the type is known by its name",
     SERVED "reboot\n retype 84 35 -> 45\n retype 84 36 -> 35\n notypes\n type T-35\n"
            "settle\n"
            "? c1 ready\n"
            "reboot\n"
            "=> create c1.0@84 45\n"},
    {"a lost device of an old type is made as it was",
     SERVED "notypes\n type 36\n settle\n reboot\n"
            "=> create c1.0@84 35\n"
            "settle\n"
            "? c1 ready\n"},
    {"a lost device whose type is offered no more is of the new one",
     SERVED "reboot\n notypes\n type 45\n retype 84 35 -> 45\n"
            "settle\n"
            "=> nothing\n"
            "? c1 ready\n"},
    {"an adopted device that is lost is made by the agent",
     ONE "mdev d1 84 35\n alloc 84 c1 1\n settle\n reboot\n"
         "=> create d1 35\n"
         "alloc 84 c1 0\n"
         "=> release d1\n"
         "set now=+60\n"
         "=> remove d1\n"},
    {"after a lost journal computed uuids are taken up", SERVED "journal lost\n"
                                                                "use needed\n"
                                                                "=> note 84\n"
                                                                "=> take c1.0@84 c1.0\n"
                                                                "then\n"
                                                                "=> rebuilt\n"
                                                                "=> nothing\n"},
    {"but not one that another guest has by now",
     SERVED "running c2 c1.0@84\n journal lost\n"
            "=> note 84\n"
            "=> inventory 84 VGPU=3\n"
            "=> create c1.1@84 35\n"
            "=> rebuilt\n"
            "=> nothing\n"},
};

static const struct plan_case matching[] = {
    {"a domain that is the consumer has its device",
     ONE "mdev d1 84 35\n mdev d2 84 35\n running c1 d2\n alloc 84 c1 1\n"
         "? c1 in-use\n"
         "=> take d2 c1.0 adopted\n"},
    {"even one of another type",
     "gpu 84 35:4 36:2 mixed\n type 35\n settle\n mdev d1 84 36\n running c1 d1\n"
     "alloc 84 c1 1\n settle\n"
     "=> nothing\n"
     "? c1 ready\n"},
    {"an idle device of nobody's is used before one is made",
     ONE "mdev d1 84 35\n alloc 84 c1 2\n"
         "=> take d1 c1.0 adopted\n"
         "=> create c1.1@84 35\n"},
    {"an idle one of another type is not",
     "gpu 84 35:4 36:2 mixed\n type 35\n settle\n mdev d1 84 36\n alloc 84 c1 1\n"
     "settle\n"
     "? c1 ready\n"
     "lose d1\n"
     "=> nothing\n"},
    {"nor one that mdevctl defines", ONE "mdev d1 84 35\n mdevctl d1\n alloc 84 c1 1\n"
                                         "=> inventory 84 VGPU=3\n"
                                         "=> create c1.0@84 35\n"},
    {"nor one that another domain names",
     ONE "mdev d1 84 35\n domain c2 d1\n alloc 84 c1 1\n"
         "=> inventory 84 VGPU=3\n"
         "=> create c1.0@84 35\n"},
    {"nor one with an open group", ONE "mdev d1 84 35\n hold d1\n alloc 84 c1 1\n"
                                       "=> inventory 84 VGPU=3\n"
                                       "=> create c1.0@84 35\n"},
    {"nor one in transition",
     ONE "mdev d1 84 35\n transit d1 uncounted\n alloc 84 c1 1\n"
         "=> inventory 84 VGPU=3\n"
         "=> create c1.0@84 35\n"},
    {"nor any when it cannot be told", ONE "mdev d1 84 35\n set unknown=1\n"
                                           "alloc 84 c1 1\n"
                                           "=> inventory 84 VGPU=3\n"
                                           "=> create c1.0@84 35\n"},
    {"nor one on a VF that is not configured",
     "gpu 84 35:4 vfs=4\n type 35 84.0 84.1\n mdev d1 84 35 vf=3\n settle\n"
     "alloc 84 c1 1\n"
     "=> create c1.0@84 35 vf=0\n"},
    {"a migration renames the consumer: no second device",
     SERVED "running c1 c1.0@84\n rename c1 m1\n"
            "use needed\n"
            "=> take c1.0@84 c1.0 for m1\n"
            "=> nothing\n"
            "? m1 migrating it is taken for a migration of\n"
            "use needed\n"
            "rename m1 c1\n"
            "=> take c1.0@84 c1.0\n"
            "=> nothing\n"
            "whose c1.0@84 c1\n"},
    {"and when it is over the device goes",
     SERVED "running c1 c1.0@84\n rename c1 m1\n settle\n undomain c1.0@84\n"
            "alloc 84 m1 0\n"
            "=> release c1.0@84\n"
            "set now=+60\n"
            "=> remove c1.0@84\n"},
    {"a migration of a guest that is shut off",
     SERVED "domain c1 c1.0@84\n rename c1 m1\n"
            "=> take c1.0@84 c1.0 for m1\n"},
    {"a migration while who uses what cannot be read gets a new device",
     SERVED "set unknown=1\n rename c1 m1\n"
            "=> inventory 84 VGPU=3\n"
            "=> create m1.0@84 35\n"
            "=> release c1.0@84\n"
            "rename m1 c1\n"
            "=> take c1.0@84 c1.0\n"
            "=> release m1.0@84\n"},
    {"but is seen by a domain",
     SERVED "set unknown=1\n domain c1 c1.0@84\n rename c1 m1\n"
            "=> take c1.0@84 c1.0 for m1\n"},
    {"a migration of a guest with a device of the old type",
     "gpu 84 35:4 36:2 mixed\n type 35\n settle\n alloc 84 c1 1\n settle\n"
     "running c1 c1.0@84\n notypes\n type 36\n settle\n rename c1 m1\n"
     "=> take c1.0@84 c1.0 for m1\n"},
    {"several at once come home to their own devices",
     ONE "alloc 84 c1 1\n alloc 84 c2 1\n settle\n running c1 c1.0@84\n"
         "running c2 c2.0@84\n rename c1 m1\n rename c2 m2\n settle\n"
         "rename m2 c2\n settle\n whose c2.0@84 c2\n"
         "rename m1 c1\n settle\n whose c2.0@84 c2\n whose c1.0@84 c1\n"
         "=> nothing\n"},
    {"whichever of them the migrations were noted for",
     ONE "alloc 84 c1 1\n alloc 84 c2 1\n settle\n running c1 c1.0@84\n"
         "running c2 c2.0@84\n rename c1 m2\n rename c2 m1\n settle\n"
         "rename m1 c2\n settle\n whose c2.0@84 c2\n"
         "rename m2 c1\n settle\n whose c2.0@84 c2\n whose c1.0@84 c1\n"
         "=> nothing\n"},
    {"a resize to the same host: the guest keeps its device, the migration gets one",
     SERVED "running c1 c1.0@84\n rename c1 m1\n settle\n alloc 84 c1 1\n"
            "=> take c1.0@84 c1.0\n"
            "=> create m1.0@84 35\n"
            "alloc 84 m1 0\n"
            "=> release m1.0@84\n"},
    {"after a migration and a reboot the guest's uuid is back",
     SERVED "domain c1 c1.0@84\n rename c1 m1\n settle\n reboot\n"
            "=> create c1.0@84 35 for m1\n"
            "=> nothing\n"
            "? m1 migrating\n"
            "rename m1 c1\n"
            "=> take c1.0@84 c1.0\n"},
    {"a migration and a reboot at the same time", SERVED "reboot\n rename c1 m1\n"
                                                         "=> create c1.0@84 35\n"},
    {"a free device of one that is gone serves the next",
     SERVED "alloc 84 c1 0\n settle\n alloc 84 c2 1\n"
            "=> take c1.0@84 c2.0\n"
            "=> nothing\n"},
    {"one that was released and is gone is nobody's, and not made again",
     SERVED "alloc 84 c1 0\n settle\n lose c1.0@84\n notypes\n type 36\n settle\n"
            "=> nothing\n"
            "notypes\n type 35\n settle\n alloc 84 c1 1\n settle\n"
            "alloc 84 c1 0\n settle\n lose c1.0@84\n alloc 84 c2 1\n"
            "=> create c2.0@84 35\n"
            "=> forget c1.0@84\n"},
    {"not one that a process holds", SERVED "hold c1.0@84\n alloc 84 c1 0\n settle\n"
                                            "alloc 84 c2 1\n"
                                            "=> create c2.0@84 35\n"},
    {"the free one before the one that a guest still has",
     ONE "alloc 84 c1 1\n alloc 84 c2 1\n settle\n running c1 c1.0@84\n"
         "alloc 84 c1 0\n alloc 84 c2 0\n settle\n alloc 84 c3 1\n"
         "=> take c2.0@84 c3.0\n"},
    {"nor one that a guest still has, of a consumer that went before the next one came",
     SERVED "running c1 c1.0@84\n alloc 84 c1 0\n settle\n alloc 84 c2 1\n"
            "=> create c2.0@84 35\n"},
    {"back for a consumer whose device went to another: a new uuid",
     SERVED "alloc 84 c1 0\n alloc 84 c2 1\n settle\n running c2 c1.0@84\n"
            "alloc 84 c1 1\n"
            "=> create c1.1@84 35\n"
            "=> nothing\n"
            "? c1 ready\n"
            "? c2 ready\n"},
    {"an allocation that shrinks keeps the device in use",
     ONE "alloc 84 c1 2\n settle\n running c1 c1.1@84\n alloc 84 c1 1\n"
         "use needed\n"
         "=> release c1.0@84\n"
         "? c1 in-use\n"},
    {"and gets it back when it grows again",
     ONE "alloc 84 c1 2\n settle\n alloc 84 c1 1\n settle\n alloc 84 c1 2\n"
         "=> take c1.1@84 c1.1\n"},
    {"a device of another consumer on another GPU is not touched",
     TWO "alloc 84 c1 1\n settle\n alloc 84 c1 0\n alloc 85 c1 1\n"
         "=> release c1.0@84\n"
         "=> create c1.0@85 35\n"},
    {"after a new root the devices stay with their consumers",
     SERVED "newroot\n adopt\n settle\n alloc 84 c1 1\n settle\n"
            "=> nothing\n"
            "? c1 ready\n"},
    {"after the provider came back with another uuid as well",
     SERVED "unprovider 84\n provider 84 foreign\n inventory 84 VGPU total=4\n"
            "alloc 84 c1 1\n settle\n"
            "=> nothing\n"
            "? c1 ready\n"},
};

static const struct plan_case changing[] = {
    {"another type while devices of the old one live",
     SERVED "notypes\n type 36\n settle\n inventory 84 VGPU step=2\n"
            "=> inventory 84 VGPU=1/1\n"
            "? c1 ready\n"
            "! none\n"
            "alloc 84 c2 1\n"
            "=> inventory 84 VGPU=2/2\n"
            "? c2 failed no instance of the type 'nvidia-36' is left on this GPU: it\n"
            "alloc 84 c1 0\n"
            "=> inventory 84 VGPU=1/1\n"
            "=> release c1.0@84\n"
            "set now=+60\n"
            "=> remove c1.0@84\n"
            "then\n"
            "=> inventory 84 VGPU=2\n"
            "=> create c2.0@84 36\n"},
    {"and back again",
     SERVED "notypes\n type 36\n settle\n notypes\n type 35\n settle\n"
            "inventory 84 VGPU step=2\n"
            "=> inventory 84 VGPU=4\n"
            "? c1 ready\n"},
    {"where types stand beside each other the new one is there at once",
     "gpu 84 35:4 36:2 mixed\n type 35\n settle\n alloc 84 c1 1\n settle\n"
     "notypes\n type 36\n settle\n inventory 84 VGPU step=2\n"
     "=> inventory 84 VGPU=3\n"},
    {"a GPU that is dropped: what is allocated goes on",
     TWO "alloc 84 c1 1\n settle\n notypes\n type 35 85\n settle\n reboot\n"
         "=> create c1.0@84 35\n"
         "? c1 pending\n"
         "alloc 84 c1 0\n"
         "=> release c1.0@84\n"},
    {"restored old types first, new ones at the next look",
     SERVED "notypes\n type 36\n settle\n reboot\n alloc 84 c2 1\n"
            "? c2 pending devices of another type are made on this GPU first\n"
            "=> inventory 84 VGPU=2/2\n"
            "=> create c1.0@84 35\n"
            "? c1 pending\n"
            "settle\n"
            "? c2 failed\n"},
};

static void makes_devices(void **state)
{
    (void)state;
    plan_cases_run(making, sizeof making / sizeof *making);
}

static void chooses_parents(void **state)
{
    (void)state;
    plan_cases_run(parents, sizeof parents / sizeof *parents);
}

static void makes_lost_devices_again(void **state)
{
    (void)state;
    plan_cases_run(again, sizeof again / sizeof *again);
}

static void matches_devices(void **state)
{
    (void)state;
    plan_cases_run(matching, sizeof matching / sizeof *matching);
}

static void changes_types(void **state)
{
    (void)state;
    plan_cases_run(changing, sizeof changing / sizeof *changing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_devices),
        cmocka_unit_test(chooses_parents),
        cmocka_unit_test(makes_lost_devices_again),
        cmocka_unit_test(matches_devices),
        cmocka_unit_test(changes_types),
    };
    return cmocka_run_group_tests_name("plan_devices", tests, NULL, NULL);
}
