/* The room of escalations: takes alerts whose next step is due, lets escal.h decide, and commits each step with its pages in
 * one transaction. Any number of notifiers: an alert is leased for a step, and the step is nothing when the alert was
 * acknowledged, resolved or stepped meanwhile. Holds no state that matters: everything is in the alert's row. */
#ifndef DOCKET_ESCAL_ROOM_H
#define DOCKET_ESCAL_ROOM_H

#include "buf.h"

#include <stdint.h>

#define ESCAL_LEASE_US INT64_C(10000000) /* how long an alert is leased for its step */

struct escal_room;
struct notifier;

struct escal_room *escal_room_new(struct notifier *notifier);
void escal_room_free(struct escal_room *room); /* accepts NULL */

/* The notifier takes over the people of a process version (processes.files); one that cannot be read leaves the ones before. */
void escal_room_process(struct escal_room *room, struct span files);

/* Looks for what is due. */
void escal_room_run(struct escal_room *room);

/* Looks when the next step is due, by the answer of the last look. Each tick of the loop. */
void escal_room_tick(struct escal_room *room);

/* A new session: what was under way is forgotten. */
void escal_room_on_up(struct escal_room *room);

#endif
