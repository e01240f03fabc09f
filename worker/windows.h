/* How a clock came to stand as it does, window by window: when it counted, and why it did not.
 *
 * Cuts the stretches of a clock (clocks.h) where its calendar opens and closes. Why a calendar is closed is read from it and from
 * its usual week: within a date that has more hours that day it is lunch, on a date without any that usually has some it is a
 * holiday. Knows nothing of rules, messages and how it is shown. */
#ifndef DOCKET_WINDOWS_H
#define DOCKET_WINDOWS_H

#include "clocks.h"
#include "engine.h"

enum window_why {
    WINDOW_COUNTED,
    WINDOW_VENDOR, /* counted, while a vendor was waited for */
    WINDOW_CLOSED,
    WINDOW_HOLIDAY,
    WINDOW_LUNCH,
    WINDOW_CUSTOMER, /* the customer owed an answer */
    WINDOW_WHYS
};

struct window {
    int64_t from, until;
    enum window_why why;
};

enum { WINDOWS_MAX = 400 }; /* of one clock; the earliest are left out */

struct windows {
    struct window items[WINDOWS_MAX];
    size_t count, left_out;
};

/* in:  promise  that the clock was computed under (a miss may show an earlier one; one that was kept is cut by its own calendar)
 *      log     of the computation that gave the clock
 *      events  as there: when a vendor was waited for
 * out: ret     in order of time, without gaps from the clock's start to its end */
void windows_make(const struct engine *engine, const struct clock_promise *promise, const struct clock *clock,
                  const struct clock_log *log, const struct clock_event *events, size_t event_count,
                  struct windows *ret);

const char *window_why_name(enum window_why why);

#endif
