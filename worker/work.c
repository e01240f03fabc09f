/* A work as the broker sends it; see work.h. */
#include "work.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_ROOM_FIRST = 32 };

static const struct held_row {
    const char *name;
    unsigned bit;
} held_rows[] = {{"priority", HELD_PRIORITY}, {"queue", HELD_QUEUE},           {"assignee", HELD_ASSIGNEE},
                 {"tags", HELD_TAGS},         {"attributes", HELD_ATTRIBUTES}, {"kind", HELD_KIND}};

#define WORD(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

bool work_is_made_by_life(struct span key)
{
    static const struct span made[] = {WORD("tracking"),      WORD("state"),      WORD("posted_at"),
                                       WORD("version"),       WORD("priority"),   WORD("held"),
                                       WORD("clocks"),        WORD("package"),    WORD("kind"),
                                       WORD("queue"),         WORD("assignee"),   WORD("tags"),
                                       WORD("reply_pending"), WORD("updated_at"), WORD("decided"),
                                       WORD("posted_package")};

    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (span_equal(key, made[i]))
            return true;
    return false;
}

static bool field_missing(const char *field, const char *want, struct err *err)
{
    return err_field(err, ERR_INVALID, field, "%s is missing or wrong, want %s", field, want);
}

static int64_t instant_or_none(const struct wire_val *map, const char *key)
{
    return wire_find_int(map, key, CLOCK_NO_INSTANT);
}

/* ---- clocks ---- */

static bool clock_parse(const struct wire_val *map, struct clock *ret)
{
    struct clock clock = {
        .cycle = wire_find_int(map, "cycle", 1),
        .promise_s = wire_find_int(map, "promise_s", 0),
        .working = wire_find_bool(map, "working", false),
        .started_at = instant_or_none(map, "started_at"),
        .due_at = instant_or_none(map, "due_at"),
        .warn_at = instant_or_none(map, "warn_at"),
        .met_at = instant_or_none(map, "met_at"),
        .warned = wire_find_int(map, "warned", 0),
        .calendar = wire_find_str(map, "calendar"),
        .as_of_at = wire_find_int(map, "as_of_at", 0),
        .worked_s = wire_find_int(map, "worked_s", 0),
        .paused_s = wire_find_int(map, "paused_s", 0),
        .left_s = wire_find_int(map, "left_s", 0),
        .unpromised = wire_find_bool(map, "unpromised", false),
    };
    if (!clock_kind_parse(wire_find_str(map, "clock"), &clock.kind) ||
        !clock_state_parse(wire_find_str(map, "state"), &clock.state) || clock.warned < 0)
        return false;
    *ret = clock;
    return true;
}

static void kept_parse(const struct wire_val *map, struct work_kept *kept)
{
    struct span forced = wire_find_str(map, "forced_calendar"), by = wire_find_str(map, "by");
    int64_t asked = wire_find_int(map, "approvals_asked", 0);

    kept->forced_calendar = forced.len != 0 ? forced : kept->forced_calendar;
    kept->by = by.len != 0 ? by : kept->by;
    kept->wake_in_at = wire_find_int(map, "wake_in_at", kept->wake_in_at);
    if (asked > kept->approvals_asked) {
        kept->approvals_asked = asked;
        kept->approvals_for_at = instant_or_none(map, "approvals_for_at");
    }
}

static bool work_parse_clocks(struct work *work, struct err *err)
{
    const struct wire_val *list = wire_find(work->ticket, "clocks");

    work->old_count = 0;
    work->kept = (struct work_kept){.approvals_for_at = CLOCK_NO_INSTANT, .wake_in_at = CLOCK_NO_INSTANT};
    for (size_t i = 0; i < wire_count(list) && i < CLOCKS_MAX; i++) {
        const struct wire_val *map = wire_at(list, i);
        if (!clock_parse(map, &work->old[work->old_count]))
            return field_missing("ticket.clocks", "clocks as a decision gave them", err);
        work->old_count++;
        kept_parse(map, &work->kept);
    }
    return true;
}

void work_put_instant(struct buf *out, const char *key, int64_t at)
{
    wire_put_text(out, key);
    if (at == CLOCK_NO_INSTANT)
        wire_put_nil(out);
    else
        wire_put_int(out, at);
}

static void put_kept(struct buf *out, const struct work_kept *kept)
{
    if (kept->forced_calendar.len != 0)
        wire_put_key_str(out, "forced_calendar", kept->forced_calendar);
    if (kept->by.len != 0)
        wire_put_key_str(out, "by", kept->by);
    if (kept->wake_in_at != CLOCK_NO_INSTANT)
        wire_put_key_int(out, "wake_in_at", kept->wake_in_at);
    if (kept->approvals_asked == 0)
        return;
    wire_put_key_int(out, "approvals_asked", kept->approvals_asked);
    work_put_instant(out, "approvals_for_at", kept->approvals_for_at);
}

