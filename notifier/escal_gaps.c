/* Gaps on call, looked for ahead of time; see escal_gaps.h. */
#include "escal_gaps.h"
#include "clock.h"
#include "escal_people.h"
#include "found.h"
#include "instant.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "statements.h"

#include <stdlib.h>

enum { AHEAD_DAYS = 14 };
#define AHEAD_US (AHEAD_DAYS * INT64_C(86400) * US_PER_S)

struct gap_look {
    struct notifier *notifier;
    int64_t now;
    struct found *gaps;
    size_t count;
};

static void on_now(void *arg, PGresult *rows)
{
    struct gap_look *look = arg;
    look->now = pg_int(rows, 0, 0);
}

static void gap_find(struct gap_look *look, size_t schedule, struct oncall_overrides overrides)
{
    const struct process_schedule *of = oncall_schedule(look->notifier->people->oncall, schedule);
    char from[INSTANT_BYTES], until[INSTANT_BYTES];
    int64_t from_at = 0, until_at = 0;

    if (of->may_have_gaps || !oncall_gap(look->notifier->people->oncall, schedule, overrides, look->now,
                                         look->now + AHEAD_US, &from_at, &until_at))
        return;
    struct found *gap = &look->gaps[look->count++];
    (void)instant_format(from_at / US_PER_S * US_PER_S, from);
    (void)instant_format(until_at / US_PER_S * US_PER_S, until);
    (void)snprintf(gap->cause, sizeof gap->cause, "oncall:%s", of->name);
    (void)snprintf(gap->text, sizeof gap->text,
                   "Nobody is on call in %s from %s to %s. Put somebody there: docket oncall override %s",
                   of->name, from, until, of->name);
}

static void on_overrides(void *arg, PGresult *rows)
{
    struct gap_look *look = arg;
    struct escal_people changed = {.process = NULL};

    if (look->notifier->people->oncall == NULL)
        return;
    escal_people_set_overrides(&changed, rows);
    look->gaps = mem_new(oncall_count(look->notifier->people->oncall) + 1, sizeof *look->gaps);
    for (size_t i = 0; i < oncall_count(look->notifier->people->oncall); i++)
        gap_find(look, i, (struct oncall_overrides){changed.overrides, changed.override_count});
    escal_people_clear(&changed);
}

static void look_free(struct gap_look *look)
{
    free(look->gaps);
    free(look);
}

static void on_written(void *arg, const struct pg_end *end)
{
    (void)arg;
    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "gaps_unwritten", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
}

static void on_read(void *arg, const struct pg_end *end)
{
    struct gap_look *look = arg;
    struct notifier *notifier = look->notifier;

    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "gaps_unread", "sqlstate=%s message=%s", end->sqlstate, log_quote(end->message));
    if (end->outcome == PG_OK && look->gaps != NULL) {
        found_put(notifier->params, look->gaps, look->count, "oncall:%", 3);
        (void)pg_send(notifier->tell, TELL_FOUND_ALERTS, notifier->params, NULL, NULL);
        pg_sync(notifier->tell, on_written, NULL);
    }
    look_free(look);
}

void escal_gaps_look(struct notifier *notifier)
{
    struct gap_look *look = mem_new(1, sizeof *look);

    look->notifier = notifier;
    (void)pg_send(notifier->tell, TELL_GAP_NOW, NULL, on_now, look);
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, AHEAD_US);
    (void)pg_send(notifier->tell, TELL_GAP_OVERRIDES, notifier->params, on_overrides, look);
    pg_sync(notifier->tell, on_read, look);
}
