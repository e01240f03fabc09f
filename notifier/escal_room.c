/* The room of escalations; see escal_room.h. */
#include "escal_room.h"
#include "clock.h"
#include "escal_climb.h"
#include "escal_gaps.h"
#include "escal_people.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "predecessor.h"
#include "statements.h"

#include <stdlib.h>

enum { CLAIM_MAX = 100, STEP_TRIES_MAX = 4 };
#define GAPS_EVERY_US (INT64_C(3600) * US_PER_S)
#define IDLE_US US_PER_S /* looks at least that often: a poke may be lost */

struct escal_room {
    struct notifier *notifier;
    bool looking, again;
    int64_t due_us;    /* monotonic: when to look again */
    int64_t gaps_us;   /* monotonic: when to look for gaps on call again */
    int limit;         /* alerts in one transaction: few after one was refused, so that the others get on */
    struct used *used; /* replaced while steps by their policies were under way */
};

/* People of a process that is not the current one any more. */
struct used {
    struct escal_people *people;
    struct used *next;
};

struct look {
    struct escal_room *room;
    int64_t token;
    struct climb *climbs[CLAIM_MAX];
    size_t count;
    int tries; /* of its steps */
};

/* ---- life ---- */

struct escal_room *escal_room_new(struct notifier *notifier)
{
    struct escal_room *room = mem_new(1, sizeof *room);
    room->notifier = notifier;
    room->limit = CLAIM_MAX;
    return room;
}

static void used_free(struct escal_room *room)
{
    while (room->used != NULL) {
        struct used *used = room->used;
        room->used = used->next;
        escal_people_free(used->people);
        free(used);
    }
}

void escal_room_free(struct escal_room *room)
{
    if (room == NULL)
        return;
    used_free(room);
    free(room);
}

void escal_room_process(struct escal_room *room, struct span files)
{
    struct escal_people *before;
    struct err err;

    room->gaps_us = 0;
    if (!escal_people_replace(room->notifier->people, files, &before, &err)) {
        log_event(LOG_ERROR, "people_unreadable", "reason=%s", log_quote(err.msg));
        return;
    }
    struct used *used = mem_new(1, sizeof *used);
    *used = (struct used){before, room->used};
    room->used = used;
    if (!room->looking)
        used_free(room);
}

void escal_room_on_up(struct escal_room *room)
{
    room->looking = false;
    used_free(room);
}

/* ---- looking ---- */

static void look_on_overrides(void *arg, PGresult *rows)
{
    struct look *look = arg;
    escal_people_set_overrides(look->room->notifier->people, rows);
}

static void look_on_claimed(void *arg, PGresult *rows)
{
    struct look *look = arg;
    for (int i = 0; i < PQntuples(rows) && look->count < CLAIM_MAX; i++)
        look->climbs[look->count++] = climb_new(look->room->notifier, rows, i, look->token);
}

static void look_on_next(void *arg, PGresult *rows)
{
    enum { DUE_IN, STUCK, OPEN, ACKNOWLEDGED };
    struct look *look = arg;
    struct escal_room *room = look->room;
    int64_t in_us = pg_is_null(rows, 0, DUE_IN) ? IDLE_US : pg_int(rows, 0, DUE_IN);

    room->due_us = clock_mono_us() + (in_us < IDLE_US ? in_us : IDLE_US);
    metric_set(room->notifier->alerts, 0, (double)pg_int(rows, 0, OPEN));
    metric_set(room->notifier->alerts, 1, (double)pg_int(rows, 0, ACKNOWLEDGED));
    metric_set(room->notifier->alerts, 2, (double)pg_int(rows, 0, STUCK));
}

/* ---- the step ---- */

static void look_free(struct look *look)
{
    for (size_t i = 0; i < look->count; i++)
        climb_free(look->climbs[i]);
    look->room->looking = false;
    used_free(look->room);
    free(look);
}

static void look_step(struct look *look);

/* All steps of a look are one transaction. It is repeated while what refused it passes and the leases last; else each comes again when its
 * lease ran out, with fewer others. */
static void look_on_stepped(void *arg, const struct pg_end *end)
{
    struct look *look = arg;
    struct escal_room *room = look->room;

    if (pg_end_is_passing(end) && look->tries < STEP_TRIES_MAX && !room->notifier->stopping) {
        look_step(look);
        return;
    }
    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "steps_failed", "alerts=%zu first=%lld sqlstate=%s message=%s", look->count,
                  (long long)climb_alert(look->climbs[0]), end->sqlstate, log_quote(end->message));
    for (size_t i = 0; i < look->count && end->outcome == PG_OK; i++)
        climb_log(look->climbs[i]);
    room->limit = end->outcome == PG_FAILED ? 1 : room->limit >= CLAIM_MAX / 2 ? CLAIM_MAX : 2 * room->limit;
    room->due_us = 0; /* the answer of the look is old by now */
    look_free(look);
    if (end->outcome == PG_OK) {
        room->notifier->may_deliver = true;
        escal_room_run(room);
    }
}

static void look_step(struct look *look)
{
    look->tries++;
    climbs_send(look->climbs, look->count);
    pg_sync(look->room->notifier->tell, look_on_stepped, look);
}

static void look_on_end(void *arg, const struct pg_end *end)
{
    struct look *look = arg;
    struct escal_room *room = look->room;

    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "escalation_look_failed", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
    if (end->outcome != PG_OK || look->count == 0) {
        bool again = room->again && end->outcome == PG_OK;
        look_free(look);
        if (again)
            escal_room_run(room);
        return;
    }
    look_step(look);
}

void escal_room_run(struct escal_room *room)
{
    struct notifier *notifier = room->notifier;

    room->again = room->looking;
    if (room->looking || notifier->stopping || !pg_is_up(notifier->tell))
        return;
    struct look *look = mem_new(1, sizeof *look);
    look->room = room;
    look->token = predecessor_token(notifier);
    room->looking = true;
    room->due_us = clock_mono_us() + IDLE_US;
    (void)pg_send(notifier->tell, TELL_ALERT_QUIET, NULL, NULL, NULL);
    (void)pg_send(notifier->tell, TELL_ESCAL_OVERRIDES, NULL, look_on_overrides, look);
    pg_params_reset(notifier->params);
    pg_put_int8(notifier->params, look->token);
    pg_put_int8(notifier->params, ESCAL_LEASE_US);
    pg_put_int4(notifier->params, room->limit);
    (void)pg_send(notifier->tell, TELL_ESCAL_CLAIM, notifier->params, look_on_claimed, look);
    (void)pg_send(notifier->tell, TELL_ESCAL_NEXT, NULL, look_on_next, look);
    pg_sync(notifier->tell, look_on_end, look);
}

void escal_room_tick(struct escal_room *room)
{
    int64_t now_us = clock_mono_us();

    if (!room->looking && now_us >= room->due_us)
        escal_room_run(room);
    if (now_us >= room->gaps_us && !room->notifier->stopping) {
        room->gaps_us = now_us + GAPS_EVERY_US;
        escal_gaps_look(room->notifier);
    }
}
