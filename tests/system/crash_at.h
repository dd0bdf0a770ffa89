/*
 * crash_at: a library to be preloaded (LD_PRELOAD) into a program that is to crash. It
 * counts the calls that change something outside of the process: files made, written,
 * renamed, removed, synchronised, and what is sent over sockets. Before or after the
 * Nth of them it sends SIGKILL, from which nothing can recover; or else that call fails
 * without any effect. Calls of the program and calls of the children that it forks are
 * counted apart, since they run beside each other. What stdio writes is not seen: it is
 * output for people.
 *
 * CRASH_COUNTS names a file of sizeof(struct crash_counts) zero bytes, which the
 * program and its children share with the test. All other variables are optional:
 *
 *     CRASH_AT=N                       at the Nth call; 0: only count
 *     CRASH_SCOPE=program|child        whose calls
 *     CRASH_WHEN=before|after          the call
 *     CRASH_WHOM=self|parent|both      who is killed: `parent` is for children
 *     CRASH_ERRNO=E                    nobody is: the call fails with errno E
 *
 * Threads: any; children have the counts of their scope in common.
 */
#ifndef TESTS_SYSTEM_CRASH_AT_H
#define TESTS_SYSTEM_CRASH_AT_H

#include <stdint.h>

enum crash_scope { CRASH_PROGRAM, CRASH_CHILD, CRASH_SCOPES };

#define CRASH_NAMES 512
#define CRASH_NAME_SIZE 12

struct crash_counts {
    uint32_t calls[CRASH_SCOPES];
    char names[CRASH_SCOPES][CRASH_NAMES][CRASH_NAME_SIZE]; /* of the first calls */
};

#endif
