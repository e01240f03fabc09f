/* Spans and bodies of docket-bench: what must not cost anything per ticket. */
#include "bench.h"

#include "lib_internal.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_samples_add(struct bench_samples *samples, int64_t us)
{
    if (samples->count == samples->room) {
        samples->room = samples->room == 0 ? 65536 : samples->room * 2;
        samples->us = mem_grow(samples->us, samples->room, sizeof *samples->us);
    }
    samples->us[samples->count++] = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    samples->sorted = false;
}

void bench_samples_clear(struct bench_samples *samples)
{
    free(samples->us);
    *samples = (struct bench_samples){0};
}

static int samples_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

uint32_t bench_samples_at(struct bench_samples *samples, double part)
{
    if (samples->count == 0)
        return 0;
    if (!samples->sorted)
        qsort(samples->us, samples->count, sizeof *samples->us, samples_compare);
    samples->sorted = true;
    double place = part * (double)samples->count;
    size_t i = (size_t)place;
    i = (double)i < place ? i + 1 : i;
    return samples->us[i == 0 ? 0 : i - 1 < samples->count ? i - 1 : samples->count - 1];
}

/* ---- bodies ---- */

enum { DIGITS = 10 };

struct bench_bodies {
    struct docket_body **bodies;
    struct span *spans;
    size_t *places; /* of the key's digits */
    size_t count;
};

static struct docket_body *body_new(size_t customer, uint64_t run)
{
    struct docket_body *body = docket_body_new();
    char text[64];

    (void)snprintf(text, sizeof text, "bench-%016llx-%0*d", (unsigned long long)run, DIGITS, 0);
    docket_body_text(body, "key", text);
    (void)snprintf(text, sizeof text, "bench-%zu", customer);
    docket_body_text(body, "customer", text);
    docket_body_text(body, "title", "One-way audio on the trunk to the branch office");
    docket_body_text(
        body, "problem",
        "Since this morning callers do not hear us on about every third call. The far end sees our "
        "packets, we see none of theirs. Restarting the gateway helped for ten minutes.");
    docket_body_text(body, "impact", "impaired");
    docket_body_open_map(body, "equipment");
    docket_body_text(body, "sbc", "edge-1");
    docket_body_text(body, "firmware", "7.40A.250");
    docket_body_close(body);
    docket_body_open_map(body, "configuration");
    docket_body_text(body, "trunk", "registered, TLS");
    docket_body_text(body, "codec", "G.711a");
    docket_body_close(body);
    return body;
}

struct bench_bodies *bench_bodies_new(int64_t customers, uint64_t run)
{
    struct bench_bodies *all = mem_new(1, sizeof *all);

    all->count = (size_t)customers;
    all->bodies = mem_new(all->count, sizeof *all->bodies);
    all->spans = mem_new(all->count, sizeof *all->spans);
    all->places = mem_new(all->count, sizeof *all->places);
    for (size_t i = 0; i < all->count; i++) {
        all->bodies[i] = body_new(i, run);
        if (!lib_body_finish(all->bodies[i], &all->spans[i], NULL))
            abort(); /* only without memory: our own body is well-formed */
        const char *key = all->bodies[i]->key;
        for (size_t at = 0; memcmp(all->spans[i].p + at, key, strlen(key)) != 0; at++)
            all->places[i] = at + 1 + strlen(key) - DIGITS;
    }
    return all;
}

void bench_bodies_free(struct bench_bodies *bodies)
{
    for (size_t i = 0; i < bodies->count; i++)
        docket_body_free(bodies->bodies[i]);
    free(bodies->bodies);
    free(bodies->spans);
    free(bodies->places);
    free(bodies);
}

struct span bench_bodies_next(struct bench_bodies *bodies, uint64_t n)
{
    size_t i = n % bodies->count;
    char *digit = bodies->bodies[i]->buf.p + bodies->places[i] + DIGITS;

    for (int k = 0; k < DIGITS; k++, n /= 10)
        *--digit = (char)('0' + n % 10);
    return bodies->spans[i];
}
