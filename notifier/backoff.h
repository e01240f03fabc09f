/* When to try again, and when to leave a relay alone: pure, time and randomness come as arguments.
 * Source: the rules of telling, 7, 8 and 10. */
#ifndef DOCKET_BACKOFF_H
#define DOCKET_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* How an attempt ended. */
enum send_result {
    SEND_DELIVERED,  /* the other side took it */
    SEND_TEMPORARY,  /* it said: later */
    SEND_PERMANENT,  /* it said: never */
    SEND_UNKNOWN,    /* all was sent, no answer came: it may have it */
    SEND_CONNECTION, /* there was no talking to it; says nothing about the message */
    SEND_RESULTS
};
const char *send_result_name(enum send_result result); /* as attempts.result stores it */
/* As it is counted: each has a name of its own, for no series may stand there twice. */
const char *send_result_counted(enum send_result result);

/* What a message is about decides how long it is tried. */
enum schedule_class {
    SCHEDULE_MESSAGE, /* to customers and staff */
    SCHEDULE_PAGE,    /* an alert of P1 or P2 */
    SCHEDULE_CLASSES
};

enum { SCHEDULE_STEPS_MAX = 10 };

/* The pauses after attempt 1, 2, …; the last one repeats. */
struct schedule {
    int32_t steps_s[SCHEDULE_STEPS_MAX];
    int steps;
    int spread_percent; /* each pause is that much longer or shorter, by chance */
    int tries_max;      /* 0: no limit */
    int64_t end_s;      /* since the message was made; 0: until it is delivered or acknowledged */
};

extern const struct schedule schedule_mail; /* 30 s, 2, 5, 15, 30 min, 1, 2 h, then every 4 h, up to 48 h */
extern const struct schedule schedule_page; /* 5, 15, 30, 60 s, then every 2 min, without end */
extern const struct schedule schedule_webhook; /* Standard Webhooks: ten tries over 75 h, ±20 % */

/* The pause that the other side asked for, in µs: any number may come from there, it is believed up to a day. */
int64_t retry_after_read(int64_t asked_s);

/* Whether there is another attempt after attempt n (from 1), and the pause before it: at least what the other side
 * asked for (retry_after_us).
 * in:  age_us  of the message, now */
bool schedule_next(const struct schedule *schedule, int attempt, int64_t age_us, int64_t retry_after_us,
                   uint32_t random, int64_t *ret_pause_us) __attribute__((warn_unused_result));

/* A relay's circuit breaker. Plain value, zero is closed. Opens after BREAKER_FAULTS_MAX connection faults in
 * a row, lets one attempt through each BREAKER_PROBE_US, closes when one was answered, then lets twice as
 * many through with each answer. */
enum { BREAKER_FAULTS_MAX = 5, BREAKER_SLOW_START = 2 };
#define BREAKER_PROBE_US INT64_C(30000000)

struct breaker {
    int faults;
    bool open;
    int64_t probe_at; /* monotonic µs; meaningful while open */
    int allowed;      /* 0: no limit of its own */
};

/* How many attempts may be under way now, of at most max. */
int breaker_allows(const struct breaker *breaker, int64_t now, int max);

/* An attempt was answered in any way, or its connection failed. */
void breaker_on_answer(struct breaker *breaker, int max);
void breaker_on_fault(struct breaker *breaker, int64_t now);

/* A probe goes out: the next one not before BREAKER_PROBE_US. */
void breaker_on_probe(struct breaker *breaker, int64_t now);

#endif
