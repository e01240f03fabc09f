/* The log of a program: one event, one line of key=value, on standard error (journald keeps it).
 *
 *     log_event(LOG_WARN, "lease_lost", "slot=%d reason=%s", slot, log_quote(why));
 *
 * Event names are lower case with underscores, literals, so that `grep log_event` lists them. No ticket text, no
 * secrets. Libraries report, programs log, once, where they decide. */
#ifndef DOCKET_LOG_H
#define DOCKET_LOG_H

#include "err.h"

#include <stdbool.h>

/* czmq.h includes syslog.h, whose macros carry two of our names: let it come first, then take its macros away. */
#include <syslog.h>
#undef LOG_DEBUG
#undef LOG_INFO

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* program: "broker"; kept, not copied. level: the least that is written. */
void log_open(const char *program, enum log_level level);

/* "debug", "info", "warn", "error", for settings. err: ERR_INVALID, field log_level. */
bool log_level_parse(const char *text, enum log_level *ret, struct err *err)
    __attribute__((warn_unused_result));

/* fmt gives further key=value pairs, or "". Control characters in the result, and bytes that are not UTF-8, are replaced by '?'. */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Text as a quoted value, cut at 400 bytes, quotes and backslashes escaped; one of four turning buffers, so
 * use at most four a call. */
const char *log_quote(const char *text);

#endif
