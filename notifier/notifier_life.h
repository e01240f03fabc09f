/* The notifier's life: its parts put together, what each thing that wakes the loop leads to, its end. The one place that knows every part. */
#ifndef DOCKET_NOTIFIER_LIFE_H
#define DOCKET_NOTIFIER_LIFE_H

#include "err.h"

#include <stdbool.h>

struct faults;
struct notifier;

/* Opens everything; the loop is not run yet. notifier: zeroed by the caller, who closes it also after a failure. config_path: NULL: none; kept.
 * err: what a person can mend; faults of the settings are told whole by ret_faults. */
bool notifier_open(struct notifier *notifier, const char *config_path, struct faults *ret_faults,
                   struct err *err) __attribute__((warn_unused_result));

/* Runs until a signal ends it in order. */
void notifier_run(struct notifier *notifier);
void notifier_close(struct notifier *notifier);

#endif
