/* Why a ticket stands as it does, for people: rules that matched and why, each clock window by window, and whether the events
 * give again what is stored. */
#include "decide_internal.h"

#include "clock.h"
#include "date.h"
#include "instant.h"
#include "mem.h"
#include "verify.h"
#include "windows.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES_MAX = 256 * 1024, TRACE_DEPTH = 8, AT_BYTES = 40, CLOCK_BYTES_MAX = 4096 };

/* What there is to tell. Large: on the heap. */
struct explaining {
    const struct decision *d;
    struct clock_log log;
    struct clocks now;
    struct windows windows;
    struct verified verified;
};

/* ---- text ---- */

/* An instant in the calendar's zone, with its offset; UTC when the calendar has none. */
static void local_format(const struct decision *d, struct span calendar, int64_t at, char ret[AT_BYTES])
{
    const struct zone *zone = engine_calendar_zone(d->engine, calendar);
    int64_t at_s = at / US_PER_S, year;
    int32_t offset = zone == NULL ? 0 : zone_offset(zone, at_s);
    int month, day;

    if (zone == NULL) {
        (void)instant_format(at_s * US_PER_S, ret);
        return;
    }
    int64_t local = at_s + offset;
    int64_t days = date_of_wall(local);
    int seconds = (int)(local - days * DAY_S), shift = abs(offset) / 60;
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
        (void)instant_format(clock->due_at, utc);
        (void)buf_printf(text, ", due %s (%s)", local, utc);
    }
    if (clock->met_at != CLOCK_NO_INSTANT) {
        (void)instant_format(clock->met_at, utc);
        (void)buf_printf(text, ", met %s", utc);
    }
    (void)buf_add_text(text, "\n");
}

static void text_windows(struct explaining *x, const struct clock *clock, struct buf *text)
{
    char from[AT_BYTES], until[AT_BYTES];

    if (x->windows.left_out != 0)
        (void)buf_printf(text, "    … %zu earlier ones\n", x->windows.left_out);
    for (size_t i = 0; i < x->windows.count; i++) {
        const struct window *w = &x->windows.items[i];
        local_format(x->d, clock->calendar, w->from, from);
        local_format(x->d, clock->calendar, w->until, until);
        (void)buf_printf(text, "    %s  %s  %-8s ", from, until, window_why_name(w->why));
        text_duration((w->until - w->from) / US_PER_S, text);
        (void)buf_add_text(text, "\n");
    }
}

