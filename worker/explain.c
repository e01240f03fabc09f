/* Why a ticket stands as it does, for people: rules that matched and why, clocks and due times. */
#include "decide_internal.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES_MAX = 128 * 1024, TRACE_DEPTH = 8, AT_BYTES = 40 };

/* An instant in the calendar's zone, with its offset; UTC when the calendar has none. */
static void local_format(const struct decision *d, struct span calendar, int64_t at, char ret[AT_BYTES])
{
    const struct zone *zone = engine_calendar_zone(d->engine, calendar);
    int64_t at_s = at / US_PER_S, year;
    int32_t offset = zone == NULL ? 0 : zone_offset(zone, at_s);
    int month, day;

    if (zone == NULL) {
        clock_format(at_s * US_PER_S, ret, AT_BYTES);
        return;
    }
    int64_t local = at_s + offset;
    int64_t days = local >= 0 ? local / 86400 : -((-local + 86399) / 86400);
    int seconds = (int)(local - days * 86400), shift = abs(offset) / 60;
    date_parts(days, &year, &month, &day);
    (void)snprintf(ret, AT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", (int)year, month, day,
                   seconds / 3600, seconds / 60 % 60, seconds % 60, offset < 0 ? '-' : '+', shift / 60,
                   shift % 60);
}

static void text_duration(int64_t seconds, struct buf *text)
{
    (void)buf_printf(text, "%lld:%02d:%02d", (long long)(seconds / 3600), (int)(seconds / 60 % 60),
                     (int)(seconds % 60));
}

static void text_clock(const struct decision *d, const struct clock *clock, struct buf *text)
{
    char local[AT_BYTES], utc[AT_BYTES];

    (void)buf_printf(text, "  %s %lld: %s, promised ", clock_kind_name(clock->kind), (long long)clock->cycle,
                     clock_state_name(clock->state));
    text_duration(clock->promise_s, text);
    (void)buf_printf(text, "%s (%.*s), worked ", clock->working ? " of opening time" : "",
                     (int)clock->calendar.len, clock->calendar.p);
    text_duration(clock->worked_s, text);
    (void)buf_add_text(text, ", paused ");
    text_duration(clock->paused_s, text);
    (void)buf_add_text(text, ", left ");
    text_duration(clock->left_s, text);
    if (clock->due_at != CLOCK_NO_INSTANT) {
        local_format(d, clock->calendar, clock->due_at, local);
        clock_format(clock->due_at, utc, sizeof utc);
        (void)buf_printf(text, ", due %s (%s)", local, utc);
    }
    if (clock->met_at != CLOCK_NO_INSTANT) {
        clock_format(clock->met_at, utc, sizeof utc);
        (void)buf_printf(text, ", met %s", utc);
    }
    (void)buf_add_text(text, "\n");
}

static void text_rules(const struct buf *trace, struct buf *text)
{
    struct wire_doc *doc = NULL;

    if (trace->len == 0 || !wire_parse(trace->p, trace->len, TRACE_DEPTH, &doc, NULL))
        return;
    (void)buf_add_text(text, "rules:\n");
    for (size_t i = 0; i < wire_count(wire_root(doc)); i++) {
        const struct wire_val *rule = wire_at(wire_root(doc), i);
        struct span name = wire_find_str(rule, "rule"), why = wire_find_str(rule, "why");
        (void)buf_add_text(text, wire_find_bool(rule, "matched", false) ? "  + " : "  - ");
        (void)buf_add_span(text, name);
        (void)buf_add_text(text, ": ");
        (void)buf_add_span(text, why);
        (void)buf_add_text(text, "\n");
    }
    wire_doc_free(doc);
}

static void text_make(const struct decision *d, const struct buf *trace, struct buf *text)
{
    const struct process *process = engine_process(d->engine);
    const char *name = process->policy.priority_names[d->priority];

    (void)buf_printf(text, "priority %d%s%s%s, package %s, process %.12s, zones %s\n", d->priority,
                     name == NULL ? "" : " (", name == NULL ? "" : name, name == NULL ? "" : ")",
                     d->package->name, process->hash, engine_zones(d->engine));
    (void)buf_add_text(text, "clocks:\n");
    for (size_t i = 0; i < d->clocks.count; i++)
        text_clock(d, &d->clocks.items[i], text);
    text_rules(trace, text);
}

bool decide_explain(struct decider *decider, const struct engine *engine, const struct wire_val *body,
                    struct buf *out, struct err *err)
{
    struct buf text;

    if (!decide_make(decider, engine, body, true, err))
        return false;
    buf_init(&text, TEXT_BYTES_MAX);
    text_make(&decider->decision, &decider->trace, &text);
    wire_put_map(out, 4);
    wire_put_key_int(out, "priority", decider->decision.priority);
    wire_put_key_str(out, "text", buf_span(&text));
    wire_put_text(out, "rules");
    if (decider->decision.has_trace)
        wire_put_raw(out, buf_span(&decider->trace));
    else
        wire_put_list(out, 0);
    wire_put_text(out, "clocks");
    decision_write_clocks(&decider->decision, out);
    buf_clear(&text);
    return true;
}
