#include "tests/unit/test.h"

#include "tests/unit/agent/plan/plan_script.h"

/* Nova's child of one card, with the agent's traits on it. */
#define NOVA                                                             \
    "set mode=nova\n gpu 84 35:4 36:2\n type 35\n provider 84 foreign\n" \
    "inventory 84 VGPU total=4 max_unit=4\n settle\n"

/* Two cards of different types. */
#define TWO_OF_NOVA                                                                   \
    "set mode=nova\n gpu 84 35:4 36:2\n gpu 85 35:4 36:2\n type 35 84\n type 36 85\n" \
    "provider 84 a\n provider 85 b\n inventory 84 VGPU total=4 max_unit=4\n"          \
    "inventory 85 VGPU total=2 max_unit=2\n settle\n"

static const struct plan_case nova[] = {
    {"Nova's child is waited for",
     "set mode=nova\n gpu 84 35:4\n type 35\n"
     "=> nothing\n"
     "! host_pci_0000_84_00_0: nova-compute has not made\n"},
    {"it gets traits, and not our mark",
     "set mode=nova\n gpu 84 35:4\n type 35 traits=CUSTOM_SITE\n provider 84 foreign\n"
     "inventory 84 VGPU total=4\n traits 84 +OWNER_NOVA\n"
     "=> trait CUSTOM_GRID_T_35\n"
     "=> trait CUSTOM_NVIDIA_35\n"
     "=> trait CUSTOM_SITE\n"
     "=> traits 84 +CUSTOM_GRID_T_35 +CUSTOM_NVIDIA_35 +CUSTOM_SITE\n"
     "! none\n"
     "=> nothing\n"},
    {"traits of a former type go", NOVA "notypes\n type 36\n"
                                        "=> trait CUSTOM_GRID_T_36\n"
                                        "=> trait CUSTOM_NVIDIA_36\n"
                                        "=> traits 84 +CUSTOM_GRID_T_36 "
                                        "+CUSTOM_NVIDIA_36 -CUSTOM_GRID_T_35 "
                                        "-CUSTOM_NVIDIA_35\n"},
    {"an inventory that differs is said and not mended", NOVA
     "inventory 84 VGPU total=1\n"
     "=> nothing\n"
     "! nova-compute reports 1 of VGPU, the host offers 4: it has not looked since, "
     "or has another type configured\n"},
    {"another type's devices are named",
     NOVA "mdev d1 84 36\n"
          "=> nothing\n"
          "! its GPU has devices of the type 'nvidia-36', not of 'nvidia-35'\n"},
    {"nothing is held back", NOVA "health 84 lost\n"
                                  "=> nothing\n"
                                  "! 0000:84:00.0: lost\n"},
    {"the root is not made", "set mode=nova create_root=1\n gpu 84 35:4\n type 35\n"
                             "noroot\n"
                             "=> nothing\n"
                             "! nova-compute has not made it yet\n"},
    {"no device is made", NOVA "alloc 84 c1 1\n"
                               "=> nothing\n"
                               "? c1 pending nova-compute makes its device\n"},
    {"which guest has which device is noted",
     NOVA "alloc 84 c1 1\n mdev d1 84 35\n mdev d2 84 35\n running c1 d2\n"
          "use needed\n"
          "=> take d2 c1.0 adopted\n"
          "? c1 in-use\n"
          "=> nothing\n"
          "? c1 in-use\n"},
    {"what nova-compute is about to make is no problem", NOVA "alloc 84 c1 1\n"
                                                              "=> nothing\n"
                                                              "! none\n"},
    {"a migration has the guest's allocation, and the guest its device",
     NOVA "alloc 84 c1 1\n mdev d1 84 35\n running c1 d1\n settle\n rename c1 m1\n"
          "=> nothing\n"
          "? m1 migrating\n"
          "! none\n"},
    {"1a beside a new server nobody can tell which of them it is",
     NOVA "alloc 84 c1 1\n mdev d1 84 35\n running c1 d1\n settle\n rename c1 m1\n"
          "alloc 84 a1 1\n"
          "=> nothing\n"
          "? a1 pending nova-compute makes its device\n"
          "? m1 pending nova-compute makes its device\n"
          "bare a1\n"
          "? a1 pending nova-compute makes its device\n"
          "? m1 migrating\n"},
    {"but not that of a guest with an allocation of its own",
     NOVA "alloc 84 c1 1\n alloc 84 m1 1\n mdev d1 84 35\n mdev d2 84 35\n"
          "running c1 d1\n running c1 d2\n settle\n"
          "=> nothing\n"
          "? c1 in-use\n"
          "? m1 pending nova-compute makes its device\n"},
    {"two devices of one guest", NOVA "alloc 84 c1 2\n mdev d1 84 35\n mdev d2 84 35\n"
                                      "running c1 d1\n running c1 d2\n settle\n"
                                      "whose d1 c1\n whose d2 c1\n"
                                      "=> nothing\n"},
    {"a device that Nova gives to another guest",
     NOVA "mdev d1 84 35\n domain c1 d1\n settle\n domain c2 d1\n"
          "=> take d1 c2.0 adopted\n"},
    {"a device that no guest has any more is forgotten and stays",
     NOVA "mdev d1 84 35\n domain c1 d1\n settle\n undomain d1\n"
          "=> forget d1\n"
          "set now=+600\n"
          "=> nothing\n"},
    {"after owner mode nothing of ours is removed",
     "gpu 84 35:4\n type 35\n settle\n alloc 84 c1 1\n settle\n set mode=nova\n "
     "settle\n"
     "alloc 84 c1 0\n settle\n set now=+600\n"
     "=> nothing\n"},
    {"each VF has Nova's child, and its own traits",
     "set mode=nova\n gpu 84 35:2 36:2 vfs=3\n type 35 84.0 84.1\n type 36 84.2\n"
     "provider 84.0 a\n provider 84.1 b\n provider 84.2 c\n"
     "=> trait CUSTOM_GRID_T_35\n"
     "=> trait CUSTOM_NVIDIA_35\n"
     "=> trait CUSTOM_GRID_T_36\n"
     "=> trait CUSTOM_NVIDIA_36\n"
     "=> traits 84.0 +CUSTOM_GRID_T_35 +CUSTOM_NVIDIA_35\n"
     "=> traits 84.1 +CUSTOM_GRID_T_35 +CUSTOM_NVIDIA_35\n"
     "=> traits 84.2 +CUSTOM_GRID_T_36 +CUSTOM_NVIDIA_36\n"},
    {"a VF of a full card has no child, and none is waited for",
     "set mode=nova\n gpu 84 35:1 vfs=3\n type 35\n provider 84.0 a\n"
     "inventory 84.0 VGPU total=1 max_unit=1\n mdev d1 84 35 vf=0\n running c1 d1\n "
     "settle\n"
     "=> nothing\n"
     "! none\n"},
    {"or has one that offers what the card has not: said once a card",
     "set mode=nova\n gpu 84 35:1 vfs=3\n type 35\n provider 84.0 a\n"
     "provider 84.1 b\n provider 84.2 c\n inventory 84.0 VGPU total=1 max_unit=1\n"
     "inventory 84.1 VGPU total=1 max_unit=1\n"
     "inventory 84.2 VGPU total=1 max_unit=1\n"
     "mdev d1 84 35 vf=0\n running c1 d1\n settle\n"
     "=> nothing\n"
     "! 0000:84:00.0: nova-compute reports more virtual functions of it than it\n"},
    {"or will have, as soon as it is full",
     "set mode=nova\n gpu 84 35:1 vfs=2\n type 35\n provider 84.0 a\n"
     "provider 84.1 b\n inventory 84.0 VGPU total=1 max_unit=1\n"
     "inventory 84.1 VGPU total=1 max_unit=1\n settle\n"
     "=> nothing\n"
     "! 0000:84:00.0: nova-compute reports more virtual functions of it than it\n"},
    {"what owner mode made for a consumer is no device of nova-compute's",
     "gpu 84 35:4\n type 35\n settle\n alloc 84 c1 1\n settle\n set mode=nova\n"
     "settle\n"
     "=> nothing\n"
     "? c1 failed was made in owner mode, and in nova mode nobody puts it into\n"
     "running c1 c1.0@84\n settle\n"
     "? c1 in-use\n"},
    {"nova-compute makes no children beyond max_instances",
     "set mode=nova\n gpu 84 35:2\n gpu 85 35:2\n type 35 max=3\n provider 84 a\n"
     "inventory 84 VGPU total=2 max_unit=2\n settle\n"
     "=> nothing\n"
     "! none\n"},
    {"a child without a type any more loses what is ours on it", NOVA
     "traits 84 +CUSTOM_SITE\n notypes\n"
     "=> traits 84 -CUSTOM_GRID_T_35 -CUSTOM_NVIDIA_35\n"
     "! host_pci_0000_84_00_0: nova-compute reports it, but no type is configured\n"
     "=> forgetprovider 84\n"
     "=> nothing\n"
     "! no type is configured for its GPU: it gets no traits\n"},
    {"not while its GPU is away", NOVA "absent 84\n"
                                       "=> nothing\n"
                                       "! host_pci_0000_84_00_0: its GPU is not there\n"
                                       "present 84\n"
                                       "=> nothing\n"
                                       "! none\n"},
    {"a child of a parent that was never configured",
     NOVA "gpu 85 35:4\n notypes\n type 35 84\n provider 85 b\n"
          "inventory 85 VGPU total=4 max_unit=4\n"
          "=> nothing\n"
          "! host_pci_0000_85_00_0: nova-compute reports it, but no type\n"},
    {"a child left over from owner mode is said, and pruned when asked",
     "gpu 84 35:2 vfs=2\n type 35\n settle\n set mode=nova\n"
     "provider 84.0 a\n provider 84.1 b\n settle\n"
     "=> nothing\n"
     "! host_pci_0000_84_00_0: left over from owner mode\n"
     "set prune=1\n"
     "=> delete 84\n"},
};

