/* A meeting as an iCalendar object (RFC 5545, 5546), for the mail that tells of it: calendars take it in, move it, drop it. Pure. */
#ifndef DOCKET_MAIL_CALENDAR_H
#define DOCKET_MAIL_CALENDAR_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

struct mail_meeting {
    struct span body;      /* of the message: {meeting: {uid, what, starts_at, ends_at, where, attendees}} */
    const char *organizer; /* an address: answers go there (RFC 5546) */
    const char *sender;    /* whose mail it is: acts for the organizer */
    const char *summary;   /* stays the same as long as the meeting lives */
    int64_t now;
    int32_t version; /* of the ticket's event that tells of it: SEQUENCE */
};

/* Appends the object; false, and nothing is written, when the body tells of no meeting. */
bool mail_calendar_put(const struct mail_meeting *meeting, struct buf *out, bool *ret_is_cancelled);

#endif
