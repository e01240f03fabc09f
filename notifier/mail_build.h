/* One e-mail as bytes: headers and text and HTML parts, built with GMime. Refuses control characters in every
 * field that becomes a header, for GMime and libcurl pass them on. Reads no clock: the date comes with the
 * call. */
#ifndef DOCKET_MAIL_BUILD_H
#define DOCKET_MAIL_BUILD_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

enum { MAIL_SUBJECT_CHARS_MAX = 150 };

struct mail {
    const char *from;        /* "Name <address>" or an address */
    const char *to_name;     /* may be "" */
    const char *to;          /* an address */
    const char *subject;     /* UTF-8; cut at MAIL_SUBJECT_CHARS_MAX code points */
    const char *message_id;  /* without brackets */
    const char *root_id;     /* of the thread's first message, or NULL */
    const char *previous_id; /* of its last one before, or NULL */
    const char *reply_to;    /* an address, or NULL */
    const char *tracking;    /* X-Docket-Ticket; NULL: not about a ticket */
    const char *kind;        /* X-Docket-Kind */
    const char *mark;        /* X-Docket-Delivery: that it is ours, in a bounce that returns it; or NULL */
    bool is_receipt;         /* Auto-Submitted: auto-replied, else auto-generated */
    int64_t date_at;
    const char *text; /* UTF-8 */
    const char *html;
    const char *calendar; /* an iCalendar object, or NULL */
    bool calendar_cancels;
};

/* Appends the message with CRLF line ends. err: ERR_INVALID  names the field that is not allowed */
bool mail_build(const struct mail *mail, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Starts GMime, once a process. */
void mail_open(void);

#endif
