/* Carries mail to the relay: libcurl's multi interface on the loop, several messages at once, connections
 * reused. Knows bytes and addresses, nothing of tickets or the database. */
#ifndef DOCKET_SMTP_H
#define DOCKET_SMTP_H

#include "backoff.h"
#include "buf.h"
#include "err.h"
#include "settings_notifier.h"

#include <czmq.h>

enum { SMTP_IN_FLIGHT_MAX = 64, SMTP_REPLY_BYTES_MAX = 1024 };

struct smtp;

/* How it ended. reply: the relay's last words or the library's, printable, at most SMTP_REPLY_BYTES_MAX.
 * Called from the loop, once a job. */
typedef void smtp_end_fn(void *arg, enum send_result result, const char *reply);

/* err: ERR_INVALID, ERR_IO  settings that cannot work (password file) */
bool smtp_new(zloop_t *loop, const struct settings_notifier *settings, struct smtp **ret_smtp,
              struct err *err) __attribute__((warn_unused_result));
void smtp_free(struct smtp *smtp); /* accepts NULL; jobs under way end without a call */

/* How many more may begin now: what is free, and what the circuit breaker allows. */
int smtp_room(const struct smtp *smtp);
bool smtp_is_open(const struct smtp *smtp); /* the breaker */
int smtp_in_flight(const struct smtp *smtp);

/* Begins one. to: an address; bytes are copied. */
void smtp_send(struct smtp *smtp, const char *to, struct span bytes, smtp_end_fn *end_fn, void *arg);

#endif
