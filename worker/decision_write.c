/* A decision in the form of docs/protocol-workers.md, "Decision". Decides nothing; says it. */
#include "decide_internal.h"
#include "tell_body.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 400, CAUSE_BYTES = 129, RESOLVES_MAX = 94 };

static const char *const state_texts[] = {
    [SET_IN_PROGRESS] = "in_progress", [SET_REOPENED] = "reopened", [SET_CLOSED] = "closed"};

/* ---- set ---- */

static void put_tags(const struct decision *d, struct buf *out)
{
    const struct wire_val *old = wire_find(d->work->ticket, "tags");

    wire_put_text(out, "tags");
    wire_put_list(out, wire_count(old) + d->choice.tag_count);
    for (size_t i = 0; i < wire_count(old); i++)
        wire_put_val(out, wire_at(old, i));
    for (size_t i = 0; i < d->choice.tag_count; i++)
        wire_put_text(out, d->choice.tags[i]);
}

static void put_attributes(const struct decision *d, struct buf *out)
{
    const struct wire_val *old = wire_find(d->work->ticket, "attributes");

    wire_put_text(out, "attributes");
    struct wire_map map = wire_map_open(out);
    for (size_t i = 0; i < wire_count(old); i++)
        if (!choice_sets_attribute(&d->choice, wire_key_at(old, i))) {
            wire_put_str(out, wire_key_at(old, i));
            wire_put_val(out, wire_val_at(old, i));
            map.count++;
        }
    for (size_t i = 0; i < d->choice.attribute_count; i++) {
        const struct rule_attribute *a = d->choice.attributes[i];
        wire_put_text(out, a->name);
        if (a->value.kind == RULE_NUMBER && a->value.is_whole)
            wire_put_int(out, a->value.whole);
        else if (a->value.kind == RULE_NUMBER)
            wire_put_float(out, a->value.number);
        else if (a->value.kind == RULE_BOOL)
            wire_put_bool(out, a->value.number > 0);
        else
            wire_put_text(out, a->value.text);
        map.count++;
    }
    wire_map_close(out, &map);
}

static void put_set(const struct decision *d, struct buf *out)
{
    const struct choice *c = &d->choice;

    wire_put_text(out, "set");
    struct wire_map set = wire_map_open(out);
    if (d->set_priority)
        wire_put_key_int(out, "priority", d->priority), set.count++;
    if (d->state != SET_NO_STATE)
        wire_put_key_text(out, "state", state_texts[d->state]), set.count++;
    if (c->queue != NULL)
        wire_put_key_text(out, "queue", c->queue), set.count++;
    if (c->assignee != NULL)
        wire_put_key_text(out, "assignee", c->assignee), set.count++;
    if (c->kind != NULL)
        wire_put_key_text(out, "kind", c->kind), set.count++;
    if (c->tag_count != 0)
        put_tags(d, out), set.count++;
    if (c->attribute_count != 0)
        put_attributes(d, out), set.count++;
    if (d->set_reply_pending)
        wire_put_key_bool(out, "reply_pending", d->reply_pending), set.count++;
    wire_map_close(out, &set);
}

/* ---- clocks and verdicts ---- */

/* Where nothing is promised, what is kept with the clocks needs one all the same: it is of no promise, so nobody is shown it. */
static struct clock clock_of_no_promise(const struct decision *d)
{
    int64_t posted_at = d->work->posted_at;

    return (struct clock){.kind = CLOCK_RESPONSE,
                          .cycle = 1,
                          .state = CLOCK_MET,
                          .started_at = posted_at,
                          .due_at = CLOCK_NO_INSTANT,
                          .warn_at = CLOCK_NO_INSTANT,
                          .met_at = posted_at,
                          .calendar = span_of(PROCESS_ALWAYS),
                          .as_of_at = d->work->now,
                          .unpromised = true};
}

static void put_clocks(const struct decision *d, struct buf *out)
{
    struct work_kept kept = {.forced_calendar = d->forced_calendar,
                             .approvals_asked = d->approvals_asked,
                             .approvals_for_at = d->clocks.resolved_at,
                             .wake_in_at = d->wake_in_at,
                             .by = span_of(engine_by(d->engine))};

    if (d->clocks.count == 0) {
        const struct clock none = clock_of_no_promise(d);
        wire_put_list(out, 1);
        work_put_clock(out, &none, &kept);
        return;
    }
    wire_put_list(out, d->clocks.count);
    for (size_t i = 0; i < d->clocks.count; i++)
        work_put_clock(out, &d->clocks.items[i], i == 0 ? &kept : NULL);
}

