/* docket-bench: posts tickets as fast, or as slowly, as told, and measures answers and whole lives.
 *
 * life without --rate: all are posted, then the brokers' counters of decisions are read until they rose by as
 * many; nothing else disturbs the system. life with --rate: each ticket is looked at (ticket.show) until its
 * decision is visible, which gives end-to-end times at low load. */
#include "bench.h"
#include "lib_internal.h"

#include "clock.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 50, POLL_MS = 10, BROKERS_MAX = DOCKET_BROKERS_MAX };

struct bench {
    struct bench_options options;
    struct docket_client *client;
    struct docket_client *stats[BROKERS_MAX]; /* one a broker: counters are each broker's own */
    size_t stats_count;
    struct bench_bodies *bodies;
    struct bench_samples answered, decided;
    int64_t started_us, ended_us, posted_us, moved_us;
    int64_t sent, done, refused, looks;
    int64_t decided_before;
    struct docket_error first; /* refusal */
};

static bool fail(const struct docket_error *error)
{
    (void)fprintf(stderr, "docket-bench: %s: %s\n", error->name, error->message);
    return false;
}

/* ---- counters ---- */

/* The number of committed decisions in a stats answer: the entry of that name, wherever it stands. */
static bool find_decisions(const struct wire_val *val, unsigned depth, int64_t *ret)
{
    for (size_t i = 0; i < wire_count(val) && depth < 8; i++) {
        struct span key = wire_key_at(val, i);
        if ((span_is(key, "decisions") || span_is(key, "decided") || span_is(key, "decisions_total")) &&
            wire_get_int(wire_val_at(val, i), ret))
            return true;
        if (find_decisions(wire_val_at(val, i), depth + 1, ret))
            return true;
    }
    return false;
}

static bool read_decisions(struct bench *bench, int64_t *ret)
{
    int64_t sum = 0;

    for (size_t i = 0; i < bench->stats_count; i++) {
        struct docket_body *body = docket_body_new();
        struct docket_answer *answer = NULL;
        struct docket_error error;
        int64_t one = 0;
        bool ok = docket_call(bench->stats[i], "stats", body, &answer, &error);
        if (!ok)
            (void)fail(&error);
        else if (!find_decisions(lib_answer_body(answer), 0, &one))
            ok = (bool)(fputs("docket-bench: the broker's stats do not count decisions\n", stderr) < 0);
        docket_answer_free(answer);
        docket_body_free(body);
        if (!ok)
            return false;
        sum += one;
    }
    *ret = sum;
    return true;
}

static bool connect_stats(struct bench *bench)
{
    char one[256];
    struct docket_error error;

    for (const char *p = bench->options.brokers; *p != '\0' && bench->stats_count < BROKERS_MAX;) {
        size_t n = strcspn(p, ",");
        (void)snprintf(one, sizeof one, "%.*s", (int)n, p);
        if (n != 0 && !docket_client_new(one, &bench->stats[bench->stats_count], &error))
            return fail(&error);
        bench->stats_count += n != 0;
        p += n + (p[n] != '\0');
    }
    return true;
}

/* Until as many decisions were committed as tickets were posted. */
static bool wait_decided(struct bench *bench)
{
    int64_t want = bench->decided_before + bench->done, last = -1, now = 0;

    for (;;) {
        if (!read_decisions(bench, &now))
            return false;
        bench->ended_us = clock_mono_us();
        if (now >= want)
            return true;
        if (now != last)
            bench->moved_us = bench->ended_us;
        last = now;
        if (bench->ended_us - bench->moved_us > bench->options.timeout_s * US_PER_S) {
            (void)fprintf(stderr, "docket-bench: timeout: %lld of %lld tickets were not decided\n",
                          (long long)(want - now), (long long)bench->done);
            return false;
        }
        (void)zmq_poll(NULL, 0, POLL_MS);
    }
}

/* ---- posting ---- */

static bool may_post(const struct bench *bench, int64_t now_us)
{
    const struct bench_options *o = &bench->options;

    return bench->sent < o->count &&
           (o->seconds <= 0 || (double)(now_us - bench->started_us) < o->seconds * US_PER_S);
}

/* When the next ticket is due; now without a rate. */
static int64_t next_due_us(const struct bench *bench, int64_t now_us)
{
    if (bench->options.rate <= 0)
        return now_us;
    return bench->started_us + (int64_t)((double)bench->sent / bench->options.rate * US_PER_S);
}

