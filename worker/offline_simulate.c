/* docket-worker simulate; see offline.h. */
#include "offline.h"

#include "history.h"
#include "instant.h"
#include "json_line.h"
#include "lines.h"
#include "replay.h"
#include "simulate.h"

#include <stdlib.h>
#include <string.h>

enum {
    OUT_BYTES_MAX = 1 << 20,
    DEPTH_MAX = 32,
    STATUS_REFUSED = 1,
};

static const char usage[] = "simulate DIR HISTORY.jsonl|- [--json|--csv] [--verify] [--jobs N]";

struct options {
    const char *dir, *history, *zoneinfo;
    bool json, csv, verify;
    unsigned jobs; /* 0: as many as are worth it */
};

static bool jobs_parse(const char *text, unsigned *ret)
{
    char *end = NULL;
    long jobs = strtol(text, &end, 10);

    if (end == text || *end != '\0' || jobs < 1 || jobs > LINES_JOBS_MAX)
        return false;
    *ret = (unsigned)jobs;
    return true;
}

static bool options_parse(int argc, char **argv, struct options *ret)
{
    *ret = (struct options){.zoneinfo = OFFLINE_ZONEINFO};
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--zoneinfo") == 0 && i + 1 < argc)
            ret->zoneinfo = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            ret->json = true;
        else if (strcmp(argv[i], "--csv") == 0)
            ret->csv = true;
        else if (strcmp(argv[i], "--verify") == 0)
            ret->verify = true;
        else if (strcmp(argv[i], "--jobs") == 0 && i + 1 < argc && jobs_parse(argv[i + 1], &ret->jobs))
            i++;
        else if (ret->dir == NULL && argv[i][0] != '-')
            ret->dir = argv[i];
        else if (ret->history == NULL && (argv[i][0] != '-' || argv[i][1] == '\0'))
            ret->history = argv[i];
        else
            return false;
    }
    return ret->history != NULL && !(ret->json && ret->csv);
}

static void csv_instant(FILE *out, int64_t at)
{
    char text[INSTANT_BYTES] = "";
    if (at != CLOCK_NO_INSTANT)
        (void)instant_format(at, text);
    (void)fprintf(out, ",%s", text);
}

static void csv_print(FILE *out, size_t line, const struct simulated *one)
{
    (void)fprintf(out, "%zu", line);
    csv_instant(out, one->posted_at);
    (void)fprintf(out, ",%d,", one->priority);
    if (one->was != 0)
        (void)fprintf(out, "%d", one->was);
    for (size_t k = 0; k < CLOCK_KINDS; k++) {
        const struct simulated_clock *c = &one->clocks[k];
        (void)fprintf(out, ",%lld,%lld,%lld,%lld", (long long)c->promised, (long long)c->met,
                      (long long)c->missed, (long long)c->open);
        csv_instant(out, c->due_at);
        csv_instant(out, c->met_at);
        (void)fprintf(out, ",%lld", (long long)(c->late_us / 1000000));
    }
    (void)fprintf(out, ",%d\n", one->wake_in);
}

static void csv_head(void)
{
    printf("line,posted_at,priority,was");
    for (int k = 0; k < CLOCK_KINDS; k++) {
        const char *name = clock_kind_name((enum clock_kind)k);
        printf(",%s_promised,%s_met,%s_missed,%s_open,%s_due_at,%s_met_at,%s_late_s", name, name, name, name,
               name, name, name);
    }
    printf(",wake_in\n");
}

/* What a run over a file needs. */
struct run {
    const struct options *options;
    const struct engine *engine;
    struct decider *decider; /* of --verify */
    struct simulation *simulation;
    struct simulation_sum *sum;
    struct json_line *json;
};

/* One line: decided, added, replayed and printed where that is wanted. */
static bool line_run(void *arg, FILE *out, const char *text, size_t len, size_t number, unsigned *ret_column,
                     struct err *err)
{
    struct run *run = arg;
    const struct wire_val *val = NULL;
    struct simulated one;

    bool ok = json_line_parse(run->json, text, len, DEPTH_MAX, &val, err) && history_check(val, err) &&
              simulation_run(run->simulation, val, &one, err);
    if (ok) {
        simulation_sum_add(run->sum, &one);
        if (run->options->csv)
            csv_print(out, number, &one);
    }
    if (ok && run->options->verify)
        ok = replay_verify(run->engine, run->decider, val, &one, err);
    if (!ok)
        *ret_column = json_line_column(run->json);
    return ok;
}

static bool run_sum_write(void *arg, FILE *to)
{
    const struct run *run = arg;
    return simulation_sum_write(run->sum, to);
}

static bool run_sum_read(void *arg, FILE *from)
{
    struct run *run = arg;
    return simulation_sum_read(run->sum, from);
}

static void sum_print(struct simulation_sum *sum, bool json)
{
    struct wire_doc *doc = NULL;
    struct buf out, line;

    buf_init(&out, OUT_BYTES_MAX);
    buf_init(&line, OUT_BYTES_MAX);
    if (!json) {
        simulation_sum_text(sum, &line);
    } else {
        simulation_sum_put(sum, &out);
        if (wire_parse(out.p, out.len, DEPTH_MAX, &doc, NULL))
            wire_to_json(&line, wire_root(doc));
        (void)buf_add_text(&line, "\n");
    }
    (void)fputs(buf_text(&line), stdout);
    wire_doc_free(doc);
    buf_clear(&out);
    buf_clear(&line);
}

int offline_simulate(int argc, char **argv)
{
    struct options options;
    struct engine *engine = NULL;

    if (!options_parse(argc, argv, &options))
        return offline_usage(usage);
    bool ok = offline_engine_open(options.dir, options.zoneinfo, &engine);
    if (ok) {
        struct run run = {.options = &options,
                          .engine = engine,
                          .decider = decider_new(),
                          .simulation = simulation_new(engine),
                          .sum = simulation_sum_new(),
                          .json = json_line_new()};
        struct lines lines = {.path = options.history,
                              .line = line_run,
                              .sum_write = run_sum_write,
                              .sum_add = run_sum_read,
                              .arg = &run};
        size_t done = 0;
        struct err err = {0};
        if (options.csv)
            csv_head();
        ok = lines_run(&lines, lines_jobs(options.history, options.jobs), &done, &err);
        if (!ok && err.code == ERR_IO)
            (void)fprintf(stderr, "docket-worker: %s\n", err.msg);
        if (!options.csv && (ok || err.code != ERR_IO))
            sum_print(run.sum, options.json);
        if (options.verify)
            (void)fprintf(stderr,
                          "verify: %zu tickets replayed step by step: the same verdicts, and what is stored "
                          "follows from the events\n",
                          done);
        json_line_free(run.json);
        simulation_sum_free(run.sum);
        simulation_free(run.simulation);
        decider_free(run.decider);
    }
    engine_free(engine);
    return ok ? 0 : STATUS_REFUSED;
}
