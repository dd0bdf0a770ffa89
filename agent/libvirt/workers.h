/*
 * workers: the threads that settle guests, each with a connection of its own: libvirtd
 * works on few calls of one client at a time, and one that waits for a guest's start
 * must hold up no other guest's. A job is one call of settle(); which job is to be done,
 * and that no two are of one guest, is the watcher's.
 *
 * All functions here are the main thread's.
 */
#ifndef AGENT_LIBVIRT_WORKERS_H
#define AGENT_LIBVIRT_WORKERS_H

#include "agent/attach/settle.h"

#define WORKERS 8

struct workers;

/* `uri` is borrowed. `wake` is an eventfd(2) that is written to when a job has ended, or
 * a connection is open or cannot be had. The threads stay until the process ends: one
 * may be in a call that nothing ends. */
int workers_new(const char *uri, int wake, struct workers **out, struct error *err);

/* To be called when libvirt can be reached: the threads that have no job open their
 * connections, since a guest that has just been defined has no time for that. */
void workers_connect(struct workers *workers);

/* Whether workers_give() may be called: a thread has no job, and does not wait for its
 * connection. */
bool workers_have_room(struct workers *workers);
/* No job is under way, and no connection is being opened. */
bool workers_are_idle(struct workers *workers);
/* Takes the job's members. */
void workers_give(struct workers *workers, struct settle_job *job);
/* A job that has ended: whose, and its result, whose members are the caller's then.
 * False: there is none. */
bool workers_take(struct workers *workers, char domain[UUID_TEXT_SIZE],
                  struct settle_result *result);

#endif
