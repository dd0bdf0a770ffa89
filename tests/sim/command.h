/*
 * command: the language of .mdevsim/control, see control.h. With the simulator's lock
 * held; commands that destroy devices wait for their holders.
 */
#ifndef TESTS_SIM_COMMAND_H
#define TESTS_SIM_COMMAND_H

struct sim;

/* Runs one line, which it may change. 0 or a negative errno. */
int command_run(struct sim *sim, char *line);

#endif
