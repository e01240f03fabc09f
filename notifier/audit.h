/* The notifier looks at itself: every minute it asks the database whether anything is as it may never be (audit.sql), tells ops, and
 * calls a heartbeat URL only while nothing is. Whoever watches that URL hears of a desk that has gone silent, for whatever reason. Has a
 * session of its own, so that a long look delays no message. */
#ifndef DOCKET_AUDIT_H
#define DOCKET_AUDIT_H

#include "err.h"

#include <stdbool.h>

struct audit;
struct notifier;

/* err: ERR_INVALID  http_allow, the database's name */
bool audit_new(struct notifier *notifier, struct audit **ret, struct err *err)
    __attribute__((warn_unused_result));
void audit_free(struct audit *audit); /* accepts NULL */

/* Looks when it is time. Each tick of the loop. */
void audit_tick(struct audit *audit);

#endif
