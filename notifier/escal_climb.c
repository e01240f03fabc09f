/* One alert's climb; see escal_climb.h. */
#include "escal_climb.h"
#include "clock.h"
#include "desk.h"
#include "escal_people.h"
#include "escal_who.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "statements.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 130, CAUSE_BYTES = 130, KIND_BYTES = 34, BODY_BYTES_MAX = 64 << 10 };
/* Pages overtake what waits (deliveries are claimed in the order of next_at). */
#define HEAD_START_US (INT64_C(3600) * US_PER_S)

struct climb {
    struct notifier *notifier;
    int64_t id, token, ticket;
    int priority, was_state;
    int32_t was_generation;
    char cause[CAUSE_BYTES], kind[KIND_BYTES];
    char assignee[NAME_BYTES], queue[NAME_BYTES], acker[NAME_BYTES];
    int64_t at;
    bool was_told;
    const struct process_escalation *policy;
    struct escal_result result;
    size_t people_left_out, ways_left_out; /* of all its steps: see struct pages */
    bool ours;                             /* the row of escal_advance came back */
};

/* What each kind of step is called in the outbox: a template's name. */
static const char *const step_kinds[ESCAL_WHATS] = {[ESCAL_PAGE] = "alert",
                                                    [ESCAL_LAST_RESORT] = "alert",
                                                    [ESCAL_REMIND] = "alert_reminder",
                                                    [ESCAL_OVER] = "alert_over"};

/* ---- who is told ---- */

static const char *text_or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static struct escal_scene climb_scene(const struct climb *climb)
{
    struct escal_scene scene = escal_who_scene(climb->notifier, climb->at);

    scene.assignee = text_or_null(climb->assignee);
    scene.queue = text_or_null(climb->queue);
    scene.acker = text_or_null(climb->acker);
    return scene;
}

/* The first level that reaches anybody, for what is over before somebody was told. */
static void first_level_pages(const struct climb *climb, const struct escal_scene *scene, struct pages *ret)
{
    for (size_t i = 0; ret->count == 0 && i < climb->policy->levels.count; i++)
        (void)escal_targets_add(scene, &climb->policy->levels.items[i].tell, climb->policy->urgency, ret);
}

/* Who had been told hears that it is over: the statement knows them. */
static bool step_is_by_statement(const struct climb *climb, const struct escal_step *step)
{
    return step->what == ESCAL_OVER && climb->was_told;
}

/* Whom one step tells; that it is over, where nobody had been told, who would have been first. */
static void step_pages(const struct climb *climb, const struct escal_step *step, struct pages *ret)
{
    struct escal_scene scene = climb_scene(climb);

    pages_clear(ret);
    if (step->what == ESCAL_OVER)
        first_level_pages(climb, &scene, ret);
    else
        escal_targets_step(&scene, climb->policy, step, ret);
}

/* ---- what was claimed ---- */

enum claimed {
    C_ALERT,
    C_CAUSE,
    C_ALERT_TICKET,
    C_ALERT_KIND,
    C_ALERT_OF_PRIORITY,
    C_IS,
    C_GENERATION,
    C_ROUND,
    C_LEVEL,
    C_REMINDERS,
    C_SINCE_AT,
    C_STEPPED_AT,
    C_ACKED_AT,
    C_REMINDED_AT,
    C_NEXT_AT,
    C_ACKED_BY,
    C_NOW_AT,
    C_ALERT_ASSIGNEE,
    C_ALERT_QUEUE,
    C_IS_GONE,
    C_PROGRESS_AT,
    C_WAS_TOLD
};

static void copy_text(const PGresult *rows, int row, int column, char *to, size_t size)
{
    struct span from = pg_span(rows, row, column);
    (void)snprintf(to, size, "%.*s", (int)from.len, from.p == NULL ? "" : from.p);
}

