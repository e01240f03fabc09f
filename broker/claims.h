/* Claims: wakes of the table that nobody owns come into memory while there is room; and what dead epochs left is set free.
 *
 * Sleeping wakes are claimed shortly before their time and wait in the timers, so that they fire at it, never early. Runs on
 * the control session, a lane a statement. Knows no worker. */
#ifndef DOCKET_CLAIMS_H
#define DOCKET_CLAIMS_H

struct broker;

void claims_begin(struct broker *broker); /* an epoch began */
void claims_end(struct broker *broker);

/* A few times a second: claims, adopts, gives fresh tickets that stay undecided their desk row. */
void claims_tick(struct broker *broker);

#endif