static void text_rules(const struct decision *d, const struct buf *trace, struct buf *text)
{
    struct wire_doc *doc = NULL;

    if (trace->len == 0 || !wire_parse(trace->p, trace->len, TRACE_DEPTH, &doc, NULL))
        return;
    (void)buf_printf(text, "rules%s:\n", d->work->is_first ? "" : ", were it posted now");
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

static void text_verify(const struct explaining *x, struct buf *text)
{
    const struct verified *v = &x->verified;

    if (v->unknown != NULL)
        (void)buf_printf(text, "verify: %s\n", v->unknown);
    else if (v->difference_count != 0)
        (void)buf_add_text(text, "verify: NOT AS STORED\n");
    else
        (void)buf_printf(text,
                         "verify: %zu clocks and %zu verdicts computed again from %zu events: as stored\n",
                         v->clocks, v->verdicts, x->d->work->event_count + 1);
    for (size_t i = 0; i < v->difference_count; i++)
        (void)buf_printf(text, "  %s\n", v->differences[i]);
    if (v->unknown == NULL && v->by_others != 0)
        (void)buf_printf(text,
                         "  %zu verdicts were given by another version or for another package: they stay\n",
                         v->by_others);
}

static void text_head(const struct decision *d, struct buf *text)
{
    const struct process *process = engine_process(d->engine);
    const char *name = process->policy.priority_names[d->priority];

    (void)buf_printf(text, "priority %d%s%s%s, package %s, process %.12s, zones %s\n", d->priority,
                     name == NULL ? "" : " (", name == NULL ? "" : name, name == NULL ? "" : ")",
                     d->package->name, process->hash, engine_zones(d->engine));
    if (d->work->kept.by.len != 0 && !span_is(d->work->kept.by, engine_by(d->engine)))
        (void)buf_printf(text, "stored by process and zones %.*s\n", (int)d->work->kept.by.len,
                         d->work->kept.by.p);
}

/* ---- the answer ---- */

static void put_windows(const struct explaining *x, struct buf *out)
{
    wire_put_list(out, x->windows.count);
    for (size_t i = 0; i < x->windows.count; i++) {
        const struct window *w = &x->windows.items[i];
        wire_put_map(out, 4);
        wire_put_key_int(out, "from_at", w->from);
        wire_put_key_int(out, "until_at", w->until);
        wire_put_key_text(out, "what", window_why_name(w->why));
        wire_put_key_int(out, "seconds", (w->until - w->from) / US_PER_S);
    }
}

/* A clock as everywhere else, with one field more. */
static void put_clock(const struct explaining *x, const struct clock *clock, struct buf *out)
{
    struct wire_doc *doc = NULL;
    struct buf plain;

    buf_init(&plain, CLOCK_BYTES_MAX);
    work_put_clock(&plain, clock, NULL);
    struct wire_map map = wire_map_open(out);
    if (wire_parse(plain.p, plain.len, TRACE_DEPTH, &doc, NULL))
        for (size_t i = 0; i < wire_count(wire_root(doc)); i++) {
            wire_put_str(out, wire_key_at(wire_root(doc), i));
            wire_put_val(out, wire_val_at(wire_root(doc), i)), map.count++;
        }
    wire_put_text(out, "windows");
    put_windows(x, out), map.count++;
    wire_map_close(out, &map);
    wire_doc_free(doc);
    buf_clear(&plain);
}

/* The clocks, each with its windows, into the answer and the text. */
static void put_clocks(struct explaining *x, struct buf *out, struct buf *text)
{
    const struct decision *d = x->d;
    struct clocks *now = &x->now;
    struct clock_terms terms;

    decide_terms(d, &terms);
    clocks_compute_logged(&terms, d->work->posted_at, d->work->facts, d->work->event_count, d->past.old,
                          d->past.old_count, d->work->now, now, &x->log);
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < now->count; i++) {
        if (now->items[i].unpromised)
            continue;
        list.count++;
        windows_make(d->engine, &terms.promises[now->items[i].kind], &now->items[i], &x->log, d->work->facts,
                     d->work->event_count, &x->windows);
        put_clock(x, &now->items[i], out);
        text_clock(d, &now->items[i], text);
        text_windows(x, &now->items[i], text);
    }
    wire_list_close(out, &list);
}

static void put_verify(const struct explaining *x, struct buf *out)
{
    const struct verified *v = &x->verified;

    wire_put_map(out, 6);
    wire_put_key_bool(out, "same", v->unknown == NULL && v->difference_count == 0);
    wire_put_key_text(out, "unknown", v->unknown);
    wire_put_key_int(out, "compared", (int64_t)v->clocks);
    wire_put_key_int(out, "verdicts", (int64_t)v->verdicts);
    wire_put_key_int(out, "by_others", (int64_t)v->by_others);
    wire_put_text(out, "differences");
    wire_put_list(out, v->difference_count);
    for (size_t i = 0; i < v->difference_count; i++)
        wire_put_text(out, v->differences[i]);
}

static void put_versions(const struct decision *d, struct buf *out)
{
    wire_put_map(out, 3);
    wire_put_key_text(out, "process", engine_process(d->engine)->hash);
    wire_put_key_text(out, "zones", engine_zones(d->engine));
    wire_put_key_str(out, "stored_by", d->work->kept.by);
}

bool decide_explain(struct decider *decider, const struct engine *engine, const struct wire_val *body,
                    struct buf *out, struct err *err)
{
    const struct decision *d = &decider->decision;
    struct buf text;

    if (!decide_make(decider, engine, body, true, err))
        return false;
    struct explaining *x = mem_new(1, sizeof *x);
    x->d = d;
    buf_init(&text, TEXT_BYTES_MAX);
    verify_stored(d, wire_find(body, "deadlines"), &x->verified);
    text_head(d, &text);
    (void)buf_add_text(&text, "clocks:\n");
    wire_put_map(out, 6);
    wire_put_key_int(out, "priority", d->priority);
    wire_put_text(out, "clocks");
    put_clocks(x, out, &text);
    text_verify(x, &text);
    text_rules(d, &decider->trace, &text);
    wire_put_text(out, "verify");
    put_verify(x, out);
    wire_put_text(out, "versions");
    put_versions(d, out);
    wire_put_text(out, "rules");
    if (d->has_trace)
        wire_put_raw(out, buf_span(&decider->trace));
    else
        wire_put_list(out, 0);
    wire_put_key_str(out, "text", buf_span(&text));
    free(x->log.items);
    free(x);
    buf_clear(&text);
    return true;
}