static struct escal_state state_from_row(const PGresult *rows, int row)
{
    return (struct escal_state){.is = (enum escal_is)pg_int(rows, row, C_IS),
                                .generation = (int32_t)pg_int(rows, row, C_GENERATION),
                                .round = (int32_t)pg_int(rows, row, C_ROUND),
                                .level = (int32_t)pg_int(rows, row, C_LEVEL),
                                .reminders = (int32_t)pg_int(rows, row, C_REMINDERS),
                                .since_at = pg_int(rows, row, C_SINCE_AT),
                                .stepped_at = pg_int(rows, row, C_STEPPED_AT),
                                .acked_at = pg_int(rows, row, C_ACKED_AT),
                                .reminded_at = pg_int(rows, row, C_REMINDED_AT),
                                .next_at = pg_int(rows, row, C_NEXT_AT)};
}

static struct climb *climb_from_row(struct notifier *notifier, const PGresult *rows, int row, int64_t token)
{
    struct climb *climb = mem_new(1, sizeof *climb);

    climb->notifier = notifier;
    climb->token = token;
    climb->id = pg_int(rows, row, C_ALERT);
    climb->ticket = pg_int(rows, row, C_ALERT_TICKET);
    climb->priority = (int)pg_int(rows, row, C_ALERT_OF_PRIORITY);
    climb->was_state = (int)pg_int(rows, row, C_IS);
    climb->was_generation = (int32_t)pg_int(rows, row, C_GENERATION);
    climb->at = pg_int(rows, row, C_NOW_AT);
    if (climb->was_state == ESCAL_ACKED && pg_int(rows, row, C_NEXT_AT) == 0) /* the first look since then */
        metric_observe(notifier->acknowledged, 0,
                       (double)(pg_int(rows, row, C_ACKED_AT) - pg_int(rows, row, C_SINCE_AT)) / US_PER_S);
    copy_text(rows, row, C_CAUSE, climb->cause, sizeof climb->cause);
    copy_text(rows, row, C_ALERT_KIND, climb->kind, sizeof climb->kind);
    copy_text(rows, row, C_ALERT_ASSIGNEE, climb->assignee, sizeof climb->assignee);
    copy_text(rows, row, C_ALERT_QUEUE, climb->queue, sizeof climb->queue);
    copy_text(rows, row, C_ACKED_BY, climb->acker, sizeof climb->acker);
    return climb;
}

static void climb_decide(struct climb *climb, const PGresult *rows, int row)
{
    const struct escal_people *people = climb->notifier->people;
    const struct process_alert_facts facts = {climb->kind, climb->cause, text_or_null(climb->queue),
                                              climb->priority};
    struct escal_state state = state_from_row(rows, row);
    struct escal_now now = {.at = climb->at,
                            .progress_at = pg_int(rows, row, C_PROGRESS_AT),
                            .cause_is_gone = pg_bool(rows, row, C_IS_GONE),
                            .was_told = pg_bool(rows, row, C_WAS_TOLD),
                            .due = escal_people_due};

    climb->was_told = now.was_told;
    now.must_tell = strcmp(climb->kind, "missed") == 0;
    climb->policy = process_escalation_of(escal_people_plan(people), &facts);
    struct escal_delay delay = {people, climb->policy};
    now.due_arg = &delay;
    struct escal_scene scene = climb_scene(climb);
    escal_targets_reach(&scene, climb->policy, now.reach);
    escal_run(climb->policy, &state, &now, &climb->result);
}

/* ---- the step ---- */

static void put_advance(const struct climb *climb, struct pg_params *params)
{
    const struct escal_state *s = &climb->result.state;

    pg_params_reset(params);
    pg_put_int8(params, climb->id);
    pg_put_int8(params, climb->token);
    pg_put_int4(params, climb->was_generation);
    pg_put_int2(params, (int16_t)climb->was_state);
    pg_put_int2(params, (int16_t)s->is);
    pg_put_int4(params, s->generation);
    pg_put_int4(params, s->round);
    pg_put_int4(params, s->level);
    pg_put_int4(params, s->reminders);
    pg_put_int8(params, s->since_at);
    pg_put_int8(params, s->stepped_at);
    pg_put_int8(params, s->reminded_at);
    if (s->next_at == ESCAL_NEVER)
        pg_put_null(params);
    else
        pg_put_int8(params, s->next_at);
    pg_put_text(params, climb->policy->name);
}