/* The tag of a post is when it started; a look at a ticket carries the same, with the top bit. */
#define LOOK (UINT64_C(1) << 63)

static bool post_due(struct bench *bench)
{
    struct docket_error error;
    int64_t now_us = clock_mono_us();

    while (docket_outstanding(bench->client) < (size_t)bench->options.in_flight && may_post(bench, now_us)) {
        int64_t due_us = next_due_us(bench, now_us);
        if (due_us > now_us)
            break;
        struct span body = bench_bodies_next(bench->bodies, (uint64_t)bench->sent);
        if (!lib_client_send(bench->client, "ticket.submit", body, (uint64_t)due_us, NULL, &error))
            return fail(&error);
        bench->sent++;
        if (bench->options.rate > 0)
            now_us = clock_mono_us();
    }
    return true;
}

/* Asks whether the ticket is decided. */
static bool look(struct bench *bench, struct span tracking, uint64_t started)
{
    char bytes[128];
    struct buf body;
    struct docket_error error;

    buf_init(&body, sizeof bytes);
    wire_put_map(&body, 1);
    wire_put_key_str(&body, "tracking", tracking);
    bool ok = lib_client_send(bench->client, "ticket.show", buf_span(&body), started | LOOK, NULL, &error);
    buf_clear(&body);
    bench->looks++;
    return ok ? true : fail(&error);
}

static bool ticket_is_decided(const struct wire_val *body)
{
    const struct wire_val *ticket =
        wire_type(wire_find(body, "ticket")) == WIRE_MAP ? wire_find(body, "ticket") : body;

    return wire_type(wire_find(ticket, "priority")) == WIRE_INT;
}

static bool take_answer(struct bench *bench, const struct lib_answer *answer)
{
    bool follows = bench->options.mode == BENCH_LIFE && bench->options.rate > 0;
    int64_t started_us = (int64_t)(answer->tag & ~LOOK);
    bool looked = (answer->tag & LOOK) != 0;

    bench->moved_us = clock_mono_us();
    if (!answer->ok) {
        if (bench->refused++ == 0)
            lib_answer_error(answer, &bench->first);
        return true;
    }
    if (!looked) {
        bench->done++;
        bench_samples_add(&bench->answered, bench->moved_us - started_us);
        bench->posted_us = bench->moved_us;
    } else if (ticket_is_decided(answer->body)) {
        bench_samples_add(&bench->decided, bench->moved_us - started_us);
        return true;
    }
    if (!follows)
        return true;
    const struct wire_val *ticket = wire_type(wire_find(answer->body, "ticket")) == WIRE_MAP
                                        ? wire_find(answer->body, "ticket")
                                        : answer->body;
    return look(bench, wire_find_str(ticket, "tracking"), (uint64_t)started_us);
}

/* Waits for an answer, but not beyond the next ticket's time. False: nothing moves any more. */
static bool wait_answer(struct bench *bench, struct lib_answer *answer, bool *ret_got)
{
    struct docket_error error;
    int64_t now_us = clock_mono_us();
    int64_t left_us = may_post(bench, now_us) ? next_due_us(bench, now_us) - now_us : WAIT_MS * US_PER_MS;

    *ret_got = false;
    if (docket_outstanding(bench->client) == 0) {
        struct timespec pause = {left_us / US_PER_S, left_us % US_PER_S * 1000};
        if (left_us > 0)
            (void)nanosleep(&pause, NULL);
        bench->moved_us = clock_mono_us();
        return true;
    }
    bool full = docket_outstanding(bench->client) >= (size_t)bench->options.in_flight;
    int64_t wait_ms = full || left_us / US_PER_MS > WAIT_MS ? WAIT_MS : left_us / US_PER_MS;
    *ret_got = lib_client_receive(bench->client, (int)(wait_ms < 0 ? 0 : wait_ms), answer, &error);
    if (*ret_got || clock_mono_us() - bench->moved_us < bench->options.timeout_s * US_PER_S)
        return true;
    (void)fprintf(stderr, "docket-bench: timeout: %zu requests were not answered\n",
                  docket_outstanding(bench->client));
    return false;
}

