#include "tests/unit/test.h"

#include "tests/unit/agent/plan/plan_script.h"

#define NEW_TRAITS                \
    "=> trait CUSTOM_GRID_T_35\n" \
    "=> trait CUSTOM_NVIDIA_35\n" \
    "=> trait CUSTOM_OWNER_VGPU_AGENT\n"
#define TRAITS_35 "+CUSTOM_GRID_T_35 +CUSTOM_NVIDIA_35 +CUSTOM_OWNER_VGPU_AGENT\n"
#define ONE "gpu 84 35:16 36:8\ntype 35\nsettle\n"
#define TWO "gpu 84 35:4 36:2\ngpu 85 35:4 36:2\ntype 35\nsettle\n"

static const struct plan_case providers[] = {
    {"a new GPU is reported", "gpu 84 35:16 36:8\n"
                              "type 35\n" NEW_TRAITS "=> provider 84\n"
                              "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=16\n"
                              "use not\n"
                              "! none\n"
                              "wake none\n"
                              "=> nothing\n"},
    {"GPUs get the types that name them, others the default",
     "gpu 84 35:16 36:8\n gpu 85 35:16 36:8\n gpu 86 35:16 36:8\n"
     "type 36 85\n type 35\n settle\n"
     "inventory 84 VGPU total=1\n inventory 85 VGPU total=1\n"
     "inventory 86 VGPU total=1\n"
     "=> inventory 84 VGPU=16\n"
     "=> inventory 85 VGPU=8\n"
     "=> inventory 86 VGPU=16\n"},
    {"a GPU that no type is for is left alone",
     "gpu 84 35:4\n gpu 85 35:4\n type 35 85\n settle\n"
     "inventory 85 VGPU total=1\n"
     "=> inventory 85 VGPU=4\n"
     "! none\n"},
    {"the default is for GPUs that offer it",
     "gpu 84 35:4\n gpu 85 99:4\n type 35\n settle\n"
     "inventory 84 VGPU total=1\n"
     "=> inventory 84 VGPU=4\n"
     "! none\n"},
    {"a default that no GPU offers is a problem",
     "gpu 84 35:4\n type 77\n"
     "=> nothing\n"
     "! no GPU of this host offers the type 'nvidia-77'\n"},
    {"a named GPU that does not offer its type is a problem",
     "gpu 84 35:4\n type 77 84\n"
     "=> nothing\n"
     "! 0000:84:00.0: it does not offer the type 'nvidia-77' that is configured\n"},
    {"types are configured by name as well",
     "gpu 84 35:16\n type T-35\n"
     "=> trait CUSTOM_GRID_T_35\n"
     "=> trait CUSTOM_NVIDIA_35\n"
     "=> trait CUSTOM_OWNER_VGPU_AGENT\n"
     "=> provider 84\n"
     "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=16\n"},
    {"a type that is configured by name survives a driver upgrade",
     "gpu 84 35:16\n type T-35\n settle\n retype 84 35 -> 45\n"
     "=> trait CUSTOM_NVIDIA_45\n"
     "=> traits 84 +CUSTOM_NVIDIA_45 -CUSTOM_NVIDIA_35\n"},
    {"an address that is not on the host is a problem and makes no provider",
     "gpu 84 35:4\n type 35 84 99\n settle\n"
     "=> nothing\n"
     "! 0000:99:00.0: configured for the type 'nvidia-35', but not on this host\n"},
    {"a class of its own is made first",
     "gpu 84 35:16\n type 35 class=CUSTOM_FAST\n" NEW_TRAITS "=> class CUSTOM_FAST\n"
     "=> provider 84\n"
     "=> traits 84 " TRAITS_35 "=> inventory 84 CUSTOM_FAST=16\n"
     "=> nothing\n"},
    {"no root, and it is not ours to make", "gpu 84 35:4\n type 35\n noroot\n"
                                            "=> nothing\n"
                                            "! the root provider host is not in\n"},
    {"no root, and it is ours to make",
     "gpu 84 35:4\n type 35\n noroot\n set create_root=1\n"
     "=> root\n" NEW_TRAITS "=> provider 84\n"
     "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=4\n"
     "=> nothing\n"},
    {"a child of our name and another uuid is adopted",
     "gpu 84 35:4\n type 35\n provider 84 foreign\n"
     "inventory 84 VGPU total=3 max_unit=3\n traits 84 +CUSTOM_HANDMADE\n" NEW_TRAITS
     "=> note 84\n"
     "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=4\n"
     "=> nothing\n"},
    {"an adopted child that needs nothing is noted",
     "gpu 84 35:4\n type 35\n provider 84 foreign\n settle\n journal empty\n"
     "=> note 84\n"},
    {"Nova's child is left alone",
     "gpu 84 35:4\n type 35\n provider 84 foreign\n traits 84 +OWNER_NOVA\n"
     "inventory 84 VGPU total=1\n alloc 84 c1 1\n mdev d1 84 35\n"
     "=> nothing\n"
     "use not\n"
     "! 0000:84:00.0: it carries OWNER_NOVA\n"
     "? c1 unknown\n"},
    {"a child of Nova's for a VF is said",
     "gpu 84 35:3 vfs=4\n type 35\n provider 84.1 foreign\n"
     "inventory 84.1 VGPU total=1\n settle\n"
     "=> nothing\n"
     "! host_pci_0000_84_00_2: not the agent's\n"},
    {"Nova's child is written when told to",
     "gpu 84 35:4\n type 35\n provider 84 foreign\n traits 84 +OWNER_NOVA\n"
     "inventory 84 VGPU total=1\n set take_over=1\n" NEW_TRAITS "=> note 84\n"
     "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=4\n"},
    {"a provider deleted behind our back is made again",
     ONE "unprovider 84\n"
         "=> provider 84\n"
         "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=16\n"},
    {"after a new root with another uuid all is made again",
     ONE "newroot\n"
         "=> nothing\n"
         "! the state file belongs to the root provider host (\n"
         "adopt\n"
         "=> provider 84\n"
         "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=16\n"
         "=> forgetprovider 84\n"
         "=> nothing\n"},
    {"and what only the former one's allocations can be about is nobody else's",
     "gpu 84 35:2\n type 35\n settle\n alloc 84 c1 1\n settle\n newroot\n adopt\n"
     "settle\n"
     "? c1 releasing its provider is not in\n"
     "=> nothing\n"
     "alloc 84 c2 1\n"
     "=> create c2.0@84 35\n"
     "alloc 84 c3 1\n"
     "=> inventory 84 VGPU=2\n"
     "? c3 failed no instance\n"
     "alloc 84 c3 0\n alloc 84 c2 0\n settle\n set now=+600\n settle\n"
     "alloc 84 c1 1\n settle\n"
     "? c1 ready\n"
     "=> nothing\n"},
    {"no second root is made, under whatever name the host goes",
     ONE "newroot\n noroot\n set create_root=1\n renameroot short\n"
         "=> nothing\n"
         "! but this host is now short (\n"
         "! which Placement does not have\n"
         "adopt\n"
         "=> root\n"
         "=> provider 84\n"
         "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=16\n"
         "then\n"
         "=> forgetprovider old:84\n"},
    {"a journal of an older version is told by its providers", ONE
     "unbind\n"
     "=> nothing\n"
     "! none\n"
     "newroot\n unbind\n"
     "=> nothing\n"
     "! the state file belongs to the root of the provider host_pci_0000_84_00_0\n"},
    {"a root that is renamed is the same",
     ONE "unbind\n renameroot new\n"
         "=> provider 84\n"
         "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=16\n"
         "=> inventory old:84 VGPU=16/16\n"
         "=> nothing\n"},
    {"the whole tree gone and back",
     ONE "noroot\n"
         "=> nothing\n"
         "set create_root=1\n"
         "=> root\n"
         "=> provider 84\n"
         "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=16\n"},
    {"a provider that could not be read is not written",
     ONE "undetailed 84\n inventory 84 VGPU total=3\n"
         "=> nothing\n"
         "! what Placement has of it was not read\n"
         "undetailed 84 no\n"
         "=> inventory 84 VGPU=16\n"},
    {"without Placement nothing is reported", ONE "inventory 84 VGPU total=3\n"
                                                  "set blind=1\n"
                                                  "=> nothing\n"},
    {"VFs are folded into one provider",
     "gpu 84 35:3 vfs=6\n type 35\n" NEW_TRAITS "=> provider 84\n"
     "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=3\n"},
    {"a card by one of its VFs uses that VF only",
     "gpu 84 35:3 vfs=6\n type 35 84.1 84.4\n settle\n"
     "inventory 84 VGPU total=1\n"
     "=> inventory 84 VGPU=2\n"},
    {"VFs of one card for two types: the card is of the first",
     "gpu 84 35:3 36:3 vfs=4\n type 36 84.2\n type 35 84.0 84.1\n settle\n"
     "inventory 84 VGPU total=1\n"
     "! 0000:84:00.3: the type 'nvidia-36' is not used there\n"
     "=> inventory 84 VGPU=2\n"},
};

