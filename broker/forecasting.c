/* ticket.forecast; see forecasting.h. */
#include "forecasting.h"
#include "broker.h"
#include "calls.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "pg.h"
#include "read_end.h"
#include "statements.h"
#include "tracking.h"
#include "workers.h"

#include <stdlib.h>

enum {
    TICKETS_MAX = 5000,
    HANDLED_MAX = 1000,
    ASK_BYTES_MAX = 3900000,
    ANSWER_BYTES_MAX = 6 << 20,
    ASK_TIMEOUT_MS = 8000,
    EVERY_S = 300
};

struct forecast {
    struct broker *broker;
    struct call *call; /* NULL: the broker asks for itself */
    int64_t staff;     /* 0: as many as were seen */
    int64_t open, tickets_count, handled_count;
    struct buf tickets, handled; /* encoded maps, one after the other */
};

static void forecast_end(struct forecast *f, const struct err *err)
{
    if (f->call == NULL)
        f->broker->forecast_out = false;
    else if (err != NULL)
        call_refuse(f->call, err);
    buf_clear(&f->tickets);
    buf_clear(&f->handled);
    free(f);
}

/* ---- the worker's answer ---- */

static void forecast_answer(struct forecast *f, const struct wire_val *result)
{
    struct buf out;

    if (f->call == NULL) {
        f->broker->forecast_misses = wire_find_int(result, "misses", 0);
        if (f->broker->forecast_misses != 0)
            log_event(LOG_WARN, "forecast", "misses=%lld staff=%lld wanted=%lld",
                      (long long)f->broker->forecast_misses, (long long)wire_find_int(result, "staff", 0),
                      (long long)wire_find_int(result, "wanted", 0));
        return;
    }
    buf_init(&out, ANSWER_BYTES_MAX);
    wire_put_val(&out, result);
    call_answer(f->call, buf_span(&out));
    buf_clear(&out);
}

static void forecast_on_answer(void *arg, const struct workers_answer *answer)
{
    struct forecast *f = arg;
    struct err err;

    if (answer->code == NULL) {
        forecast_answer(f, answer->result);
        forecast_end(f, NULL);
    } else {
        (void)err_set(&err, ERR_UNAVAILABLE, "the worker %s could not forecast: %s", answer->worker,
                      answer->message);
        forecast_end(f, &err);
    }
}

/* ---- from the database ---- */

static void tickets_on_rows(void *arg, PGresult *rows)
{
    struct forecast *f = arg;
    enum { TICKET, PRIORITY, STATE, CLOCKS, OPEN };
    char tracking[TRACKING_TEXT_BYTES];

    for (int i = 0; i < PQntuples(rows) && f->tickets.len < ASK_BYTES_MAX; i++, f->tickets_count++) {
        f->open = pg_int(rows, i, OPEN);
        tracking_format(pg_int(rows, i, TICKET), f->broker->settings.tracking_prefix, tracking);
        wire_put_map(&f->tickets, 4);
        wire_put_key_text(&f->tickets, "tracking", tracking);
        wire_put_key_int(&f->tickets, "priority", pg_int(rows, i, PRIORITY));
        wire_put_key_text(&f->tickets, "state", desk_state_name((enum desk_state)pg_int(rows, i, STATE)));
        wire_put_text(&f->tickets, "clocks");
        if (pg_is_null(rows, i, CLOCKS))
            wire_put_list(&f->tickets, 0);
        else
            wire_put_raw(&f->tickets, pg_span(rows, i, CLOCKS));
    }
}

static void handled_on_rows(void *arg, PGresult *rows)
{
    struct forecast *f = arg;

    for (int i = 0; i < PQntuples(rows); i++, f->handled_count++) {
        wire_put_map(&f->handled, 3);
        wire_put_key_int(&f->handled, "priority", pg_int(rows, i, 0));
        wire_put_key_int(&f->handled, "from_at", pg_int(rows, i, 1));
        wire_put_key_int(&f->handled, "until_at", pg_int(rows, i, 2));
    }
}

static void staff_on_rows(void *arg, PGresult *rows)
{
    struct forecast *f = arg;
    int64_t seen = PQntuples(rows) == 1 ? pg_int(rows, 0, 0) : 0;

    if (f->staff == 0)
        f->staff = seen < 1 ? 1 : seen > 1000 ? 1000 : seen;
}

static void forecast_on_end(void *arg, const struct pg_end *end)
{
    struct forecast *f = arg;
    struct err err = {0};
    struct buf body;

    if (!read_end_is_ok(end, "forecast", &err)) {
        forecast_end(f, &err);
        return;
    }
    buf_init(&body, 2 * ASK_BYTES_MAX);
    wire_put_map(&body, 5);
    wire_put_key_int(&body, "now", broker_now(f->broker));
    wire_put_key_int(&body, "staff", f->staff);
    wire_put_key_int(&body, "open", f->open);
    wire_put_text(&body, "tickets");
    wire_put_list(&body, (size_t)f->tickets_count);
    (void)buf_add_span(&body, buf_span(&f->tickets));
    wire_put_text(&body, "handled");
    wire_put_list(&body, (size_t)f->handled_count);
    (void)buf_add_span(&body, buf_span(&f->handled));
    bool ok = workers_ask(f->broker->workers, "forecast", buf_span(&body), false, ASK_TIMEOUT_MS * US_PER_MS,
                          forecast_on_answer, f, &err);
    buf_clear(&body);
    if (!ok)
        forecast_end(f, &err);
}

static void forecast_start(struct broker *broker, struct call *call)
{
    struct forecast *f = mem_new(1, sizeof *f);

    f->broker = broker;
    f->call = call;
    f->staff = call == NULL ? 0 : request_int(&call->req, F_PEOPLE, 0);
    buf_init(&f->tickets, 2 * ASK_BYTES_MAX);
    buf_init(&f->handled, ASK_BYTES_MAX);
    pg_params_reset(broker->params);
    pg_put_int4(broker->params, TICKETS_MAX);
    (void)pg_send(broker->reader_pg, READER_FORECAST_TICKETS, broker->params, tickets_on_rows, f);
    pg_params_reset(broker->params);
    pg_put_int4(broker->params, HANDLED_MAX);
    (void)pg_send(broker->reader_pg, READER_FORECAST_HANDLED, broker->params, handled_on_rows, f);
    pg_params_reset(broker->params);
    (void)pg_send(broker->reader_pg, READER_FORECAST_STAFF, broker->params, staff_on_rows, f);
    pg_sync(broker->reader_pg, forecast_on_end, f);
}

void forecasting(struct broker *broker, struct call *call)
{
    forecast_start(broker, call);
}

void forecasting_tick(struct broker *broker)
{
    int64_t mono = clock_mono_us();

    if (broker->forecast_us == 0)
        broker->forecast_us =
            mono; /* the first one after a while: a desk that just came up has other things to do */
    if (broker->epoch == 0 || broker->stopping || broker->forecast_out || !pg_is_up(broker->reader_pg) ||
        workers_count_ready(broker->workers) == 0 || mono - broker->forecast_us < EVERY_S * US_PER_S)
        return;
    broker->forecast_us = mono;
    broker->forecast_out = true;
    forecast_start(broker, NULL);
}
