/* The raw ceiling: the rows of a posting (and of its decision), written by the broker's own statements in
 * batches, with no broker, no message and no queue. What docket-bench reaches is a share of this.
 *
 *   ceiling DSN post|life COUNT BATCH DEPTH SAMPLE
 *
 * SAMPLE: a folder with the bytes of one ticket that a broker and a worker wrote (title, problem, extra, receipt, tags, clocks, event,
 * message; a file that is not there is NULL, no message no row), so that the rows are the same in size and number.
 * post: postings alone. life: the postings of batch k and the decisions of batch k - 2 share a commit. Prints
 * one JSON object; the delay is from sending a batch to its commit. */
#include "clock.h"
#include "embed.h"
#include "mem.h"
#include "pg.h"

#include <czmq.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ST_POST, ST_DECIDE, STATEMENTS };
enum { TITLE, PROBLEM, EXTRA, RECEIPT, TAGS, CLOCKS, EVENT, MESSAGE, SAMPLES };
enum { BATCH_MAX = 5000, DEPTH_MAX = 16, LATER = 2, KEY_BYTES = 16 };

struct run {
    zloop_t *loop;
    struct pg *pg;
    struct pg_params *params;
    struct span sample[SAMPLES];
    bool life;
    int64_t count, batch, depth;
    int64_t sent, ended; /* batches */
    int64_t batches;     /* that post */
    int64_t began_us;
    int64_t *sent_at; /* by batch, monotonic */
    int64_t *delays;
    bool failed;
};

static const char *const sample_names[SAMPLES] = {"title", "problem", "extra", "receipt",
                                                  "tags",  "clocks",  "event", "message"};

/* The file's bytes, owned by the caller for good; p == NULL: not there. */
static struct span sample_read(const char *folder, const char *name)
{
    static char bytes[64 << 10];
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return SPAN_NONE;
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    return (struct span){mem_dup(bytes, len), len};
}

static int64_t ticket_id(int64_t batch, int64_t batch_size, int64_t i)
{
    return (INT64_C(200000000) << 29) + batch * batch_size + i;
}

static void array_of_span(struct run *run, enum pg_type type, struct span value)
{
    pg_array_open(run->params, type);
    for (int64_t i = 0; i < run->batch; i++)
        if (value.p == NULL)
            pg_array_null(run->params);
        else
            pg_array_bytes(run->params, value);
    pg_array_close(run->params);
}

static void array_of_int(struct run *run, enum pg_type type, int64_t value)
{
    pg_array_open(run->params, type);
    for (int64_t i = 0; i < run->batch; i++)
        pg_array_int(run->params, value);
    pg_array_close(run->params);
}

static void array_of_null(struct run *run, enum pg_type type)
{
    pg_array_open(run->params, type);
    for (int64_t i = 0; i < run->batch; i++)
        pg_array_null(run->params);
    pg_array_close(run->params);
}

static void array_of_ids(struct run *run, int64_t batch)
{
    pg_array_open(run->params, PG_INT8);
    for (int64_t i = 0; i < run->batch; i++)
        pg_array_int(run->params, ticket_id(batch, run->batch, i));
    pg_array_close(run->params);
}

/* Digests as random as the broker's, so that the unique index is as scattered. */
static void array_of_digests(struct run *run)
{
    pg_array_open(run->params, PG_BYTEA);
    for (int64_t i = 0; i < run->batch; i++) {
        unsigned char bytes[KEY_BYTES];
        randombytes_buf(bytes, sizeof bytes);
        pg_array_bytes(run->params, (struct span){(const char *)bytes, sizeof bytes});
    }
    pg_array_close(run->params);
}

static void send_post(struct run *run, int64_t batch)
{
    pg_params_reset(run->params);
    array_of_ids(run, batch);
    array_of_digests(run);
    array_of_digests(run);
    pg_array_open(run->params, PG_TEXT);
    for (int64_t i = 0; i < run->batch; i++) {
        char name[32];
        int len = snprintf(name, sizeof name, "bench-%d", (int)(i % 10));
        pg_array_bytes(run->params, (struct span){name, (size_t)len});
    }
    pg_array_close(run->params);
    array_of_span(run, PG_TEXT, run->sample[TITLE]);
    array_of_span(run, PG_BYTEA, run->sample[PROBLEM]);
    array_of_span(run, PG_BYTEA, run->sample[EXTRA]);
    array_of_span(run, PG_BYTEA, run->sample[RECEIPT]);
    array_of_null(run, PG_INT8);
    pg_put_text(run->params, "standard");
    array_of_null(run, PG_INT8);
    (void)pg_send(run->pg, ST_POST, run->params, NULL, NULL);
}