static const struct plan_case retiring[] = {
    {"a GPU that is dropped from the file is held back",
     TWO "notypes\n type 35 85\n"
         "=> inventory 84 VGPU=4/4\n"
         "! 0000:84:00.0: no type is configured for it any more: held back until\n"
         "=> nothing\n"},
    {"and comes back with what an operator had reserved",
     TWO "inventory 84 VGPU reserved=1 ratio=2\n notypes\n type 35 85\n settle\n"
         "notypes\n type 35\n"
         "=> inventory 84 VGPU=4/1*2\n"
         "=> nothing\n"},
    {"a retired provider is deleted only when asked",
     TWO "notypes\n type 35 85\n settle\n set prune=1\n"
         "=> delete 84\n"
         "=> nothing\n"},
    {"a retired provider with allocations stays",
     TWO "alloc 84 c1 1\n settle\n notypes\n type 35 85\n settle\n set prune=1\n"
         "=> nothing\n"
         "! not deleted: it has allocations\n"
         "? c1 ready\n"
         "alloc 84 c1 0\n"
         "=> release c1.0@84\n"
         "! not deleted: its GPU still has the device\n"
         "set grace=0\n"
         "=> remove c1.0@84\n"
         "then\n"
         "=> delete 84\n"},
    {"a retired provider stays while somebody uses its GPU",
     TWO "notypes\n type 35 85\n settle\n set prune=1\n mdev d1 84 35\n hold d1\n"
         "=> nothing\n"
         "use needed\n"
         "! not deleted: its GPU still has the device\n"
         "drop d1\n"
         "=> delete 84\n"},
    {"the name tells the GPU where the journal was lost",
     TWO "notypes\n type 35 85\n settle\n journal lost\n settle\n set prune=1\n"
         "mdev d1 84 35\n hold d1\n"
         "=> nothing\n"
         "use needed\n"
         "! not deleted: its GPU still has the device\n"},
    {"somebody else's provider of a GPU that is not configured is no problem",
     "gpu 84 35:4\n gpu 85 35:4\n type 35 85\n provider 84 foreign\n"
     "inventory 84 VGPU total=4\n settle\n"
     "=> nothing\n"
     "! none\n"},
    {"a retired provider stays while its GPU cannot be seen",
     TWO "notypes\n type 35 85\n settle\n set prune=1\n health 84 unreadable\n"
         "=> nothing\n"
         "! not deleted: its GPU is not well\n"
         "health 84 ok\n"
         "=> delete 84\n"},
    {"a drained GPU is put back to service although the journal was lost",
     TWO "drain 84\n settle\n journal lost\n settle\n undrain 84\n"
         "=> inventory 84 VGPU=4\n"},
    {"a drained GPU that is not there is said",
     TWO "drain 85\n settle\n notypes\n type 35 84\n absent 85\n"
         "unprovider 85\n"
         "=> forgetprovider 85\n"
         "! 0000:85:00.0 is drained, but is not on this host\n"},
    {"what the agent did not make it does not delete",
     "gpu 84 35:4\n type 35\n provider 84 foreign\n settle\n notypes\n settle\n"
     "set prune=1\n"
     "=> nothing\n"
     "! not deleted: the agent did not make it\n"},
    {"a GPU that is configured and gone is pruned as well",
     "gpu 84 35:4\n gpu 85 35:4\n type 35 84 85\n settle\n absent 84\n settle\n"
     "set prune=1\n"
     "=> delete 84\n"
     "=> nothing\n"},
    {"prune leaves what is configured", TWO "set prune=1\n"
                                            "=> nothing\n"},
    {"a GPU that is gone is held back, and free of it when it returns",
     TWO "alloc 84 c1 1\n settle\n absent 84\n reboot\n"
         "=> inventory 84 VGPU=4/4\n"
         "? c1 failed the GPU is not on this host\n"
         "present 84\n"
         "=> inventory 84 VGPU=4\n"
         "=> create c1.0@84 35\n"},
    {"a named GPU that is gone is held back",
     "gpu 84 35:4\n gpu 85 35:4\n type 35 84 85\n settle\n absent 84\n"
     "=> inventory 84 VGPU=4/4\n"
     "! 0000:84:00.0: configured for the type 'nvidia-35', but not on this host\n"
     "present 84\n"
     "=> inventory 84 VGPU=4\n"},
    {"a root that is renamed: the old child keeps what is allocated, the new one has "
     "the rest",
     "gpu 84 35:4\n type 35\n settle\n alloc 84 c1 1\n settle\n renameroot new\n"
     "=> provider 84\n"
     "=> traits 84 " TRAITS_35 "=> inventory 84 VGPU=3\n"
     "=> inventory old:84 VGPU=4/4\n"
     "=> nothing\n"
     "? c1 ready\n"
     "alloc 84 c2 3\n settle\n"
     "? c2 ready\n"
     "alloc old:84 c1 0\n settle\n set now=+60\n settle\n"
     "set prune=1\n"
     "=> delete old:84\n"},
    {"the same consumer on both", "gpu 84 35:4\n type 35\n settle\n alloc 84 c1 1\n"
                                  "settle\n renameroot new\n settle\n"
                                  "alloc 84 c1 1\n"
                                  "=> create c1.0@84 35\n"
                                  "=> nothing\n"},
    {"ours without the journal, and no longer configured",
     TWO "journal empty\n notypes\n type 35 85\n"
         "=> note 85\n"
         "=> note 84\n"
         "=> inventory 84 VGPU=4/4\n"
         "=> nothing\n"},
};

