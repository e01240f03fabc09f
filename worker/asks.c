/* What brokers ask beside decisions; see asks.h. */
#include "asks.h"

#include "check.h"
#include "clock.h"
#include "forecast.h"
#include "mem.h"
#include "simulate.h"
#include "versions.h"
#include "whatif.h"

#include <stdlib.h>

struct asks {
    const char *zone_dir;
    struct engine *tried; /* the version that was asked about last: one is asked about page by page */
    struct whatif whatif;
};

struct asks *asks_new(const char *zone_dir)
{
    struct asks *asks = mem_new(1, sizeof *asks);
    asks->zone_dir = zone_dir;
    whatif_init(&asks->whatif);
    return asks;
}

void asks_free(struct asks *asks)
{
    if (asks == NULL)
        return;
    whatif_clear(&asks->whatif);
    engine_free(asks->tried);
    free(asks);
}

void asks_put_faults(const struct faults *faults, struct buf *out)
{
    char more[60];

    wire_put_list(out, faults->count + (faults->dropped > 0));
    for (size_t i = 0; i < faults->count; i++)
        wire_put_text(out, faults->items[i].text);
    (void)snprintf(more, sizeof more, "… and %zu more", faults->dropped);
    if (faults->dropped > 0)
        wire_put_text(out, more);
}

/* One question: its answer's `result` goes into out. */
struct question {
    struct asks *asks;
    struct decider *decider;
    const struct engine *engine;
    const struct wire_val *ask;
};

static bool answer_check(const struct question *q, struct buf *out, struct err *err)
{
    struct engine *engine = NULL;
    struct faults faults = {0};
    const char *zone_dir = q->asks->zone_dir;
    bool ok = versions_compile(zone_dir, wire_find(q->ask, "files"), &engine, &faults) &&
              check_version(engine, zone_dir, clock_wall_us(), &faults);

    (void)err;
    wire_put_map(out, 2);
    wire_put_text(out, "errors");
    asks_put_faults(&faults, out);
    wire_put_text(out, "warnings");
    if (ok)
        asks_put_faults(&engine_process(engine)->warnings, out);
    else
        wire_put_list(out, 0);
    faults_clear(&faults);
    engine_free(engine);
    return true;
}

static bool answer_explain(const struct question *q, struct buf *out, struct err *err)
{
    return decide_explain(q->decider, q->engine, q->ask, out, err);
}

/* The version that is asked about, compiled once. */
static bool tried_use(const struct question *q, struct err *err)
{
    struct asks *asks = q->asks;
    struct engine *engine = NULL;
    struct faults faults = {0};

    if (asks->tried != NULL && span_is(wire_find_str(q->ask, "hash"), engine_process(asks->tried)->hash))
        return true;
    if (!versions_compile(asks->zone_dir, wire_find(q->ask, "files"), &engine, &faults)) {
        (void)faults_to_err(&faults, ERR_INVALID, err);
        faults_clear(&faults);
        return false;
    }
    engine_free(asks->tried);
    asks->tried = engine;
    return true;
}

static bool answer_whatif(const struct question *q, struct buf *out, struct err *err)
{
    const struct wire_val *works = wire_find(q->ask, "works");
    bool moves, late;

    if (!tried_use(q, err))
        return false;
    wire_put_map(out, 1);
    wire_put_text(out, "rows");
    struct wire_map list = wire_list_open(out);
    for (size_t i = 0; i < wire_count(works); i++) {
        if (!whatif_put(&q->asks->whatif, q->engine, q->asks->tried, wire_at(works, i), out, &moves, &late,
                        err))
            return false;
        list.count += moves;
    }
    wire_list_close(out, &list);
    return true;
}

static bool answer_simulate(const struct question *q, struct buf *out, struct err *err)
{
    const struct wire_val *works = wire_find(q->ask, "works");
    struct simulated one;

    if (!tried_use(q, err))
        return false;
    struct simulation *simulation = simulation_new(q->asks->tried);
    bool ok = true;
    wire_put_map(out, 1);
    wire_put_text(out, "rows");
    wire_put_list(out, wire_count(works));
    for (size_t i = 0; i < wire_count(works) && ok; i++) {
        ok = simulation_run(simulation, wire_at(works, i), &one, err);
        if (ok)
            simulated_put(&one, out);
    }
    simulation_free(simulation);
    return ok;
}

static bool answer_forecast(const struct question *q, struct buf *out, struct err *err)
{
    return forecast_put(q->engine, q->ask, out, err);
}

static const struct ask_row {
    const char *what;
    bool needs_process;
    bool (*answer)(const struct question *q, struct buf *out, struct err *err);
} rows[] = {
    {"check", false, answer_check},      {"explain", true, answer_explain},   {"whatif", true, answer_whatif},
    {"simulate", true, answer_simulate}, {"forecast", true, answer_forecast},
};

bool asks_answer(struct asks *asks, struct decider *decider, const struct engine *engine,
                 const struct wire_val *ask, struct buf *out, struct err *err)
{
    struct question q = {asks, decider, engine, ask};
    struct span what = wire_find_str(ask, "what");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!span_is(what, rows[i].what))
            continue;
        if (rows[i].needs_process && engine == NULL)
            return err_set(err, ERR_UNAVAILABLE, "this worker has no process yet");
        wire_put_map(out, 2);
        wire_put_key_bool(out, "ok", true);
        wire_put_text(out, "result");
        return rows[i].answer(&q, out, err);
    }
    return err_set(err, ERR_UNSUPPORTED,
                   "this worker cannot answer that, want check, explain, whatif, simulate or forecast");
}