/* A first decision: state triaged, a priority, its clocks, its event, its message. */
static void send_decide(struct run *run, int64_t batch)
{
    static const enum pg_type outbox[] = {PG_INT8, PG_INT4, PG_INT2, PG_TEXT, PG_INT4, PG_BYTEA};
    int64_t wake_at = clock_wall_us() + INT64_C(3600000000);

    pg_params_reset(run->params);
    array_of_ids(run, batch);
    array_of_int(run, PG_INT4, 2);
    array_of_int(run, PG_INT2, 1);
    array_of_int(run, PG_INT2, 3);
    array_of_int(run, PG_INT2, 8);
    array_of_int(run, PG_INT8, wake_at);
    array_of_null(run, PG_INT8);
    for (int i = 0; i < 3; i++)
        array_of_null(run, PG_TEXT);
    array_of_span(run, PG_TEXT, run->sample[TAGS]);
    array_of_span(run, PG_BYTEA, run->sample[CLOCKS]);
    array_of_ids(run, batch);
    array_of_int(run, PG_INT4, 2);
    array_of_int(run, PG_INT2, 2);
    array_of_int(run, PG_BOOL, 1);
    array_of_span(run, PG_BYTEA, run->sample[EVENT]);
    pg_put_int4(run->params, 1);
    if (run->sample[MESSAGE].p == NULL)
        for (size_t i = 0; i < sizeof outbox / sizeof outbox[0]; i++) {
            pg_array_open(run->params, outbox[i]);
            pg_array_close(run->params);
        }
    else {
        array_of_ids(run, batch);
        array_of_int(run, PG_INT4, 2);
        array_of_int(run, PG_INT2, 1);
        array_of_span(run, PG_TEXT, span_of("triaged"));
        array_of_int(run, PG_INT4, 1);
        array_of_span(run, PG_BYTEA, run->sample[MESSAGE]);
    }
    array_of_int(run, PG_INT8, wake_at);
    array_of_int(run, PG_INT8, 0); /* decided as of then: not later than the database's clock */
    pg_put_null(run->params);      /* by a version that is known */
    (void)pg_send(run->pg, ST_DECIDE, run->params, NULL, NULL);
}

static int stop(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    (void)arg;
    return -1;
}

static void on_committed(void *arg, const struct pg_end *end);

/* Keeps depth commits in flight. */
static void fill(struct run *run)
{
    int64_t commits = run->batches + (run->life ? LATER : 0);

    while (run->sent < commits && run->sent - run->ended < run->depth) {
        int64_t k = run->sent++;
        run->sent_at[k] = clock_mono_us();
        if (k < run->batches)
            send_post(run, k);
        if (run->life && k >= LATER)
            send_decide(run, k - LATER);
        pg_sync(run->pg, on_committed, run);
    }
    if (run->ended == commits || run->failed)
        (void)zloop_timer(run->loop, 0, 1, stop, NULL);
}

static void on_committed(void *arg, const struct pg_end *end)
{
    struct run *run = arg;

    if (end->outcome != PG_OK) {
        (void)fprintf(stderr, "ceiling: batch %lld: %s %s\n", (long long)run->ended, end->sqlstate,
                      end->message);
        run->failed = true;
        run->sent = INT64_MAX / 2;
    } else {
        run->delays[run->ended] = clock_mono_us() - run->sent_at[run->ended];
        run->ended++;
    }
    fill(run);
}

static void on_up(void *arg)
{
    struct run *run = arg;

    run->began_us = clock_mono_us();
    fill(run);
}

static void on_down(void *arg, const char *why)
{
    struct run *run = arg;

    (void)fprintf(stderr, "ceiling: %s\n", why);
    run->failed = true;
    (void)zloop_timer(run->loop, 0, 1, stop, NULL);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool run_options(struct run *run, char **args)
{
    run->life = strcmp(args[2], "life") == 0;
    run->count = strtoll(args[3], NULL, 10);
    run->batch = strtoll(args[4], NULL, 10);
    run->depth = strtoll(args[5], NULL, 10);
    run->batches = run->batch > 0 ? run->count / run->batch : 0;
    return (run->life || strcmp(args[2], "post") == 0) && run->batch >= 1 && run->batch <= BATCH_MAX &&
           run->depth >= 1 && run->depth <= DEPTH_MAX && run->batches >= 1;
}

int main(int argc, char **argv)
{
    struct run run = {0};
    struct err err = {0};
    struct pg_statement statements[STATEMENTS] = {{"posting", NULL}, {"decide_fresh", NULL}};

    if (argc != 7 || !run_options(&run, argv)) {
        (void)fputs("usage: ceiling DSN post|life COUNT BATCH DEPTH SAMPLE\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < STATEMENTS; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s.sql", statements[i].name);
        statements[i].sql = (const char *)embed_find(broker_sql, broker_sql_count, name)->data;
    }
    for (size_t i = 0; i < SAMPLES; i++)
        run.sample[i] = sample_read(argv[6], sample_names[i]);
    run.params = pg_params_new();
    run.sent_at = mem_new((size_t)(run.batches + LATER), sizeof *run.sent_at);
    run.delays = mem_new((size_t)(run.batches + LATER), sizeof *run.delays);
    run.loop = zloop_new();
    struct pg_config config = {.dsn = argv[1],
                               .name = "ceiling",
                               .statements = statements,
                               .statement_count = STATEMENTS,
                               .on_up = on_up,
                               .on_down = on_down,
                               .arg = &run};
    if (!pg_new(run.loop, &config, &run.pg, &err)) {
        (void)fprintf(stderr, "ceiling: %s\n", err.msg);
        return 1;
    }
    (void)zloop_start(run.loop);
    double seconds = (double)(clock_mono_us() - run.began_us) / 1e6;
    pg_free(run.pg);
    zloop_destroy(&run.loop);
    pg_params_free(run.params);
    if (run.failed)
        return 1;
    qsort(run.delays, (size_t)run.ended, sizeof *run.delays, compare);
    (void)printf("{\"mode\": \"%s\", \"batch\": %lld, \"count\": %lld, \"seconds\": %.3f, \"per_second\": "
                 "%.0f, \"p50_ms\": %.3f}\n",
                 argv[2], (long long)run.batch, (long long)(run.batches * run.batch), seconds,
                 (double)(run.batches * run.batch) / seconds, (double)run.delays[run.ended / 2] / 1e3);
    free(run.sent_at);
    free(run.delays);
    for (size_t i = 0; i < SAMPLES; i++)
        free((void *)(uintptr_t)run.sample[i].p);
    return 0;
}
