/* One ticket in memory, decided by an engine as the brokers would have it decided: for docket-worker test, and for tests.
 *
 * What a broker does around a decision is done here without a database: events are numbered, states move by the table of
 * common/states.h, what people set is held, an alert is opened once a cause, and a wake comes when it is due. Time is given,
 * never read. Each decision travels as bytes, as between broker and worker. */
#ifndef DOCKET_TRIAL_H
#define DOCKET_TRIAL_H

#include "clocks.h"
#include "desk.h"
#include "engine.h"
#include "err.h"
#include "wire.h"
#include "work.h"

#include <stdbool.h>
#include <stdint.h>

struct trial;

/* A ticket as it is submitted (the fields of ticket.submit), posted and decided at once.
 * in:  customer  the record of customer.put, or NULL: unknown. Its package is the ticket's
 * err: ERR_INVALID  the decision could not be made, or not be read */
bool trial_new(const struct engine *engine, const struct wire_val *ticket, const struct wire_val *customer,
               int64_t posted_at, struct trial **ret, struct err *err) __attribute__((warn_unused_result));
void trial_free(struct trial *trial); /* accepts NULL */

/* Who does something. */
struct trial_as {
    enum desk_role role;
    const char *name;
};

/* Does an op (its name without `ticket.`, or `reply`: a customer's public comment), and what had come due until then.
 * in:  body  fields of the op, or NULL
 * err: ERR_INVALID  no such op, a wait that ends in the past, or no such meeting; ERR_CONFLICT  the state or the package does not allow it */
bool trial_do(struct trial *trial, const char *op, struct trial_as as, const struct wire_val *body,
              int64_t at, struct err *err) __attribute__((warn_unused_result));

/* From now on an op comes before what comes due at the very same instant (logs of whole minutes have many such); else after it. */
void trial_ops_first(struct trial *trial);

/* While held, ops are noted and not decided: the next one that is not held decides them together. */
void trial_hold(struct trial *trial, bool hold);

/* Lets time pass: decides at each wake until then. */
bool trial_pass(struct trial *trial, int64_t until, struct err *err) __attribute__((warn_unused_result));

/* Another version of the process from now on, as after process.apply with recompute; for tests. */
bool trial_use(struct trial *trial, const struct engine *engine, int64_t at, struct err *err)
    __attribute__((warn_unused_result));

/* Another package, as customer.put with open_tickets gives it; decided at once; for tests. */
bool trial_set_package(struct trial *trial, const char *package, int64_t at, struct err *err)
    __attribute__((warn_unused_result));

/* The worker forgets everything but what is stored, and decides again at that instant; for tests. */
bool trial_restart(struct trial *trial, int64_t at, struct err *err) __attribute__((warn_unused_result));

/* ---- what there is to see ---- */

/* The ticket as a work has it, with the events of all decisions and, for explain, its verdicts: {ticket, customer, events, reasons, now,
 * deadlines}. */
void trial_put_work(const struct trial *trial, int64_t now, struct buf *out);

/* The same ticket map as a tree; valid until the trial changes. */
const struct wire_val *trial_ticket(struct trial *trial);

/* What the desk said, in order. */
enum trial_list {
    TRIAL_TOLD,   /* to whom and what: "customer received", "staff warning update 80%", "staff alert p1" */
    TRIAL_ASKED,  /* the names of the questions to the customer */
    TRIAL_WARNED, /* the warnings of clocks, those for boards alone too: "update 50%" */
    TRIAL_LISTS
};
size_t trial_said_count(const struct trial *trial, enum trial_list list);
const char *trial_said(const struct trial *trial, enum trial_list list, size_t i);

/* Verdicts, in order; one a clock and cycle, with when and by which versions it was judged. */
size_t trial_verdict_count(const struct trial *trial);
const struct work_verdict *trial_verdict(const struct trial *trial, size_t i);

/* When it wakes next by itself, or CLOCK_NO_INSTANT; for tests. */
int64_t trial_wake_at(const struct trial *trial);

#endif
