/* Reminders of meetings: which are due, and when the next one will be. Pure: a meeting is what its last event says, and a reminder that
 * was given is an event too. */
#ifndef DOCKET_MEETINGS_H
#define DOCKET_MEETINGS_H

#include "work.h"

enum { MEETINGS_MAX = 8 };

struct meetings {
    const struct wire_val *due[MEETINGS_MAX]; /* maps as in the event: to be reminded of now */
    size_t due_count;
    int64_t wake_at; /* of the next reminder, or CLOCK_NO_INSTANT */
};

/* before_us: how long before it begins, where the meeting does not say; 0: never */
void meetings_find(const struct work *work, int64_t before_us, struct meetings *ret);

#endif