static size_t kept_count(const struct work_kept *kept)
{
    return (kept->forced_calendar.len != 0 ? 1u : 0u) + (kept->by.len != 0 ? 1u : 0u) +
           (kept->wake_in_at != CLOCK_NO_INSTANT ? 1u : 0u) + (kept->approvals_asked != 0 ? 2u : 0u);
}

void work_put_clock(struct buf *out, const struct clock *clock, const struct work_kept *kept)
{
    size_t more = (clock->unpromised ? 1u : 0u) + (kept == NULL ? 0u : kept_count(kept));

    wire_put_map(out, 15 + more);
    wire_put_key_text(out, "clock", clock_kind_name(clock->kind));
    wire_put_key_int(out, "cycle", clock->cycle);
    wire_put_key_text(out, "state", clock_state_name(clock->state));
    wire_put_key_int(out, "promise_s", clock->promise_s);
    wire_put_key_bool(out, "working", clock->working);
    work_put_instant(out, "started_at", clock->started_at);
    work_put_instant(out, "due_at", clock->due_at);
    work_put_instant(out, "warn_at", clock->warn_at);
    wire_put_key_int(out, "warned", clock->warned);
    work_put_instant(out, "met_at", clock->met_at);
    wire_put_key_str(out, "calendar", clock->calendar);
    wire_put_key_int(out, "as_of_at", clock->as_of_at);
    wire_put_key_int(out, "worked_s", clock->worked_s);
    wire_put_key_int(out, "paused_s", clock->paused_s);
    wire_put_key_int(out, "left_s", clock->left_s);
    if (clock->unpromised)
        wire_put_key_bool(out, "unpromised", true);
    if (kept != NULL)
        put_kept(out, kept);
}

/* ---- verdicts ---- */

bool work_verdict_parse(const struct wire_val *map, struct work_verdict *ret)
{
    struct work_verdict verdict = {.cycle = wire_find_int(map, "cycle", 0),
                                   .priority = wire_find_int(map, "priority", 0),
                                   .promise_s = wire_find_int(map, "promise_s", 0),
                                   .due_at = wire_find_int(map, "due_at", 0),
                                   .met_at = instant_or_none(map, "met_at"),
                                   .worked_s = wire_find_int(map, "worked_s", 0),
                                   .paused_s = wire_find_int(map, "paused_s", 0),
                                   .judged_at = wire_find_int(map, "judged_at", 0),
                                   .missed = span_is(wire_find_str(map, "verdict"), "missed"),
                                   .cause = wire_find_str(map, "cause"),
                                   .process = wire_find_str(map, "process"),
                                   .zones = wire_find_str(map, "zones")};

    if (!clock_kind_parse(wire_find_str(map, "clock"), &verdict.kind))
        return false;
    *ret = verdict;
    return true;
}

/* ---- events ---- */

/* A state that a decision set (whole: in its `set`, a head: by itself) acts like the event of that name. */
static enum desk_event event_kind_of(enum desk_event kind, const struct wire_val *body)
{
    struct span state = wire_find_str(body, "state");

    if (state.len == 0)
        state = wire_find_str(wire_find(body, "set"), "state");
    if (kind != EVENT_DECIDED && kind != EVENT_TRIAGED)
        return kind;
    if (span_is(state, "reopened"))
        return EVENT_REOPENED;
    if (span_is(state, "closed"))
        return EVENT_CLOSED;
    return kind;
}

static bool event_parse(const struct wire_val *map, struct clock_event *fact, struct work_event *event)
{
    const struct wire_val *body = wire_find(map, "body"), *as = wire_find(map, "as");
    struct span on = wire_find_str(body, "on"), staff = wire_find_str(body, "staff");
    enum desk_role role = ROLE_SYSTEM;

    *event = (struct work_event){.map = map, .version = wire_find_int(map, "version", 0)};
    *fact = (struct clock_event){
        .at = wire_find_int(map, "at", INT64_MIN),
        .is_public = wire_find_bool(map, "public", false),
        .on = span_is(on, "customer") ? CLOCK_ON_CUSTOMER
              : span_is(on, "vendor") ? CLOCK_ON_VENDOR
                                      : CLOCK_ON_NOBODY,
        .until_at = wire_find_int(body, "until_at", CLOCK_NO_INSTANT),
    };
    if (fact->at == INT64_MIN || !desk_event_parse(wire_find_str(map, "kind"), &fact->kind))
        return false;
    int64_t said_at = wire_find_int(body, "said_at", fact->at);
    if (said_at <
        fact->at) /* a parent's words count from when they were said, not from when they reached the child */
        fact->at = said_at;
    fact->kind = event_kind_of(fact->kind, body);
    if (wire_type(as) == WIRE_MAP && desk_role_parse(wire_find_str(as, "role"), &role)) {
        fact->by_person = role == ROLE_STAFF || role == ROLE_ADMIN;
        fact->by_customer = role == ROLE_CUSTOMER;
        fact->is_self = staff.len != 0 && span_equal(staff, wire_find_str(as, "name"));
    }
    return true;
}