/* "Ada Lovelace (xmpp), desk (email)", as people read it. people: NULL: by their short names. */
static void told_format(const struct pages *pages, const struct process_people *people, struct buf *out)
{
    for (size_t i = 0; i < pages->count; i++) {
        struct span title = process_person_title(people, span_of(pages->items[i].recipient));
        if (pages->items[i].way == 0)
            buf_printf(out, "%s%.*s (%s)", out->len == 0 ? "" : ", ", (int)title.len, title.p,
                       pages->items[i].channel);
    }
}

/* The same as a list, for readers of another language; they are called by their names. */
static void put_told(const struct pages *pages, const struct process_people *people, struct buf *out)
{
    wire_put_text(out, "told_to");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < pages->count; i++) {
        if (pages->items[i].way != 0)
            continue;
        wire_put_map(out, 2);
        wire_put_key_str(out, "name", process_person_title(people, span_of(pages->items[i].recipient)));
        wire_put_key_text(out, "channel", pages->items[i].channel);
        list.count++;
    }
    wire_list_close(out, &list);
}

static void put_body(const struct climb *climb, const struct escal_step *step, const struct pages *pages,
                     const char *told, struct buf *out)
{
    struct wire_map map = wire_map_open(out);

    wire_put_key_int(out, "id", climb->id), map.count++;
    wire_put_key_text(out, "what", escal_what_name(step->what)), map.count++;
    wire_put_key_text(out, "policy", climb->policy->name), map.count++;
    wire_put_key_int(out, "level", step->level + 1), map.count++;
    if (step->round > 0)
        wire_put_key_int(out, "again", step->round), map.count++;
    if (step->generation > 1)
        wire_put_key_bool(out, "opened_again", true), map.count++;
    if (step->what == ESCAL_LAST_RESORT)
        wire_put_key_bool(out, "last_resort", true), map.count++;
    if (told[0] != '\0')
        wire_put_key_text(out, "told", told), map.count++,
            put_told(pages, escal_people_plan(climb->notifier->people), out), map.count++;
    if (climb->acker[0] != '\0')
        wire_put_key_text(out, "acked_by", climb->acker), map.count++;
    wire_map_close(out, &map);
}

enum page_column { P_CHANNEL, P_RECIPIENT, P_ADDRESS, P_LATER, P_WAY, P_COLUMNS };

/* A person's next way begins when the one before had no success for so long. */
static int64_t page_later(const struct climb *climb, const struct page *page)
{
    int64_t wait_us = climb->policy->urgency == URGENCY_URGENT ? 30 * US_PER_S : 600 * US_PER_S;
    int64_t hours_us = page->not_before == 0 ? 0 : page->not_before - climb->at;
    return page->way == 0 && hours_us == 0 ? -HEAD_START_US : hours_us + page->way * wait_us;
}

static void put_pages(const struct climb *climb, const struct pages *pages, struct pg_params *params)
{
    static const enum pg_type types[P_COLUMNS] = {PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8, PG_INT2};

    for (int column = 0; column < P_COLUMNS; column++) {
        pg_array_open(params, types[column]);
        for (size_t i = 0; i < pages->count; i++) {
            const struct page *page = &pages->items[i];
            if (column == P_LATER || column == P_WAY)
                pg_array_int(params, column == P_WAY ? page->way : page_later(climb, page));
            else
                pg_array_bytes(params, span_of(column == P_CHANNEL     ? page->channel
                                               : column == P_RECIPIENT ? page->recipient
                                                                       : page->address));
        }
        pg_array_close(params);
    }
}

/* Who hears of what concerns the machine is ops; of tickets, staff. */
static int16_t climb_audience(const struct climb *climb)
{
    return climb->ticket == 0 ? AUDIENCE_OPS : AUDIENCE_STAFF;
}

