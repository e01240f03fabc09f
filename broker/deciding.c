/* A decision from the wire to the writer, and what becomes of it after the commit; see deciding.h. */
#include "deciding.h"
#include "broker.h"
#include "broker_metrics.h"
#include "claims.h"
#include "clock.h"
#include "deciding_internal.h"
#include "log.h"
#include "mem.h"
#include "process_room.h"
#include "put_back.h"
#include "wakes.h"

#include <stdlib.h>

enum { BODY_BYTES_MAX = 128 << 10 };

/* ---- what is written ---- */

/* The event of the decision itself: what was set, which rules matched and which did not, what became of each clock. */
static struct span deciding_event_body(const struct decision *d, const struct wire_doc *doc,
                                       const struct wire_val *body)
{
    struct buf out;
    struct span trace = d->trace, changes = d->changes;

    buf_init(&out, BODY_BYTES_MAX);
    struct wire_map map = wire_map_open(&out);
    if (wire_count(wire_find(body, "set")) != 0) {
        wire_put_text(&out, "set");
        wire_put_raw(&out, wire_find_raw(doc, body, "set")), map.count++;
    }
    if (trace.p != NULL) {
        wire_put_text(&out, "trace");
        wire_put_raw(&out, trace), map.count++;
    }
    if (changes.p != NULL) {
        wire_put_text(&out, "clocks");
        wire_put_raw(&out, changes), map.count++;
    }
    wire_map_close(&out, &map);
    return buf_take_span(&out);
}

/* {"a","b"}: a list of text inside an unnest of columns travels as an array literal. */
static char *deciding_tags(const struct decision *d)
{
    struct buf out;
    size_t len;

    buf_init(&out, 64 << 10);
    (void)buf_add_text(&out, "{");
    for (size_t i = 0; i < d->tag_count; i++) {
        (void)buf_add_text(&out, i == 0 ? "\"" : ",\"");
        for (size_t k = 0; k < d->tags[i].len; k++) {
            if (d->tags[i].p[k] == '"' || d->tags[i].p[k] == '\\')
                (void)buf_add_text(&out, "\\");
            (void)buf_add(&out, &d->tags[i].p[k], 1);
        }
        (void)buf_add_text(&out, "\"");
    }
    (void)buf_add_text(&out, "}");
    return buf_take(&out, &len);
}

/* ---- the end ---- */

static void deciding_free(struct deciding *deciding)
{
    decision_clear(&deciding->decision);
    wire_doc_free(deciding->doc);
    free((void *)(uintptr_t)deciding->body.p);
    free(deciding->tags);
    free(deciding);
}

/* Decided for an instant that the database's clock has not reached: that clock was set back. Nothing was written; we follow it if our
 * reading of it is what was ahead, and the ticket is handed out again when it is due. */
static void deciding_too_early(struct deciding *deciding, struct wake *wake)
{
    struct broker *broker = deciding->broker;

    if (broker_now(broker) >= deciding->now_at) {
        log_event(LOG_WARN, "clock_set_back", "by_us=%lld",
                  (long long)(deciding->now_at - deciding->early_at));
        dbclock_init(&broker->clock);
        dbclock_sample(&broker->clock, clock_mono_us(), deciding->early_at);
    }
    wakes_set_content(broker, wake, SPAN_NONE);
    wakes_place(broker, wake, wake->wake_at > broker_now(broker) ? WAKE_TIMED : WAKE_QUEUED);
}

static void deciding_end(struct unit *unit, const struct err *err)
{
    struct deciding *deciding = (struct deciding *)unit;
    struct broker *broker = deciding->broker;
    struct wake *wake = wakes_find(broker, unit->ticket);
    bool ours = wake != NULL && wake->place == WAKE_COMMITTING && wake->attempt == deciding->attempt;

    if (ours && err != NULL && err->code == ERR_UNAVAILABLE) {
        put_back_unwritten(broker, wake);
    } else if (ours && err != NULL) {
        put_back_failed(broker, wake, "refused", err->msg, "", true); /* the server refused a value of it */
    } else if (ours && err == NULL && deciding->done && deciding->keeps) {
        wakes_has_desk(broker, wake);
        wakes_set_content(broker, wake, SPAN_NONE);
        wake->attempt = deciding->attempt + 1;
        wake->version = deciding->version_after;
        wake->wake_at = wake->rank = deciding->wake_at;
        wake->class = (uint8_t)deciding->class_after;
        wake->reasons = REASON_DUE;
        wake->failures = 0;
        wakes_decided(wake);
        wakes_set_background(broker, wake, false);
        wakes_place(broker, wake, WAKE_TIMED);
    } else if (ours && err == NULL && deciding->early_at != 0) {
        deciding_too_early(deciding, wake);
    } else if (ours) {
        wakes_free(broker, wake); /* decided and asleep; or stale: whoever changed it owns its wake */
    }
    broker->background_units += deciding->background;
    if (err == NULL && deciding->done) {
        broker->outbox_written = broker->outbox_written || deciding->decision.notify_count != 0;
        health_count(&broker->health, true, clock_mono_us());
        broker_count_decision(broker->metrics, true);
        if (deciding->due_at != 0)
            broker_count_late(broker->metrics, broker_now(broker) - deciding->due_at);
    } else {
        broker_count_decision(broker->metrics, false);
    }
    deciding_free(deciding);
}