static bool run_posts(struct bench *bench)
{
    struct lib_answer answer = {0};
    bool ok = true, got = false;

    bench->started_us = bench->moved_us = clock_mono_us();
    while (ok && (may_post(bench, clock_mono_us()) || docket_outstanding(bench->client) != 0)) {
        ok = post_due(bench) && wait_answer(bench, &answer, &got);
        if (ok && got)
            ok = take_answer(bench, &answer);
    }
    bench->ended_us = clock_mono_us();
    lib_answer_clear(&answer);
    return ok;
}

/* ---- telling ---- */

static void print_samples(const char *name, struct bench_samples *samples, bool json)
{
    double p50 = bench_samples_at(samples, 0.5) / 1000.0, p99 = bench_samples_at(samples, 0.99) / 1000.0;
    double max = bench_samples_at(samples, 1) / 1000.0;

    if (json)
        (void)printf(", \"%s_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name, p50, p99, max);
    else
        (void)printf("%-10s p50 %.3f ms   p99 %.3f ms   max %.3f ms\n", name, p50, p99, max);
}

static void print_result(struct bench *bench)
{
    const struct bench_options *o = &bench->options;
    double seconds = (double)(bench->ended_us - bench->started_us) / US_PER_S;
    double posting = (double)(bench->posted_us - bench->started_us) / US_PER_S;
    double rate = seconds > 0 ? (double)bench->done / seconds : 0;
    double posted = posting > 0 ? (double)bench->done / posting : 0;

    if (o->json)
        (void)printf("{\"mode\": \"%s\", \"in_flight\": %lld, \"tickets\": %lld, \"refused\": %lld, "
                     "\"seconds\": %.3f, "
                     "\"tickets_per_s\": %.1f, \"posted_per_s\": %.1f, \"looks\": %lld",
                     o->mode == BENCH_LIFE ? "life" : "submit", (long long)o->in_flight,
                     (long long)bench->done, (long long)bench->refused, seconds, rate, posted,
                     (long long)bench->looks);
    else
        (void)printf("%lld tickets in %.3f s: %.0f a second%s\n", (long long)bench->done, seconds, rate,
                     o->mode == BENCH_LIFE ? ", decided" : "");
    if (!o->json && o->mode == BENCH_LIFE)
        (void)printf("posted     %.0f a second\n", posted);
    print_samples("answer", &bench->answered, o->json);
    if (bench->decided.count != 0)
        print_samples("decided", &bench->decided, o->json);
    if (o->json)
        (void)puts("}");
    if (bench->refused != 0)
        (void)fprintf(stderr, "docket-bench: %lld refused; the first: %s: %s\n", (long long)bench->refused,
                      bench->first.name, bench->first.message);
}

static bool bench_run(struct bench *bench)
{
    bool counts = bench->options.mode == BENCH_LIFE && bench->options.rate <= 0;
    struct docket_error error;
    uint64_t run;

    randombytes_buf(&run, sizeof run);
    if (!docket_client_new(bench->options.brokers, &bench->client, &error))
        return fail(&error);
    docket_client_set_timeout_ms(bench->client, (int)bench->options.timeout_s * 1000);
    bench->bodies = bench_bodies_new(bench->options.customers, run);
    if (counts && (!connect_stats(bench) || !read_decisions(bench, &bench->decided_before)))
        return false;
    return run_posts(bench) && (!counts || wait_decided(bench));
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct err err = {0};
    const char *environment = getenv("DOCKET_BROKERS");

    if (!bench_options_parse(argc, argv, &bench.options, &err)) {
        (void)fprintf(stderr, "docket-bench: %s\n", err.msg);
        return 2;
    }
    if (bench.options.help) {
        bench_options_print_help();
        return 0;
    }
    if (bench.options.brokers == NULL)
        bench.options.brokers =
            environment != NULL && *environment != '\0' ? environment : DOCKET_BROKER_DEFAULT;
    bool ok = bench_run(&bench);
    if (bench.done != 0 || bench.refused != 0)
        print_result(&bench);
    for (size_t i = 0; i < bench.stats_count; i++)
        docket_client_free(bench.stats[i]);
    docket_client_free(bench.client);
    if (bench.bodies != NULL)
        bench_bodies_free(bench.bodies);
    bench_samples_clear(&bench.answered);
    bench_samples_clear(&bench.decided);
    return !ok ? 3 : bench.refused != 0 ? 1 : 0;
}
