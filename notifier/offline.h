/* What docket-notifier answers without a database and without sending: check, simulate, render. Each gets the arguments after its name and returns
 * the exit status: 0, 1 when something is refused, 2 for a wrong use. */
#ifndef DOCKET_OFFLINE_H
#define DOCKET_OFFLINE_H

int offline_check(int argc, char **argv);
int offline_simulate(int argc, char **argv);
int offline_render(int argc, char **argv);

#endif