static void put_deadlines(const struct decision *d, struct buf *out)
{
    wire_put_text(out, "deadlines");
    wire_put_list(out, d->clocks.verdict_count);
    for (size_t i = 0; i < d->clocks.verdict_count; i++) {
        const struct clock_verdict *v = &d->clocks.verdicts[i];
        bool before_move = strcmp(v->package, d->package->name) != 0;
        wire_put_map(out, before_move ? 12 : 11);
        wire_put_key_text(out, "clock", clock_kind_name(v->clock.kind));
        wire_put_key_int(out, "cycle", v->clock.cycle);
        wire_put_key_text(out, "verdict", v->missed ? "missed" : "met");
        wire_put_key_text(out, "cause", v->cause);
        wire_put_key_int(out, "priority", v->priority);
        wire_put_key_int(out, "promise_s", v->clock.promise_s);
        work_put_instant(out, "due_at", v->clock.due_at);
        work_put_instant(out, "met_at", v->clock.met_at);
        wire_put_key_int(out, "worked_s", v->clock.worked_s);
        wire_put_key_int(out, "paused_s", v->clock.paused_s);
        wire_put_key_text(out, "zones", engine_zones(d->engine));
        if (before_move)
            wire_put_key_text(out, "package", v->package);
    }
}

/* What became of each clock, for the ticket's history. */
static void put_changes(const struct decision *d, struct buf *out)
{
    struct clock_change changes[2 * CLOCKS_MAX];
    size_t count = clocks_changes(&d->clocks, d->work->old, d->work->old_count, changes);

    wire_put_text(out, "changes");
    wire_put_list(out, count);
    for (size_t i = 0; i < count; i++) {
        const struct clock *clock = changes[i].clock;
        wire_put_map(out, 7);
        wire_put_key_text(out, "clock", clock_kind_name(clock->kind));
        wire_put_key_int(out, "cycle", clock->cycle);
        wire_put_key_text(out, "step", clock_step_name(changes[i].step));
        work_put_instant(out, "due_at", clock->due_at);
        wire_put_key_int(out, "worked_s", clock->worked_s);
        wire_put_key_int(out, "paused_s", clock->paused_s);
        wire_put_key_int(out, "left_s", clock->left_s);
    }
}

/* ---- events ---- */

static void put_questions(const struct decision *d, struct buf *out)
{
    wire_put_text(out, "questions");
    wire_put_list(out, d->choice.ask_count);
    for (size_t i = 0; i < d->choice.ask_count; i++) {
        const char *text = process_question_find(engine_process(d->engine), d->choice.asks[i]);
        wire_put_map(out, 2);
        wire_put_key_text(out, "name", d->choice.asks[i]);
        wire_put_key_text(out, "text", text == NULL ? d->choice.asks[i] : text);
    }
}

static void put_event(struct buf *out, const char *kind, bool is_public)
{
    wire_put_map(out, 3);
    wire_put_key_text(out, "kind", kind);
    wire_put_key_bool(out, "public", is_public);
    wire_put_text(out, "body");
}

/* The body of a warning or miss, in events and in messages alike. */
static void put_notice(const struct clock_notice *n, struct buf *out)
{
    wire_put_map(out, 7);
    wire_put_key_text(out, "clock", clock_kind_name(n->clock.kind));
    wire_put_key_int(out, "cycle", n->clock.cycle);
    wire_put_key_int(out, "percent", n->percent);
    wire_put_key_int(out, "priority", n->priority);
    work_put_instant(out, "due_at", n->clock.due_at);
    wire_put_key_int(out, "worked_s", n->clock.worked_s);
    wire_put_key_int(out, "left_s", n->clock.left_s);
}

static void put_approval(const struct decision *d, struct buf *out)
{
    wire_put_map(out, 2);
    wire_put_key_text(out, "what", "approval");
    wire_put_key_int(out, "times", d->approvals_asked);
}