static void step_send_over(const struct climb *climb, const struct escal_step *step, struct span body)
{
    struct notifier *notifier = climb->notifier;
    struct pg_params *params = notifier->params;

    pg_params_reset(params);
    pg_put_int8(params, climb->id);
    pg_put_int8(params, climb->token);
    pg_put_int4(params, step->generation);
    pg_put_text(params, step_kinds[step->what]);
    pg_put_int2(params, climb_audience(climb));
    pg_put_bytes(params, body);
    (void)pg_send(notifier->tell, TELL_ESCAL_OVER, params, NULL, NULL);
}

static void step_send_told(const struct climb *climb, const struct escal_step *step,
                           const struct pages *pages, const char *told, struct span body)
{
    struct notifier *notifier = climb->notifier;
    struct pg_params *params = notifier->params;

    pg_params_reset(params);
    pg_put_int8(params, climb->id);
    pg_put_int8(params, climb->token);
    pg_put_int2(params, (int16_t)step->what);
    pg_put_int4(params, step->generation);
    pg_put_int4(params, step->round);
    pg_put_int4(params, step->level);
    pg_put_int4(params, (int32_t)pages->people);
    pg_put_text(params, pages->count == 0 ? "nobody can be reached" : told);
    pg_put_text(params, step_kinds[step->what]);
    pg_put_int2(params, climb_audience(climb));
    pg_put_bytes(params, body);
    put_pages(climb, pages, params);
    (void)pg_send(notifier->tell, TELL_ESCAL_STEP, params, NULL, NULL);
}

static void step_send(struct climb *climb, const struct escal_step *step)
{
    bool by_statement = step_is_by_statement(climb, step);
    struct pages pages;
    struct buf told, names, body; /* told: by short names, for commands; names: for readers */

    buf_init(&told, BODY_BYTES_MAX / 2);
    buf_init(&names, BODY_BYTES_MAX / 2);
    buf_init(&body, BODY_BYTES_MAX);
    pages_clear(&pages);
    if (!by_statement)
        step_pages(climb, step, &pages);
    climb->people_left_out += pages.people_left_out;
    climb->ways_left_out += pages.ways_left_out;
    told_format(&pages, NULL, &told);
    told_format(&pages, escal_people_plan(climb->notifier->people), &names);
    put_body(climb, step, &pages, buf_text(&names), &body);
    if (by_statement)
        step_send_over(climb, step, buf_span(&body));
    else
        step_send_told(climb, step, &pages, buf_text(&told), buf_span(&body));
    buf_clear(&told);
    buf_clear(&names);
    buf_clear(&body);
}

void climb_log(const struct climb *climb)
{
    struct notifier *notifier = climb->notifier;

    if (!climb->ours)
        return;
    for (size_t i = 0; i < climb->result.count; i++) {
        const struct escal_step *step = &climb->result.steps[i];
        metric_add(notifier->steps, (size_t)step->what, 1);
        log_event(step->reached ? LOG_INFO : LOG_WARN, "escalation_step",
                  "alert=%lld cause=%s policy=%s what=%s generation=%d round=%d step=%d reached=%s",
                  (long long)climb->id, log_quote(climb->cause), climb->policy->name,
                  escal_what_name(step->what), (int)step->generation, (int)step->round, (int)step->level + 1,
                  step->reached ? "yes" : "no");
    }
    if (climb->result.nobody)
        metric_add(notifier->nobody, 0, 1);
    escal_who_left_out(notifier, climb->people_left_out, climb->ways_left_out, climb->policy->name,
                       climb->cause);
    if (climb->result.opened_again)
        log_event(LOG_WARN, "alert_open_again", "alert=%lld acked_by=%s", (long long)climb->id,
                  log_quote(climb->acker));
}

static void climb_on_rows(void *arg, PGresult *rows)
{
    struct climb *climb = arg;
    climb->ours = PQntuples(rows) == 1;
}

