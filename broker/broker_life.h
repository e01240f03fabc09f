/* The broker's life: its parts put together, the turns of its loop, its end.
 *
 * The one place that knows every part. A part calls only those below it: what it has made ready for another part (a wake that may be handed
 * out, a change that may be written) is found by the turn that follows whatever woke the loop. */
#ifndef DOCKET_BROKER_LIFE_H
#define DOCKET_BROKER_LIFE_H

#include "err.h"

#include <stdbool.h>

struct broker;
struct faults;

/* Opens everything; the loop is not run yet. broker: zeroed by the caller, who closes it also after a failure. config_path: NULL: none; kept.
 * err: what a person can mend; faults of the settings are told whole by ret_faults. */
bool broker_open(struct broker *broker, const char *config_path, struct faults *ret_faults, struct err *err)
    __attribute__((warn_unused_result));

/* Runs until a signal ends it in order. Gives the exit status. */
int broker_run(struct broker *broker);
void broker_close(struct broker *broker);

#endif
