/*
 * plan_script: cases for plan_make() as short texts, run on a plan_model. One command a
 * line, and where several stand on a line here, each has one of its own.
 *
 * The host:
 *   gpu 84 35:16 36:8 [vfs=N] [mixed]  a card 0000:84:00.0 that takes 16 of nvidia-35
 *                                      (named "GRID T-35") or 8 of nvidia-36
 *   health 84 lost|unreadable|gone|ok
 *   absent 84; present 84
 *   counts 84 unreadable|ok            whether available_instances can be read
 *   retype 84 35 -> 45                 a driver upgrade: the type gets another id
 *   reboot
 *
 * Its devices:
 *   mdev d1 84 35 [vf=N]               one that the agent did not make
 *   domain c1 DEVICE; running c1 DEVICE; undomain DEVICE; hold DEVICE; drop DEVICE;
 *   mdevctl DEVICE                     who has it
 *   also c1 DEVICE                     one more domain that defines it
 *   bare c1                            a domain without devices
 *   lose DEVICE
 *   transit DEVICE [uncounted|leaving]; stray DEVICE [...]
 *                                      being made or removed; not in
 *                                      available_instances yet; by the agent's worker
 *   settled DEVICE
 *
 * The configuration and the operator:
 *   type 35 [84 85 86.2] [class=C] [max=N] [traits=A,B]
 *                                      configures a type; 86.2 is a VF
 *   notypes                            configures none
 *   set mode=nova create_root=1 take_over=1 prune=1 grace=N now=+N blind=1 unknown=1
 *   drain 84; undrain 84
 *
 * Placement:
 *   alloc 84 c1 N [class=C]            an allocation; 0 takes it away
 *   rename c1 m1                       another consumer has c1's allocations
 *   provider 84 [UUIDNAME]             a child made by somebody else
 *   unprovider 84; undetailed 84 [no]
 *   newroot; noroot
 *   renameroot NAME                    what was below "host" is then called old:84
 *   asked c1                           somebody has asked for its devices
 *   known TRAIT
 *   traits 84 +A -B
 *   inventory 84 C total=N reserved=N ratio=R max_unit=N step=N; noinventory 84 C
 *
 * The agent:
 *   journal lost|empty|gone
 *   adopt                              the operator says that the root is the right one
 *   unbind                             an older version has written the journal
 *   settle                             plans and executes until nothing is to be done
 *   then                               between the steps of two plans
 *
 * What is expected:
 *   => STEP                            the next plan's steps, all of them, in order;
 *                                      "=> nothing" for none. It is then executed.
 *   ? c1 STATE [text]                  an allocation in the plan that comes next or,
 *                                      after =>, in the one just seen
 *   ! text                             it has such a problem; "! none": no problem at
 *                                      all
 *   use needed|not                     whether it asked for device_use
 *   wake N|none                        when a grace period ends next
 *   whose DEVICE c1                    whose it is by the journal
 *
 * DEVICE is a name given by mdev, or "c1.0@84" for the uuid computed for c1's first
 * unit on the provider of 84. Steps are written
 *
 *   trait T, class C, root, provider 84, delete 84, note 84, forgetprovider 84, rebuilt
 *   traits 84 +A -B                    against what it has; sorted
 *   inventory 84 C=TOTAL[/RESERVED][*RATIO] ... | none
 *   create DEVICE 35 [vf=N], remove DEVICE, release DEVICE, forget DEVICE
 *   take DEVICE c1.0 [adopted]         noted as c1's, index 0
 *   take DEVICE c1.0 [adopted] for m1, create DEVICE 35 [vf=N] for m1
 *                                      c1's, and stands for m1's allocation
 */
#ifndef TESTS_UNIT_AGENT_PLAN_PLAN_SCRIPT_H
#define TESTS_UNIT_AGENT_PLAN_PLAN_SCRIPT_H

#include <stddef.h>

struct plan_case {
    const char *name, *script;
};

/* Runs each on a new world; afterwards that world must settle. The first that is wrong
 * fails the test, with its name and line. */
void plan_cases_run(const struct plan_case *cases, size_t count);

#endif
