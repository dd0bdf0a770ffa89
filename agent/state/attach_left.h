/*
 * attach_left: whether a daemon that has not ended in an orderly way may have left a call
 * to libvirt, which gives a guest its device when nobody waits for it any more. Then no
 * device may be removed or handed over for a while, whoever acts: another daemon or a
 * command. The daemon's file "<state file>.guests" tells, which it removes when it ends
 * and nothing is under way (agent/report/guests_file.h).
 *
 * One thread: the process that has the lock (agent/state/instance_lock.h).
 */
#ifndef AGENT_STATE_ATTACH_LEFT_H
#define AGENT_STATE_ATTACH_LEFT_H

#include <stdint.h>

#include "lib/error.h"

/* libvirt gives up waiting for a busy domain after 30 s. In seconds. */
#define ATTACH_LEFT_TIME 300

/* The path of that file; the caller frees. */
char *attach_left_file(const char *state_file);

/* Until when it may be so, in seconds of clock_boot_seconds(), which is `now`; 0: it is
 * not so. The time begins when the first process finds the file, which is noted in it.
 * Where that cannot be noted, it begins anew with each one. Of a file that cannot be read
 * nothing is known: it may be so until that time has passed since it was written. */
int64_t attach_left_until(const char *state_file, int64_t now);

#endif
