/* Asks the brokers: the one way in which a notifier changes a ticket or an alert. A request goes to one broker; when that is
 * silent or cut off it is repeated, with its key, at the next. Knows nothing of what ops mean. */
#ifndef DOCKET_BROKER_ASK_H
#define DOCKET_BROKER_ASK_H

#include "buf.h"
#include "err.h"
#include "settings.h"
#include "wire.h"

#include <czmq.h>

enum { ASK_BODY_BYTES_MAX = 128 << 10, ASK_TRY_MS = 2000, ASK_END_MS = 8000, ASK_PENDING_MAX = 1000 };

struct broker_ask;

/* in: endpoints  of the brokers' clients sockets, at least one; kept, not copied */
struct broker_ask *broker_ask_new(zloop_t *loop, const struct setting_list *endpoints);
void broker_ask_free(struct broker_ask *ask); /* accepts NULL; what waits ends with ERR_UNAVAILABLE */

/* How it ended: body of the answer (valid in the call), or err: what the broker refused; ERR_UNAVAILABLE when no broker
 * could; ERR_TIMEOUT when none answered (whether it was done is not known); ERR_BUSY when too many wait. */
typedef void broker_ask_fn(void *arg, const struct wire_val *body, const struct err *err);

/* in:  op    static text
 *      body  an encoded map, with its key when it changes something; copied
 * fn is called once, from the loop, possibly from inside this call. */
void broker_ask_send(struct broker_ask *ask, const char *op, struct span body, broker_ask_fn *fn, void *arg);

/* Of an op that wants no more than the ticket: asked for that member of staff. */
void broker_ask_of_ticket(struct broker_ask *ask, const char *op, const char *who, const char *tracking,
                          broker_ask_fn *fn, void *arg);

/* The entry "as" of a body: the member of staff for whom this program asks. */
void broker_ask_put_staff(struct buf *out, const char *who);

#endif