static void work_grow(struct work *work, size_t count)
{
    if (count <= work->event_room)
        return;
    size_t room = work->event_room == 0 ? EVENTS_ROOM_FIRST : work->event_room;
    while (room < count)
        room *= 2;
    work->facts = mem_grow(work->facts, room, sizeof *work->facts);
    work->events = mem_grow(work->events, room, sizeof *work->events);
    work->event_room = room;
}

static int priority_in(const struct wire_val *body)
{
    int64_t priority = wire_find_int(body, "priority", 0);

    return priority >= 1 && priority <= 4 ? (int)priority : 0;
}

int work_event_priority(const struct work *work, size_t i)
{
    const struct wire_val *map = work->events[i].map, *body = wire_find(map, "body");
    struct span kind = wire_find_str(map, "kind");

    if (work->facts[i].kind == EVENT_PRIORITIZED)
        return priority_in(body);
    if (!span_is(kind, "triaged") && !span_is(kind, "decided"))
        return 0;
    return priority_in(body) != 0 ? priority_in(body)
                                  : priority_in(wire_find(body, "set")); /* a head, whole */
}

/* Kinds that we do not know (a newer broker's) are left out: they cannot mean anything to these clocks. */
static bool work_parse_events(struct work *work, struct err *err)
{
    const struct wire_val *list = wire_find(work->root, "events");
    size_t last_decision = 0;

    work->event_count = 0;
    work->is_first = true;
    work_grow(work, wire_count(list));
    for (size_t i = 0; i < wire_count(list); i++) {
        const struct wire_val *map = wire_at(list, i);
        size_t n = work->event_count;
        if (wire_type(map) != WIRE_MAP)
            return field_missing("events", "a list of maps", err);
        struct span kind = wire_find_str(map, "kind");
        bool decision = span_is(kind, "triaged") || span_is(kind, "decided");
        if (!event_parse(map, &work->facts[n], &work->events[n]))
            continue;
        work->event_count++;
        if (decision) {
            work->is_first = false;
            last_decision = work->event_count;
        }
    }
    /* A decision that changed nothing leaves no event: the ticket says how far it had seen. */
    int64_t decided = wire_find_int(work->ticket, "decided", 0);
    for (size_t i = 0; i < work->event_count; i++)
        work->events[i].is_new = i >= last_decision && work->events[i].version > decided;
    return true;
}

/* ---- the whole ---- */

static unsigned held_parse(const struct wire_val *list)
{
    unsigned held = 0;

    for (size_t i = 0; i < wire_count(list); i++) {
        struct span name = SPAN_NONE;
        (void)wire_get_str(wire_at(list, i), &name);
        for (size_t k = 0; k < sizeof held_rows / sizeof held_rows[0]; k++)
            if (span_is(name, held_rows[k].name))
                held |= held_rows[k].bit;
    }
    return held;
}

bool work_parse(const struct wire_val *body, struct work *work, struct err *err)
{
    const struct wire_val *ticket = wire_find(body, "ticket");
    int64_t priority = wire_find_int(ticket, "priority", 0);

    work->root = body;
    work->ticket = ticket;
    work->customer = wire_find(body, "customer");
    if (wire_type(ticket) != WIRE_MAP)
        return field_missing("ticket", "a map", err);
    if (!wire_get_int(wire_find(body, "now"), &work->now) || work->now < 0 || work->now >= CALENDAR_END_US)
        return field_missing("now", "an instant in µs", err);
    if (!wire_get_int(wire_find(ticket, "posted_at"), &work->posted_at) || work->posted_at < 0 ||
        work->posted_at >= CALENDAR_END_US)
        return field_missing("ticket.posted_at", "an instant in µs", err);
    if (!desk_state_parse(wire_find_str(ticket, "state"), &work->state))
        return field_missing("ticket.state", "a state", err);
    if (priority < 0 || priority > 4)
        return field_missing("ticket.priority", "1 to 4 or nil", err);
    work->priority = (int)priority;
    work->tracking = wire_find_str(ticket, "tracking");
    if (work->tracking.len == 0 || work->tracking.len > 64)
        return field_missing("ticket.tracking", "a tracking number", err);
    work->package = wire_find_str(ticket, "package");
    work->posted_package = wire_find_str(ticket, "posted_package");
    work->queue = wire_find_str(ticket, "queue");
    work->assignee = wire_find_str(ticket, "assignee");
    work->version = wire_find_int(ticket, "version", 1);
    work->held = held_parse(wire_find(ticket, "held"));
    work->reply_pending = wire_find_bool(ticket, "reply_pending", false);
    return work_parse_clocks(work, err) && work_parse_events(work, err);
}

void work_add_fact(struct work *work, const struct clock_event *fact)
{
    work_grow(work, work->event_count + 1);
    work->events[work->event_count] = (struct work_event){.is_new = true};
    work->facts[work->event_count++] = *fact;
}

void work_clear(struct work *work)
{
    free(work->facts);
    free(work->events);
    *work = (struct work){0};
}