static const struct unit_type deciding_type = {.group = GROUP_DECIDE, .locks = true, .done = deciding_end};

/* ---- the beginning ---- */

/* The ticket as it was handed out, for the checks: what the content says. */
static bool deciding_base(const struct wake *wake, struct wire_doc **ret_doc, struct decision_base *ret)
{
    struct err err;
    *ret = (struct decision_base){.state = STATE_NEW};
    if (wake->fresh || wake->content.p == NULL)
        return true;
    if (!wire_parse(wake->content.p, wake->content.len, WIRE_DEPTH_MAX, ret_doc, &err))
        return false;
    const struct wire_val *ticket = wire_find(wire_root(*ret_doc), "ticket");
    (void)desk_state_parse(wire_find_str(ticket, "state"), &ret->state);
    ret->priority = (int)wire_find_int(ticket, "priority", 0);
    if (wire_type(wire_find(ticket, "clocks")) == WIRE_LIST)
        ret->clocks = wire_find_raw(*ret_doc, ticket, "clocks");
    return true;
}

static bool deciding_parse(const struct wake *wake, const struct wire_doc *message,
                           const struct wire_val *body, struct decision *ret, struct decision_base *ret_base,
                           struct err *err)
{
    struct wire_doc *doc = NULL;

    bool ok = deciding_base(wake, &doc, ret_base) ||
              err_set(err, ERR_INTERNAL, "the ticket's content cannot be read");
    ok = ok && decision_parse(message, body, ret_base, ret, err);
    ret_base->clocks = SPAN_NONE;
    wire_doc_free(doc);
    return ok;
}

static void deciding_fill(struct deciding *deciding, const struct wake *wake,
                          const struct decision_base *base, const struct wire_val *body)
{
    struct decision *d = &deciding->decision;
    int64_t now = broker_now(deciding->broker);

    deciding->attempt = wake->attempt;
    deciding->version = wake->version;
    deciding->fresh = wake->fresh;
    deciding->background = wake->background;
    deciding->process = process_room_number(deciding->broker, d->process, &deciding->process_unseen);
    deciding->now_at = wake->now_at;
    deciding->due_at = (wake->reasons & REASON_DUE) != 0 ? wake->wake_at : 0;
    deciding->kind = base->state == STATE_NEW ? EVENT_TRIAGED : EVENT_DECIDED;
    deciding->writes_event = base->state == STATE_NEW || d->set != 0 || d->notify_count != 0 ||
                             d->deadline_count != 0 || d->event_count != 0 || d->changes.len != 0;
    deciding->version_after = wake->version + (deciding->writes_event ? 1 : 0) + (int32_t)d->event_count;
    if (deciding->writes_event)
        deciding->body = deciding_event_body(d, deciding->doc, body);
    if (d->set & SET_TAGS)
        deciding->tags = deciding_tags(d);
    deciding->wake_at = d->next_at == INT64_MAX ? 0 : d->next_at < now ? now : d->next_at;
    deciding->keeps = deciding->wake_at != 0 && deciding->wake_at < now + CLAIMS_LOOKAHEAD_US;
    deciding->class_after = (int)wake_class_of((d->set & SET_PRIORITY) != 0 ? d->priority : base->priority);
}

void deciding_take(struct broker *broker, struct wake *wake, struct wire_doc *doc,
                   const struct wire_val *body, const char *worker)
{
    struct deciding *deciding = mem_new(1, sizeof *deciding);
    struct decision_base base;
    struct err err = {0};

    if (!deciding_parse(wake, doc, body, &deciding->decision, &base, &err)) {
        wire_doc_free(doc);
        free(deciding);
        put_back_failed(broker, wake, "bad_decision", err.msg, worker, true);
        return;
    }
    deciding->unit.type = &deciding_type;
    deciding->unit.ticket = wake->ticket;
    deciding->unit.bytes = wire_doc_bytes(doc).len + 256;
    deciding->broker = broker;
    deciding->doc = doc;
    deciding_fill(deciding, wake, &base, body);
    wakes_place(broker, wake, WAKE_COMMITTING);
    writer_add(broker->writer, &deciding->unit);
}