/* What the desk tells of a meeting that is near: in the ticket's history, which also says that it was told, and to the customer. */
static void put_reminder(const struct wire_val *meeting, struct buf *out)
{
    wire_put_map(out, 2);
    wire_put_key_text(out, "what", "meeting");
    wire_put_text(out, "meeting");
    struct wire_map map = wire_map_open(out);
    for (size_t i = 0; i < wire_count(meeting); i++) {
        struct span key = wire_key_at(meeting, i);
        if (span_is(key, "what") || span_is(key, "dropped") || span_is(key, "invited") ||
            span_is(key, "was")) /* they were told when it was moved */
            continue;
        wire_put_str(out, key);
        wire_put_val(out, wire_val_at(meeting, i));
        map.count++;
    }
    wire_put_key_text(out, "what", "reminder"), map.count++;
    wire_map_close(out, &map);
}

static void put_events(const struct decision *d, struct buf *out)
{
    wire_put_text(out, "events");
    struct wire_map list = wire_list_open(out);
    if (d->choice.ask_count != 0) {
        put_event(out, "asked", true);
        wire_put_map(out, 1);
        put_questions(d, out);
        list.count++;
    }
    if (d->ask_approval) {
        put_event(out, "asked", true);
        put_approval(d, out);
        list.count++;
    }
    for (size_t i = 0; i < d->meetings.due_count; i++) {
        put_event(out, "asked", true);
        put_reminder(d->meetings.due[i], out);
        list.count++;
    }
    for (size_t i = 0; i < d->clocks.notice_count; i++) {
        put_event(out, d->clocks.notices[i].percent == 100 ? "missed" : "warned", false);
        put_notice(&d->clocks.notices[i], out);
        list.count++;
    }
    wire_list_close(out, &list);
}

/* ---- notify ---- */

struct notes {
    struct buf *out;
    struct wire_map list;
};

/* Begins one message; its body must follow. generation keeps several of a kind in one decision apart. */
static void note_open(struct notes *notes, const char *to, const char *kind, int64_t generation,
                      bool has_alert)
{
    wire_put_map(notes->out, has_alert ? 5 : 4);
    wire_put_key_text(notes->out, "to", to);
    wire_put_key_text(notes->out, "kind", kind);
    wire_put_key_int(notes->out, "generation", generation);
    notes->list.count++;
}

static void put_alert(struct buf *out, const char *cause, int priority, const char *text)
{
    wire_put_text(out, "alert");
    wire_put_map(out, 3);
    wire_put_key_text(out, "cause", cause);
    wire_put_key_int(out, "priority", priority);
    wire_put_key_text(out, "text", text);
}

/* "prefix: title", cut between letters. */
static void title_text(const struct decision *d, const char *prefix, char ret[TEXT_BYTES])
{
    struct span title = span_cut(wire_find_str(d->work->ticket, "title"), TEXT_BYTES - strlen(prefix) - 3);

    (void)snprintf(ret, TEXT_BYTES, "%s: %.*s", prefix, (int)title.len, title.len == 0 ? "" : title.p);
}

/* What the customer learns of one clock; starts_at only when the desk is closed at the posting. */
static void put_promise(const struct decision *d, const struct clock *clock, struct buf *out)
{
    const struct calendar *calendar = engine_calendar(d->engine, clock->calendar);
    int64_t starts_at = CLOCK_NO_INSTANT;

    if (clock->working && calendar != NULL && !calendar_is_open(calendar, clock->started_at))
        starts_at = calendar_next_change(calendar, clock->started_at);
    wire_put_map(out, 5);
    wire_put_key_text(out, "clock", clock_kind_name(clock->kind));
    wire_put_key_int(out, "promise_s", clock->promise_s);
    wire_put_key_bool(out, "working", clock->working);
    work_put_instant(out, "due_at", clock->due_at);
    work_put_instant(out, "starts_at", starts_at);
}

static void put_triaged(const struct decision *d, struct notes *notes)
{
    struct buf *out = notes->out;
    const char *name = engine_process(d->engine)->policy.priority_names[d->priority];

    note_open(notes, "customer", "triaged", 0, false);
    wire_put_text(out, "body");
    wire_put_map(out, 4);
    wire_put_key_int(out, "priority", d->priority);
    wire_put_key_text(out, "priority_name", name);
    wire_put_key_bool(out, "asks", d->choice.ask_count != 0); /* a message of its own does */
    wire_put_text(out, "promises");
    wire_put_list(out, d->clocks.count);
    for (size_t i = 0; i < d->clocks.count; i++)
        put_promise(d, &d->clocks.items[i], out);
}