static const struct plan_case inventories[] = {
    {"what exists and what can be made",
     "gpu 84 35:4\n type 35\n mdev d1 84 35\n settle\n inventory 84 VGPU total=1\n"
     "=> inventory 84 VGPU=4\n"},
    {"what somebody else has is not offered",
     "gpu 84 35:4\n type 35\n mdev d1 84 35\n mdev d2 84 35\n domain x d1\n"
     "mdev d3 84 35\n mdevctl d2\n settle\n inventory 84 VGPU total=1\n"
     "use needed\n"
     "=> inventory 84 VGPU=2\n"},
    {"idle devices of nobody's are offered, unless it cannot be told",
     "gpu 84 35:4\n type 35\n mdev d1 84 35\n settle\n set unknown=1\n"
     "=> inventory 84 VGPU=3\n"
     "set unknown=0\n"
     "=> inventory 84 VGPU=4\n"},
    {"max_instances is a cap",
     "gpu 84 35:16\n type 35 max=5\n settle\n inventory 84 VGPU total=1\n"
     "=> inventory 84 VGPU=5\n"},
    {"max_instances does not go below what is allocated",
     ONE "alloc 84 c1 6\n settle\n notypes\n type 35 max=5\n"
         "=> inventory 84 VGPU=6\n"
         "? c1 ready\n"},
    {"nothing left: no inventory",
     "gpu 84 35:4 36:2\n type 35\n settle\n mdev d1 84 36\n hold d1\n"
     "=> inventory 84 none\n"
     "! 0000:84:00.0: devices that nobody was given leave no room for 'nvidia-35'\n"
     "lose d1\n"
     "=> inventory 84 VGPU=4\n"},
    {"never less than what is allocated",
     "gpu 84 35:4 36:2\n type 35\n settle\n mdev d1 84 36\n hold d1\n"
     "alloc 84 c1 2\n"
     "=> inventory 84 VGPU=2\n"
     "? c1 failed no instance of the type 'nvidia-35' is left on this GPU: it has\n"},
    {"a count that cannot be read is none", ONE "counts 84 unreadable\n"
                                                "=> inventory 84 none\n"
                                                "counts 84 ok\n"
                                                "=> inventory 84 VGPU=16\n"},
    {"an operator's reserved and ratio stay",
     ONE "inventory 84 VGPU reserved=3 ratio=2\n"
         "=> nothing\n"},
    {"an operator's edit of ours is mended, his own stays",
     ONE "inventory 84 VGPU total=99 max_unit=99 reserved=3\n"
         "=> inventory 84 VGPU=16/3\n"},
    {"an operator's max_unit stays, whatever becomes of the total",
     ONE "inventory 84 VGPU max_unit=4\n"
         "=> nothing\n"
         "inventory 84 VGPU total=99\n"
         "=> inventory 84 VGPU=16\n"
         "notypes\n type 35 max=2\n"
         "=> inventory 84 VGPU=2\n"
         "notypes\n type 35\n"
         "=> inventory 84 VGPU=16\n"
         "inventory 84 VGPU max_unit=16\n"
         "=> nothing\n"},
    {"an operator who has reserved all keeps it reserved",
     ONE "inventory 84 VGPU reserved=16\n"
         "=> nothing\n"
         "! 0000:84:00.0: all 16 units are reserved in Placement, and not by the\n"},
    {"nor is one that is drained as well called anything else",
     ONE "inventory 84 VGPU reserved=16\n drain 84\n settle\n"
         "=> nothing\n"
         "! none\n"},
    {"reserved is no more than total, and comes back",
     "gpu 84 35:4 36:2 mixed\n type 35\n settle\n inventory 84 VGPU reserved=3\n"
     "settle\n notypes\n type 36\n settle\n inventory 84 VGPU step=2\n"
     "=> inventory 84 VGPU=2/2\n"
     "notypes\n type 35\n settle\n inventory 84 VGPU step=2\n"
     "=> inventory 84 VGPU=4/3\n"},
    {"reserved and ratio come back after there was no inventory",
     ONE "inventory 84 VGPU reserved=3 ratio=1.5\n counts 84 unreadable\n"
         "=> inventory 84 none\n"
         "counts 84 ok\n"
         "=> inventory 84 VGPU=16/3*1.5\n"
         "=> nothing\n"},
    {"foreign classes stay",
     ONE "inventory 84 CUSTOM_ELSE total=7 reserved=1\n inventory 84 VGPU total=1\n"
         "=> inventory 84 CUSTOM_ELSE=7/1 VGPU=16\n"
         "counts 84 unreadable\n"
         "=> inventory 84 CUSTOM_ELSE=7/1\n"},
    {"allocations of foreign classes are not ours to meet",
     ONE "inventory 84 CUSTOM_ELSE total=7\n alloc 84 c1 2 class=CUSTOM_ELSE\n"
         "=> nothing\n"
         "? c1 unknown\n"},
    {"an inventory that somebody deleted is back", ONE "noinventory 84 VGPU\n"
                                                       "=> inventory 84 VGPU=16\n"},
    {"a sick GPU is held back, and back to normal when it is well",
     ONE "inventory 84 VGPU reserved=2\n health 84 lost\n"
         "=> inventory 84 VGPU=16/16\n"
         "! 0000:84:00.0: lost: test\n"
         "=> nothing\n"
         "health 84 ok\n"
         "=> inventory 84 VGPU=16/2\n"
         "=> nothing\n"},
    {"reserved stays known when a GPU is sick twice",
     ONE "inventory 84 VGPU reserved=2\n health 84 lost\n settle\n"
         "health 84 unreadable\n"
         "=> nothing\n"
         "health 84 ok\n"
         "=> inventory 84 VGPU=16/2\n"},
    {"an operator's edit while a GPU is sick is what comes back",
     ONE "health 84 lost\n settle\n inventory 84 VGPU reserved=5\n"
         "=> inventory 84 VGPU=16/16\n"
         "health 84 ok\n"
         "=> inventory 84 VGPU=16/5\n"},
    {"a GPU that is sick from the start is not reported",
     "gpu 84 35:4\n type 35\n health 84 lost\n"
     "=> nothing\n"
     "! 0000:84:00.0: lost\n"},
    {"what an allocation_ratio has let in makes no room for more",
     ONE "inventory 84 VGPU ratio=2\n alloc 84 c1 10\n alloc 84 c2 10\n settle\n"
         "? c1 ready\n"
         "? c2 failed no instance of the type\n"
         "inventory 84 VGPU total=20 max_unit=20\n"
         "=> inventory 84 VGPU=16*2\n"},
    {"where a ratio has let in more than twice what is there now",
     ONE "inventory 84 VGPU ratio=2\n alloc 84 c1 10\n alloc 84 c2 9\n settle\n"
         "notypes\n type 35 max=4\n"
         "=> inventory 84 VGPU=10*2\n"},
    {"a drained GPU is held back, and its allocations are served",
     ONE "drain 84\n alloc 84 c1 1\n"
         "=> inventory 84 VGPU=16/16\n"
         "=> create c1.0@84 35\n"
         "undrain 84\n"
         "=> inventory 84 VGPU=16\n"},
    {"a server before 1.26: a GPU that gets nobody new has what is allocated",
     ONE "set old_server=1\n inventory 84 VGPU reserved=3 ratio=2\n"
         "alloc 84 c1 2\n settle\n health 84 lost\n"
         "=> inventory 84 VGPU=1*2\n"
         "=> nothing\n"
         "alloc 84 c1 0\n"
         "=> inventory 84 none\n"
         "=> release c1.0@84\n"
         "=> release c1.1@84\n"
         "=> nothing\n"
         "health 84 ok\n"
         "=> inventory 84 VGPU=16/3*2\n"},
    {"a server before 1.26: an operator has reserved more than there is now",
     ONE "set old_server=1\n inventory 84 VGPU reserved=15\n settle\n"
         "notypes\n type 35 84 max=4\n"
         "=> inventory 84 VGPU=4/3\n"
         "=> nothing\n"
         "notypes\n type 35 84\n"
         "=> inventory 84 VGPU=16/15\n"},
    {"one sick GPU does not concern the other", TWO "health 84 lost\n alloc 85 c1 1\n"
                                                    "=> inventory 84 VGPU=4/4\n"
                                                    "=> create c1.0@85 35\n"},
    {"a change of the class: the new one, and what the old one has allocated",
     ONE "alloc 84 c1 2\n settle\n notypes\n type 35 class=CUSTOM_FAST\n"
         "=> class CUSTOM_FAST\n"
         "=> inventory 84 CUSTOM_FAST=14 VGPU=2/2\n"
         "? c1 ready\n"
         "alloc 84 c1 0\n"
         "=> inventory 84 CUSTOM_FAST=16\n"
         "=> release c1.0@84\n"
         "=> release c1.1@84\n"},
};

