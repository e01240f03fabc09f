/* One alert's climb: a claimed row, the steps that escal.h decides on, and the statements that write them. Knows nothing of when alerts are looked
 * for, nor of leases. */
#ifndef DOCKET_ESCAL_CLIMB_H
#define DOCKET_ESCAL_CLIMB_H

#include "pg.h"

#include <stddef.h>
#include <stdint.h>

struct climb;
struct notifier;

/* From a row of escal_claim.sql that was leased with this token, by the people of the current process, which must stay while it lives. */
struct climb *climb_new(struct notifier *notifier, const PGresult *rows, int row, int64_t token);
void climb_free(struct climb *climb); /* accepts NULL */

int64_t climb_alert(const struct climb *climb); /* alerts.id */

/* Sends the statements of some climbs, at least one, on the session that tells, and puts them into the order in which alerts are locked; the caller ends the batch. The same again after a batch that was
 * refused does the same. */
void climbs_send(struct climb **climbs, size_t count);

/* After the commit: logs and counts its steps, unless the alert was changed or taken over meanwhile. */
void climb_log(const struct climb *climb);

#endif