static void climb_send(struct climb *climb)
{
    struct notifier *notifier = climb->notifier;

    put_advance(climb, notifier->params);
    (void)pg_send(notifier->tell, TELL_ESCAL_ADVANCE, notifier->params, climb_on_rows, climb);
    if (climb->result.state.is == ESCAL_RESOLVED) {
        pg_params_reset(notifier->params);
        pg_put_int8(notifier->params, climb->id);
        pg_put_int8(notifier->params, climb->token);
        (void)pg_send(notifier->tell, TELL_ESCAL_WITHDRAW, notifier->params, NULL, NULL);
    }
    for (size_t i = 0; i < climb->result.count; i++)
        step_send(climb, &climb->result.steps[i]);
}

/* ---- what they make ready ---- */

/* The addresses of the pages that some climbs are about to write. */
struct ready {
    struct address {
        const char *channel, *address;
    } * items; /* owned; texts are the process's and the climbs' */
    size_t count, room;
};

static void ready_add(struct ready *ready, const struct climb *climb, const struct escal_step *step)
{
    struct pages pages;

    if (step_is_by_statement(climb, step))
        return;
    step_pages(climb, step, &pages);
    if (ready->count + pages.count > ready->room) {
        ready->room = 2 * ready->room + pages.count;
        ready->items = mem_grow(ready->items, ready->room, sizeof *ready->items);
    }
    for (size_t i = 0; i < pages.count; i++)
        ready->items[ready->count++] = (struct address){pages.items[i].channel, pages.items[i].address};
}

static void put_ready(const struct ready *ready, struct pg_params *params)
{
    pg_array_open(params, PG_TEXT);
    for (size_t i = 0; i < ready->count; i++)
        pg_array_bytes(params, span_of(ready->items[i].channel));
    pg_array_close(params);
    pg_array_open(params, PG_TEXT);
    for (size_t i = 0; i < ready->count; i++)
        pg_array_bytes(params, span_of(ready->items[i].address));
    pg_array_close(params);
}

/* The ids of what is over: who had been told hears of it, which the statement knows. */
static void put_over(struct climb *const *climbs, size_t count, struct pg_params *params)
{
    pg_array_open(params, PG_INT8);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < climbs[i]->result.count; k++)
            if (step_is_by_statement(climbs[i], &climbs[i]->result.steps[k]))
                pg_array_int(params, climbs[i]->id);
    pg_array_close(params);
}

/* Each step makes the addresses of its pages ready. Two notifiers with many steps would each hold what the other wants next: so all are
 * locked first, in the one order. */
static void send_hold(struct climb *const *climbs, size_t count)
{
    struct notifier *notifier = climbs[0]->notifier;
    struct ready ready = {0};

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < climbs[i]->result.count; k++)
            ready_add(&ready, climbs[i], &climbs[i]->result.steps[k]);
    pg_params_reset(notifier->params);
    put_ready(&ready, notifier->params);
    put_over(climbs, count, notifier->params);
    (void)pg_send(notifier->tell, TELL_ESCAL_HOLD, notifier->params, NULL, NULL);
    free(ready.items);
}

/* ---- public ---- */

struct climb *climb_new(struct notifier *notifier, const PGresult *rows, int row, int64_t token)
{
    struct climb *climb = climb_from_row(notifier, rows, row, token);
    climb_decide(climb, rows, row);
    return climb;
}

void climb_free(struct climb *climb)
{
    free(climb);
}

int64_t climb_alert(const struct climb *climb)
{
    return climb->id;
}

static int compare_alerts(const void *a, const void *b)
{
    int64_t x = (*(struct climb *const *)a)->id, y = (*(struct climb *const *)b)->id;
    return (x > y) - (x < y);
}

void climbs_send(struct climb **climbs, size_t count)
{
    qsort(climbs, count, sizeof *climbs, compare_alerts);
    send_hold(climbs, count);
    for (size_t i = 0; i < count; i++)
        climb_send(climbs[i]);
}
