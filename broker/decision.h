/* A worker's decision, checked (docs/protocol-workers.md, "Decision"): body in, typed struct out. Pure. What
 * people hold (desk.held) is not looked at here: the SQL leaves it alone. Texts are spans into the document
 * that was parsed, which must live as long; so are the maps and lists that go to the database as they are, still encoded. */
#ifndef DOCKET_DECISION_H
#define DOCKET_DECISION_H

#include "buf.h"
#include "desk.h"
#include "err.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DECISION_CLOCKS_MAX = 32,
    DECISION_DEADLINES_MAX = 64,
    DECISION_EVENTS_MAX = 96,
    DECISION_NOTIFY_MAX = 96,
    DECISION_RESOLVE_MAX = 96,
    DECISION_TAGS_MAX = 64,
    DECISION_CLOCKS_BYTES_MAX = 16 * 1024,
    DECISION_ATTRIBUTES_BYTES_MAX = 16 * 1024,
    DECISION_BODY_BYTES_MAX = DESK_BODY_BYTES_MAX, /* of one event or notification */
    DECISION_TRACE_BYTES_MAX = 64 * 1024,
    DECISION_CHANGES_MAX = 64,
    DECISION_CHANGES_BYTES_MAX = 16 * 1024,
    DECISION_NAME_BYTES_MAX = 128, /* queue, assignee, kind, a tag, a cause, zones, … */
    DECISION_TEXT_BYTES_MAX = 4096 /* of an alert */
};

/* Which of set's fields are there. */
enum decision_set {
    SET_PRIORITY = 1,
    SET_STATE = 2,
    SET_QUEUE = 4,
    SET_ASSIGNEE = 8,
    SET_KIND = 16,
    SET_TAGS = 32,
    SET_ATTRIBUTES = 64,
    SET_REPLY_PENDING = 128
};

struct decision_deadline {
    struct span clock;
    struct span cause;                                     /* SPAN_NONE: none */
    struct span zones;                                     /* SPAN_NONE: as the decision */
    struct span package;                                   /* SPAN_NONE: the ticket's */
    int64_t promise_s, due_at, met_at, worked_s, paused_s; /* met_at 0: not met */
    int32_t cycle;
    int16_t priority; /* 0: none */
    bool missed;
};

struct decision_event {
    enum desk_event kind; /* EVENT_ASKED, EVENT_WARNED, EVENT_MISSED */
    bool public;
    struct span body;
};

struct decision_notify {
    enum desk_audience to;
    int32_t generation;
    struct span kind;
    struct span body;
    bool is_alert; /* then the three below */
    struct span alert_cause;
    struct span alert_text;
    int16_t alert_priority;
};

struct decision {
    unsigned set;          /* enum decision_set */
    int16_t priority;      /* SET_PRIORITY: 1–4 */
    enum desk_state state; /* SET_STATE; the first decision of a new ticket always sets it (triaged) */
    struct span queue, assignee, kind; /* SPAN_NONE with the bit set: becomes NULL */
    struct span *tags;
    size_t tag_count;
    struct span attributes;
    bool reply_pending;

    struct span clocks; /* as sent; SPAN_NONE: they stay as they are (there are none then) */
    int64_t next_at;    /* earliest of wake_at and of due_at and warn_at of open clocks; INT64_MAX: none */
    int64_t due_at;     /* earliest due_at of running clocks; INT64_MAX: none */

    struct decision_deadline *deadlines;
    struct decision_event *events;
    struct decision_notify *notify; /* alerts among them */
    struct span *resolve;
    size_t deadline_count, event_count, notify_count, resolve_count;

    struct span trace;
    struct span changes; /* list: what became of each clock; not there when nothing did */
    struct span process; /* hash it was decided with; SPAN_NONE when not told */
    struct span zones;   /* SPAN_NONE when not told */
};

/* The ticket as it was handed out. */
struct decision_base {
    enum desk_state state;
    int priority;       /* 0: none yet */
    struct span clocks; /* encoded list, as desk.clocks; SPAN_NONE: none */
};

/* Reads a body, which is in doc. On success the caller ends it with decision_clear; doc's values must live until then.
 * err: ERR_INVALID  names the field: unknown, wrong type, out of range, clock left out, state not allowed,
 * too long */
bool decision_parse(const struct wire_doc *doc, const struct wire_val *body, const struct decision_base *base,
                    struct decision *ret_decision, struct err *err) __attribute__((warn_unused_result));
void decision_clear(struct decision *decision);

#endif
