/* docket-bench: what its files share. Must be cheap itself: it runs beside what it measures. */
#ifndef DOCKET_BENCH_H
#define DOCKET_BENCH_H

#include "docket.h"

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bench_mode { BENCH_SUBMIT, BENCH_LIFE };

struct bench_options {
    const char *brokers; /* NULL: DOCKET_BROKERS, else the default */
    enum bench_mode mode;
    int64_t in_flight, count, customers;
    double seconds; /* 0: until count */
    double rate;    /* tickets a second; 0: as fast as it goes */
    int64_t timeout_s;
    bool json, help, version;
};

/* err: ERR_INVALID */
bool bench_options_parse(int argc, char *const *argv, struct bench_options *ret, struct err *err)
    __attribute__((warn_unused_result));
void bench_options_print_help(void);

/* Spans in µs, kept all, so that the percentiles are exact. Zeroed is empty. */
struct bench_samples {
    uint32_t *us;
    size_t count, room;
    bool sorted;
};

void bench_samples_add(struct bench_samples *samples, int64_t us);
void bench_samples_clear(struct bench_samples *samples);

/* The smallest sample that at least part (0..1) of all are not above; 0 when there is none. Sorts. */
uint32_t bench_samples_at(struct bench_samples *samples, double part);

/* Encoded bodies of ticket.submit, one a customer, whose key is written over for each ticket. */
struct bench_bodies;

/* run: names this run; keys are unique to it. The caller frees with bench_bodies_free. */
struct bench_bodies *bench_bodies_new(int64_t customers, uint64_t run);
void bench_bodies_free(struct bench_bodies *bodies);

/* The body of the n-th ticket; valid until the next call. */
struct span bench_bodies_next(struct bench_bodies *bodies, uint64_t n);

#endif
