/* When to try again, and when to leave a relay alone: pure, time and randomness come as arguments.
 * Source: the rules of telling, 7 and 8. */
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

/* The pause after attempt n (from 1) of an e-mail to people: 30 s, 2, 5, 15, 30 min, 1, 2 h, then 4 h, each
 * ±10 % by random. */
int64_t backoff_mail_us(int attempt, uint32_t random);

/* The pause after attempt n of a page to staff (alerts): 5, 15, 30, 60 s, then 2 min, ±10 %. */
int64_t backoff_page_us(int attempt, uint32_t random);

/* How long e-mail is tried at all. */
#define BACKOFF_MAIL_END_US (INT64_C(48) * 3600 * 1000000)

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