static void put_p1(const struct decision *d, struct notes *notes)
{
    char cause[CAUSE_BYTES], text[TEXT_BYTES];

    (void)snprintf(cause, sizeof cause, "p1:%.*s", (int)d->work->tracking.len, d->work->tracking.p);
    title_text(d, "Priority 1", text);
    note_open(notes, "staff", "alert", 0, true);
    wire_put_text(notes->out, "body");
    wire_put_map(notes->out, 2);
    wire_put_key_text(notes->out, "what", "p1");
    wire_put_key_int(notes->out, "priority", 1);
    put_alert(notes->out, cause, 1, text);
}

static void notice_cause(const struct decision *d, const struct clock *clock, char ret[CAUSE_BYTES])
{
    (void)snprintf(ret, CAUSE_BYTES, "missed:%.*s:%s:%lld", (int)d->work->tracking.len, d->work->tracking.p,
                   clock_kind_name(clock->kind), (long long)clock->cycle);
}

/* A quiet warning is for boards and the feed: its event is enough. */
static void put_notices(const struct decision *d, struct notes *notes)
{
    for (size_t i = 0; i < d->clocks.notice_count; i++) {
        const struct clock_notice *n = &d->clocks.notices[i];
        char cause[CAUSE_BYTES], text[TEXT_BYTES], prefix[64];
        bool missed = n->percent == 100;
        if (n->quiet)
            continue;
        note_open(notes, "staff", missed ? "missed" : "warning", (int64_t)i, missed);
        wire_put_text(notes->out, "body");
        put_notice(n, notes->out);
        if (!missed)
            continue;
        notice_cause(d, &n->clock, cause);
        (void)snprintf(prefix, sizeof prefix, "Missed %s, priority %d", clock_kind_name(n->clock.kind),
                       n->priority);
        title_text(d, prefix, text);
        put_alert(notes->out, cause, n->priority, text);
    }
}

static void put_rule_notes(const struct decision *d, struct notes *notes)
{
    static const char *const to[] = {
        [RULE_TELL_CUSTOMER] = "customer", [RULE_TELL_STAFF] = "staff", [RULE_TELL_OPS] = "ops"};
    const struct choice *c = &d->choice;

    for (size_t i = 0; i < c->tell_count; i++) {
        note_open(notes, to[c->tells[i]->to], "tell", (int64_t)i, false);
        wire_put_text(notes->out, "body");
        tell_body_put(notes->out, c->tells[i]);
    }
    for (size_t i = 0; i < c->alert_count; i++) {
        char cause[CAUSE_BYTES], text[TEXT_BYTES];
        if (strcmp(c->alerts[i], "p1") == 0 && d->priority == 1 && d->alert_p1)
            continue; /* the alert every P1 has anyway */
        (void)snprintf(cause, sizeof cause, "%.60s:%.*s", c->alerts[i], (int)d->work->tracking.len,
                       d->work->tracking.p);
        title_text(d, c->alerts[i], text);
        note_open(notes, "staff", "alert", (int64_t)i + 1, true);
        wire_put_text(notes->out, "body");
        wire_put_map(notes->out, 2);
        wire_put_key_text(notes->out, "what", c->alerts[i]);
        wire_put_key_int(notes->out, "priority", d->priority);
        put_alert(notes->out, cause, d->priority, text);
    }
}

/* The customer is asked as the first time (the notifier has the words of that message); whoever works on it has to ask in another way. */
static void put_approval_notes(const struct decision *d, struct notes *notes)
{
    static const struct {
        const char *to, *kind;
    } rows[] = {{"customer", "approval_asked"}, {"staff", "task"}};

    if (!d->ask_approval && !d->approval_task)
        return;
    const bool is_task = d->approval_task;
    note_open(notes, rows[is_task].to, rows[is_task].kind, 1, false);
    wire_put_text(notes->out, "body");
    wire_put_map(notes->out, 2);
    wire_put_key_text(notes->out, "what", "approval");
    wire_put_key_int(notes->out, "reminder", d->approvals_asked);
}

/* A ticket that is closed since nobody answered: the customer is not left to find out. */
static void put_closing_note(const struct decision *d, struct notes *notes)
{
    if (d->state != SET_CLOSED)
        return;
    note_open(notes, "customer", "closed", 0, false);
    wire_put_text(notes->out, "body");
    wire_put_map(notes->out, 2);
    wire_put_key_bool(notes->out, "approved", false);
    wire_put_key_bool(notes->out, "unanswered", true);
}

