/* Ends of attempts; see endings.h. */
#include "endings.h"
#include "clock.h"
#include "log.h"
#include "notifier.h"
#include "statements.h"

#include <stdlib.h>

enum { BATCH_MAX = 128, TRIES_MAX = 20 };

#define DISABLE_AFTER_US (INT64_C(120) * 3600 * US_PER_S) /* an endpoint that only failed */
#define DISABLED_US (INT64_C(60) * 86400 * US_PER_S)

static void ending_free(struct ending *ending)
{
    free(ending->reply);
    free(ending);
}

static void list_free(struct ending **list)
{
    while (*list != NULL) {
        struct ending *ending = *list;
        *list = ending->next;
        ending_free(ending);
    }
}

static struct ending **list_end(struct ending **list)
{
    while (*list != NULL)
        list = &(*list)->next;
    return list;
}

/* What could not be written waits again, behind the others. Given up, so that its lease runs out and the message goes again, is only what is
 * refused by itself time and again: never one for its neighbour, nor because somebody held a table or the database was away for long. */
static void put_back(struct notifier *notifier, bool is_refused)
{
    bool was_alone = notifier->endings_sent->next == NULL;
    struct ending **end = list_end(&notifier->endings_wait);

    while (notifier->endings_sent != NULL) {
        struct ending *ending = notifier->endings_sent;
        notifier->endings_sent = ending->next;
        ending->alone = ending->alone || is_refused;
        ending->tries += is_refused && was_alone;
        if (ending->tries < TRIES_MAX) {
            ending->next = NULL;
            *end = ending;
            end = &ending->next;
            continue;
        }
        log_event(LOG_ERROR, "attempt_given_up", "delivery=%lld", (long long)ending->delivery);
        ending_free(ending);
    }
}

/* What goes in one statement: the first that waits, and what may go with it. */
static void take_batch(struct notifier *notifier)
{
    bool alone = notifier->endings_wait->alone;

    for (int i = 0; i < (alone ? 1 : BATCH_MAX); i++) {
        struct ending *ending = notifier->endings_wait;
        if (ending == NULL || ending->alone != alone)
            return;
        notifier->endings_wait = ending->next;
        ending->next = notifier->endings_sent;
        notifier->endings_sent = ending;
    }
}

static void on_end(void *arg, const struct pg_end *end)
{
    struct notifier *notifier = arg;

    notifier->ending = false;
    if (end->outcome == PG_OK) {
        list_free(&notifier->endings_sent);
        endings_flush(notifier);
        notifier->may_deliver = true;
        return;
    }
    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "attempt_unwritten", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
    put_back(notifier, end->outcome == PG_FAILED && !pg_end_is_passing(end)); /* the next tick writes again */
}

enum column {
    E_ID,
    E_TOKEN,
    E_ATTEMPT,
    E_RESULT,
    E_REPLY,
    E_STATE,
    E_PAUSE,
    E_REASON,
    E_NEXT_CHANNEL,
    E_SUPPRESS,
    E_REST,
    E_FAILED,
    E_COLUMNS
};

static void put_field(struct pg_params *params, int column, const struct ending *e)
{
    const int64_t numbers[E_COLUMNS] = {
        [E_ID] = e->delivery,  [E_TOKEN] = e->token,          [E_ATTEMPT] = e->attempt,
        [E_STATE] = e->state,  [E_PAUSE] = e->pause_us,       [E_NEXT_CHANNEL] = e->next_channel,
        [E_REST] = e->rest_us, [E_SUPPRESS] = e->suppress_us, [E_FAILED] = e->endpoint == ENDPOINT_FAILED};

    if (column == E_RESULT || column == E_REPLY || column == E_REASON)
        pg_array_bytes(params, span_of(column == E_RESULT  ? e->result
                                       : column == E_REPLY ? e->reply
                                                           : e->reason));
    else if ((column == E_SUPPRESS && e->suppress_us == 0) ||
             (column == E_FAILED && e->endpoint == ENDPOINT_NONE))
        pg_array_null(params);
    else
        pg_array_int(params, numbers[column]);
}

void endings_flush(struct notifier *notifier)
{
    static const enum pg_type types[E_COLUMNS] = {PG_INT8, PG_INT8, PG_INT4, PG_TEXT, PG_TEXT, PG_INT2,
                                                  PG_INT8, PG_TEXT, PG_BOOL, PG_INT8, PG_INT8, PG_BOOL};
    struct pg_params *params = notifier->params;

    if (notifier->ending || notifier->endings_wait == NULL || !pg_is_up(notifier->tell))
        return;
    take_batch(notifier);
    pg_params_reset(params);
    for (int column = 0; column < E_COLUMNS; column++) {
        pg_array_open(params, types[column]);
        for (const struct ending *e = notifier->endings_sent; e != NULL; e = e->next)
            put_field(params, column, e);
        pg_array_close(params);
    }
    pg_put_int8(params, DISABLE_AFTER_US);
    pg_put_int8(params, DISABLED_US);
    notifier->ending = true;
    (void)pg_send(notifier->tell, TELL_ATTEMPT_END, params, NULL, NULL);
    pg_sync(notifier->tell, on_end, notifier);
}

void endings_add(struct notifier *notifier, struct ending *ending)
{
    ending->next = notifier->endings_wait;
    notifier->endings_wait = ending;
    endings_flush(notifier);
}

bool endings_are_done(const struct notifier *notifier)
{
    return notifier->endings_wait == NULL && notifier->endings_sent == NULL;
}

void endings_clear(struct notifier *notifier)
{
    list_free(&notifier->endings_wait);
    list_free(&notifier->endings_sent);
}