static const struct plan_case traits[] = {
    {"standard traits only as far as the server knows them, own ones created",
     "gpu 84 35:4\n type 35 traits=CUSTOM_SITE,CUSTOM_OTHER\n"
     "known CUSTOM_OTHER\n"
     "=> trait CUSTOM_GRID_T_35\n"
     "=> trait CUSTOM_NVIDIA_35\n"
     "=> trait CUSTOM_OWNER_VGPU_AGENT\n"
     "=> trait CUSTOM_SITE\n"
     "=> provider 84\n"
     "=> traits 84 +CUSTOM_GRID_T_35 +CUSTOM_NVIDIA_35 +CUSTOM_OTHER "
     "+CUSTOM_OWNER_VGPU_AGENT +CUSTOM_SITE\n"
     "=> inventory 84 VGPU=4\n"},
    {"a trait set by hand stays", ONE "traits 84 +CUSTOM_NVIDIA_11\n"
                                      "=> nothing\n"},
    {"one of ours taken away by hand is back", ONE "traits 84 -CUSTOM_NVIDIA_35\n"
                                                   "=> traits 84 +CUSTOM_NVIDIA_35\n"},
    {"all of ours replaced by hand are back beside the new one",
     ONE "traits 84 none\n traits 84 +CUSTOM_NVIDIA_11\n"
         "=> traits 84 " TRAITS_35},
    {"another type: our old traits go, a foreign one stays",
     ONE "traits 84 +CUSTOM_NVIDIA_11\n notypes\n type 36\n"
         "=> trait CUSTOM_GRID_T_36\n"
         "=> trait CUSTOM_NVIDIA_36\n"
         "=> inventory 84 VGPU=8\n"
         "=> traits 84 +CUSTOM_GRID_T_36 +CUSTOM_NVIDIA_36 -CUSTOM_GRID_T_35 "
         "-CUSTOM_NVIDIA_35\n"},
    {"more capacity comes after its traits",
     "gpu 84 35:4 36:8\n type 35\n settle\n notypes\n type 36\n"
     "=> trait CUSTOM_GRID_T_36\n"
     "=> trait CUSTOM_NVIDIA_36\n"
     "=> traits 84 +CUSTOM_GRID_T_36 +CUSTOM_NVIDIA_36 -CUSTOM_GRID_T_35 "
     "-CUSTOM_NVIDIA_35\n"
     "=> inventory 84 VGPU=8\n"},
    {"a name of ours that an operator had set first is his",
     "gpu 84 35:4 36:2\n type 35\n provider 84\n traits 84 +CUSTOM_NVIDIA_35\n"
     "=> trait CUSTOM_GRID_T_35\n"
     "=> trait CUSTOM_OWNER_VGPU_AGENT\n"
     "=> traits 84 +CUSTOM_GRID_T_35 +CUSTOM_OWNER_VGPU_AGENT\n"
     "=> inventory 84 VGPU=4\n"
     "notypes\n type 36\n"
     "=> trait CUSTOM_GRID_T_36\n"
     "=> trait CUSTOM_NVIDIA_36\n"
     "=> inventory 84 VGPU=2\n"
     "=> traits 84 +CUSTOM_GRID_T_36 +CUSTOM_NVIDIA_36 -CUSTOM_GRID_T_35\n"},
    {"traits of the option go when the option does",
     "gpu 84 35:4\n type 35 traits=CUSTOM_SITE\n settle\n notypes\n type 35\n"
     "=> traits 84 -CUSTOM_SITE\n"},
    {"OWNER traits of others stay", ONE "traits 84 +CUSTOM_OWNER_CYBORG +OWNER_CYBORG\n"
                                        "=> nothing\n"},
    {"after the journal is lost, what carries our mark is ours again",
     ONE "traits 84 +CUSTOM_NVIDIA_11\n journal empty\n"
         "=> note 84\n"
         "notypes\n type 36\n settle\n traits 84 -CUSTOM_NVIDIA_36\n"
         "=> traits 84 +CUSTOM_NVIDIA_36\n"
         "traits 84 +CUSTOM_NVIDIA_35 -CUSTOM_GRID_T_36\n"
         "=> traits 84 +CUSTOM_GRID_T_36\n"},
    {"a sick GPU keeps its traits", ONE "health 84 unreadable\n settle\n"
                                        "=> nothing\n"
                                        "traits 84 -CUSTOM_NVIDIA_35\n"
                                        "=> nothing\n"
                                        "health 84 ok\n"
                                        "=> traits 84 +CUSTOM_NVIDIA_35\n"
                                        "=> inventory 84 VGPU=16\n"},
    {"a trait that went by itself is no longer noted as ours",
     ONE "traits 84 -CUSTOM_NVIDIA_35 -CUSTOM_GRID_T_35\n notypes\n type 36\n settle\n"
         "traits 84 +CUSTOM_NVIDIA_35\n"
         "=> nothing\n"},
};

static void reports_providers(void **state)
{
    (void)state;
    plan_cases_run(providers, sizeof providers / sizeof *providers);
}

static void holds_back_and_prunes(void **state)
{
    (void)state;
    plan_cases_run(retiring, sizeof retiring / sizeof *retiring);
}

static void sets_inventories(void **state)
{
    (void)state;
    plan_cases_run(inventories, sizeof inventories / sizeof *inventories);
}

static void sets_traits(void **state)
{
    (void)state;
    plan_cases_run(traits, sizeof traits / sizeof *traits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_providers),
        cmocka_unit_test(holds_back_and_prunes),
        cmocka_unit_test(sets_inventories),
        cmocka_unit_test(sets_traits),
    };
    return cmocka_run_group_tests_name("plan_report", tests, NULL, NULL);
}