/* The customer and those invited hear of it, and who works on the ticket. */
static void put_meeting_notes(const struct decision *d, struct notes *notes)
{
    for (size_t i = 0; i < d->meetings.due_count; i++) {
        static const char *const sides[] = {"customer", "staff"};
        for (size_t k = 0; k < sizeof sides / sizeof sides[0]; k++) {
            note_open(notes, sides[k], "meeting", (int64_t)i + 1, false);
            wire_put_text(notes->out, "body");
            put_reminder(d->meetings.due[i], notes->out);
        }
    }
}

static void put_notify(const struct decision *d, struct buf *out)
{
    struct notes notes = {.out = out};

    wire_put_text(out, "notify");
    notes.list = wire_list_open(out);
    if (d->alert_p1)
        put_p1(d, &notes);
    put_notices(d, &notes);
    if (d->tell_triaged)
        put_triaged(d, &notes);
    if (d->choice.ask_count != 0) {
        note_open(&notes, "customer", "asked", 0, false);
        wire_put_text(out, "body");
        wire_put_map(out, 1);
        put_questions(d, out);
    }
    put_rule_notes(d, &notes);
    put_approval_notes(d, &notes);
    put_closing_note(d, &notes);
    put_meeting_notes(d, &notes);
    wire_list_close(out, &notes.list);
}

/* ---- resolve ---- */

static bool was_open(const struct decision *d, const struct clock *clock)
{
    for (size_t i = 0; i < d->work->old_count; i++) {
        const struct clock *old = &d->work->old[i];
        if (old->kind == clock->kind && old->cycle == clock->cycle)
            return old->met_at == CLOCK_NO_INSTANT;
    }
    return false;
}

static void put_resolved_miss(const struct decision *d, const struct clock *clock, struct buf *out)
{
    char cause[CAUSE_BYTES];

    notice_cause(d, clock, cause);
    wire_put_text(out, cause);
}

/* A promise that was kept after all, late, or is over, needs nobody any more; a P1 or P2 that somebody took has been
 * heard. A miss
 * that is met in the same decision opens its alert and ends it: it is told, but nobody is called again. */
static void put_resolve(const struct decision *d, struct buf *out)
{
    wire_put_text(out, "resolve");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < d->clocks.verdict_count; i++) {
        const struct clock *clock = &d->clocks.verdicts[i].clock;
        if (d->clocks.verdicts[i].missed && (clock->met_at != CLOCK_NO_INSTANT || clock->ended))
            put_resolved_miss(d, clock, out), list.count++;
    }
    for (size_t i = 0; i < d->clocks.count && list.count < RESOLVES_MAX; i++) {
        const struct clock *clock = &d->clocks.items[i];
        char cause[CAUSE_BYTES];
        if (clock->met_at == CLOCK_NO_INSTANT || !was_open(d, clock))
            continue;
        if (clock->ended && clock->state == CLOCK_MISSED)
            put_resolved_miss(d, clock, out), list.count++;
        for (int priority = 1; clock->kind == CLOCK_RESPONSE && !d->alert_p1 && priority <= 2; priority++) {
            (void)snprintf(cause, sizeof cause, "p%d:%.*s", priority, (int)d->work->tracking.len,
                           d->work->tracking.p);
            wire_put_text(out, cause), list.count++;
        }
    }
    wire_list_close(out, &list);
}

void decision_write(const struct decision *d, const struct buf *trace, struct buf *out)
{
    wire_put_map(out, d->has_trace ? 11 : 10);
    put_set(d, out);
    wire_put_text(out, "clocks");
    put_clocks(d, out);
    put_deadlines(d, out);
    put_changes(d, out);
    put_events(d, out);
    put_notify(d, out);
    put_resolve(d, out);
    work_put_instant(out, "wake_at", d->wake_at);
    if (d->has_trace) {
        wire_put_text(out, "trace");
        wire_put_map(out, 1);
        wire_put_text(out, "rules");
        wire_put_raw(out, buf_span(trace));
    }
    wire_put_key_text(out, "process", engine_process(d->engine)->hash);
    wire_put_key_text(out, "zones", engine_zones(d->engine));
}
