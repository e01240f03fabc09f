/* docket-bench: posts tickets as fast, or as slowly, as told, and measures answers and whole lives.
 *
 * life without --rate: all are posted, then the brokers' counters of decisions are read until they rose by as
 * many; nothing else disturbs the system. life with --rate: the counters are read all the time while a ticket
 * waits for its decision, which gives end-to-end times at low load; they cost the database nothing, and at low
 * load decisions come in the order of the tickets. */
#include "bench.h"
#include "lib_internal.h"

#include "clock.h"
#include "mem.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long before a ticket is due the bench is awake: its own waking up is no part of the times. */
enum { AWAKE_US = 2000 };
enum { WAIT_MS = 50, POLL_MS = 10, BROKERS_MAX = DOCKET_BROKERS_MAX };

struct bench {
    struct bench_options options;
    struct docket_client *client;
    struct docket_client *stats[BROKERS_MAX]; /* one a broker: counters are each broker's own */
    size_t stats_count;
    struct bench_bodies *bodies;
    struct bench_samples answered, decided;
    int64_t *started_at; /* of each ticket that was answered, if its decision is waited for */
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

static bool undecided(const struct bench *bench, int64_t count)
{
    (void)fprintf(stderr, "docket-bench: timeout: %lld of %lld tickets were not decided\n", (long long)count,
                  (long long)bench->done);
    return false;
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
            return undecided(bench, want - now);
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

static bool bench_follows(const struct bench *bench)
{
    return bench->options.mode == BENCH_LIFE && bench->options.rate > 0;
}

/* Ends the time of as many tickets as decisions were committed since the last look. */
static bool look(struct bench *bench)
{
    int64_t now = 0;

    bench->looks++;
    if (!read_decisions(bench, &now))
        return false;
    int64_t now_us = clock_mono_us();
    while ((int64_t)bench->decided.count < bench->done &&
           (int64_t)bench->decided.count < now - bench->decided_before) {
        bench_samples_add(&bench->decided, now_us - bench->started_at[bench->decided.count]);
        bench->moved_us = now_us;
    }
    if (now_us - bench->moved_us < bench->options.timeout_s * US_PER_S)
        return true;
    return undecided(bench, bench->done - (int64_t)bench->decided.count);
}

static void take_answer(struct bench *bench, const struct lib_answer *answer)
{
    int64_t started_us = (int64_t)answer->tag;

    bench->moved_us = bench->posted_us = clock_mono_us();
    if (!answer->ok) {
        if (bench->refused++ == 0)
            lib_answer_error(answer, &bench->first);
        return;
    }
    bench_samples_add(&bench->answered, bench->moved_us - started_us);
    if (bench_follows(bench)) {
        bench->started_at = mem_grow(bench->started_at, (size_t)bench->done + 1, sizeof *bench->started_at);
        bench->started_at[bench->done] = started_us;
    }
    bench->done++;
}

/* Tickets are answered and not decided, and somebody wants to know when they are. */
static bool bench_waits(const struct bench *bench)
{
    return bench_follows(bench) && (int64_t)bench->decided.count < bench->done;
}

/* Waits for an answer, but not beyond the next ticket's time. False: nothing moves any more. */
static bool wait_answer(struct bench *bench, struct lib_answer *answer, bool *ret_got)
{
    struct docket_error error;
    int64_t now_us = clock_mono_us();
    int64_t left_us = may_post(bench, now_us) ? next_due_us(bench, now_us) - now_us : WAIT_MS * US_PER_MS;

    *ret_got = false;
    if (bench_waits(bench))
        left_us = 0; /* the next look is due */
    if (docket_outstanding(bench->client) == 0) {
        left_us -= AWAKE_US;
        struct timespec pause = {left_us / US_PER_S, left_us % US_PER_S * 1000};
        if (left_us > 0)
            (void)nanosleep(&pause, NULL);
        if (!bench_waits(bench))
            bench->moved_us = clock_mono_us(); /* not being due is no standstill */
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
    while (ok && (may_post(bench, clock_mono_us()) || docket_outstanding(bench->client) != 0 ||
                  bench_waits(bench))) {
        ok = post_due(bench) && wait_answer(bench, &answer, &got);
        if (ok && got)
            take_answer(bench, &answer);
        if (ok && bench_waits(bench))
            ok = look(bench);
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
    bool counts = bench->options.mode == BENCH_LIFE;
    struct docket_error error;
    uint64_t run;

    randombytes_buf(&run, sizeof run);
    if (!docket_client_new(bench->options.brokers, &bench->client, &error))
        return fail(&error);
    docket_client_set_timeout_ms(bench->client, (int)bench->options.timeout_s * 1000);
    bench->bodies = bench_bodies_new(bench->options.customers, run);
    if (counts && (!connect_stats(bench) || !read_decisions(bench, &bench->decided_before)))
        return false;
    return run_posts(bench) && (!counts || bench_follows(bench) || wait_decided(bench));
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
    if (bench.options.version)
        return puts("docket-bench " DOCKET_VERSION) < 0;
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
    free(bench.started_at);
    bench_samples_clear(&bench.answered);
    bench_samples_clear(&bench.decided);
    return !ok ? 3 : bench.refused != 0 ? 1 : 0;
}