static const struct plan_case restoring[] = {
    {"what a domain names is put back, before Placement is there",
     NOVA "mdev d1 84 35\n mdev d2 84 35\n domain c1 d1\n domain c2 d2\n settle\n"
          "reboot\n set blind=1\n"
          "use needed\n"
          "=> create d1 35\n"
          "=> create d2 35\n"
          "set blind=0\n"
          "=> nothing\n"},
    {"while libvirt's domains cannot be seen nothing is forgotten, nor put back",
     NOVA "mdev d1 84 35\n mdev d2 84 35\n domain c1 d1\n domain c2 d2\n settle\n"
          "undomain d1\n undomain d2\n set unknown=1\n"
          "=> nothing\n"
          "reboot\n"
          "=> nothing\n"
          "! cannot be put back: it is not known whether a domain names it\n"
          "! the device 6431\n"
          "set blind=1\n"
          "=> nothing\n"
          "! the device 6432\n"
          "domain c1 d1\n set unknown=0\n"
          "=> create d1 35\n"},
    {"in a cycle as well", NOVA "mdev d1 84 35\n domain c1 d1\n settle\n reboot\n"
                                "=> create d1 35\n"},
    {"what no domain names any more is forgotten",
     NOVA "mdev d1 84 35\n domain c1 d1\n settle\n lose d1\n undomain d1\n"
          "=> forget d1\n"},
    {"each goes back to its VF",
     "set mode=nova\n gpu 84 35:3 vfs=3\n type 35\n provider 84.0 a\n provider 84.1 b\n"
     "provider 84.2 c\n mdev d1 84 35 vf=2\n mdev d2 84 35 vf=1\n domain c1 d1\n"
     "domain c2 d2\n settle\n reboot\n"
     "=> create d2 35 vf=1\n"
     "=> create d1 35 vf=2\n"},
    {"under another root as well, and nothing else is done",
     NOVA "mdev d1 84 35\n domain c1 d1\n settle\n newroot\n provider 84 a\n"
          "=> nothing\n"
          "! the state file belongs to the root provider host (\n"
          "undomain d1\n"
          "=> nothing\n"
          "domain c1 d1\n reboot\n"
          "=> create d1 35\n"},
    {"one that the journal does not know is put back where the allocation is",
     "set mode=nova\n gpu 84 35:4\n gpu 85 35:4\n type 35\n provider 84 a\n provider "
     "85 b\n"
     "inventory 84 VGPU total=4 max_unit=4\n inventory 85 VGPU total=4 max_unit=4\n "
     "settle\n"
     "alloc 85 c1 2\n mdev d1 85 35\n mdev d2 85 35\n domain c1 d1\n domain c1 d2\n"
     "reboot\n"
     "use needed\n"
     "=> create d1 35\n"
     "=> create d2 35\n"
     "? c1 pending\n"
     "=> nothing\n"
     "! none\n"},
    {"and is said where there is no allocation, or nobody to ask",
     NOVA "mdev d1 84 35\n domain c1 d1\n reboot\n"
          "alloc 84 c2 1\n"
          "=> nothing\n"
          "! neither the state file nor an allocation says of which GPU it was\n"
          "alloc 84 c2 0\n alloc 84 c1 1\n set blind=1\n"
          "=> nothing\n"
          "set blind=0\n"
          "=> create d1 35\n"},
    {"several on several GPUs are not guessed",
     TWO_OF_NOVA "mdev d1 84 35\n mdev d2 85 36\n alloc 84 c1 1\n alloc 85 c1 1\n "
                 "domain c1 d1\n domain c1 d2\n reboot\n"
                 "=> nothing\n"
                 "! the device 6431\n"
                 "! the device 6432\n"
                 "! of which of its allocations it was, and this is not guessed\n"
                 "? c1 pending\n"},
    {"nor one of them",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n alloc 85 c1 1\n domain c1 d1\n "
                 "reboot\n"
                 "=> nothing\n"
                 "! of which of its allocations it was, and this is not guessed\n"},
    {"nor more than were allocated",
     TWO_OF_NOVA "mdev d1 84 35\n mdev d2 85 36\n alloc 84 c1 1\n domain c1 d1\n "
                 "domain c1 d2\n reboot\n"
                 "=> nothing\n"
                 "! more such devices than its allocation has\n"},
    {"one that the journal has takes up what was allocated", TWO_OF_NOVA
     "mdev d1 84 35\n alloc 84 c1 1\n domain c1 d1\n settle\n"
     "mdev d2 85 36\n domain c1 d2\n reboot\n"
     "=> create d1 35\n"
     "! more such devices than its allocation has\n"
     "=> nothing\n"
     "! neither the state file nor an allocation says of which GPU it was\n"},
    {"nor while another provider cannot be read",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n domain c1 d1\n reboot\n"
                 "undetailed 85\n"
                 "=> nothing\n"
                 "! could not be read\n"
                 "undetailed 85 no\n"
                 "=> create d1 35\n"},
    {"nor where two domains name it",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n alloc 85 c2 1\n domain c1 d1\n "
                 "also c2 d1\n reboot\n"
                 "=> nothing\n"
                 "! another domain names 6431\n"},
    {"nor while its migration can have the allocation that it was of",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n domain c1 d1\n reboot\n"
                 "rename c1 m1\n alloc 85 c1 1\n"
                 "=> nothing\n"
                 "! can be a migration of the server, and this is not guessed\n"
                 "alloc 84 m1 0\n alloc 85 c1 0\n alloc 84 c1 1\n"
                 "=> create d1 35\n"},
    {"also when the card of the migration is gone",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n domain c1 d1\n absent 84\n"
                 "rename c1 m1\n alloc 85 c1 1\n"
                 "=> nothing\n"
                 "! can be a migration of the server, and this is not guessed\n"},
    {"also when nothing is configured for it any more",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n domain c1 d1\n reboot\n journal "
                 "lost\n notypes\n type 36 85\n"
                 "rename c1 m1\n alloc 85 c1 1\n"
                 "=> note 85\n"
                 "=> rebuilt\n"
                 "! can be a migration of the server, and this is not guessed\n"},
    {"a migration on the same GPU had its devices there, too",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n domain c1 d1\n reboot\n"
                 "rename c1 m1\n alloc 84 c1 1\n"
                 "=> create d1 35\n"},
    {"other servers' allocations are no doubt",
     TWO_OF_NOVA "mdev d1 84 35\n alloc 84 c1 1\n domain c1 d1\n reboot\n"
                 "alloc 85 c2 1\n bare c2\n"
                 "=> create d1 35\n"},
    {"what is left when the others are there is certain",
     TWO_OF_NOVA "mdev d2 85 36\n alloc 84 c1 1\n alloc 85 c1 1\n domain c1 d1\n "
                 "domain c1 d2\n"
                 "=> create d1 35\n"
                 "=> take d2 c1.0 adopted\n"},
    {"a running guest cannot have lost it",
     NOVA "mdev d1 84 35\n running c1 d1\n alloc 84 c1 1\n lose d1\n"
          "=> nothing\n"
          "! none\n"},
    {"none is put back where its VF is taken",
     "set mode=nova\n gpu 84 35:3 vfs=3\n type 35\n provider 84.0 a\n provider 84.1 b\n"
     "provider 84.2 c\n mdev d1 84 35 vf=2\n domain c1 d1\n settle\n reboot\n"
     "mdev d3 84 35 vf=2\n"
     "=> nothing\n"
     "! the device 6431\n"},
};

static void stands_beside_nova(void **state)
{
    (void)state;
    plan_cases_run(nova, sizeof nova / sizeof *nova);
}

static void restores(void **state)
{
    (void)state;
    plan_cases_run(restoring, sizeof restoring / sizeof *restoring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_beside_nova),
        cmocka_unit_test(restores),
    };
    return cmocka_run_group_tests_name("plan_nova", tests, NULL, NULL);
}
