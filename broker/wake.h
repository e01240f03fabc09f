/* A wake: one ticket that wants to be decided, while this broker holds it in memory.
 *
 * Where it stands is its place; it moves only through wakes.c (wakes_place), which keeps the lists and counts. The database says
 * who owns it (desk.owner, or the slot in the id of a ticket that has no desk row yet); memory is bookkeeping. */
#ifndef DOCKET_WAKE_H
#define DOCKET_WAKE_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>

/* Order of being handed out; the lane of a waiting wake in the table is its class, of a sleeping one WAKE_CLASSES + class. */
enum wake_class { WAKE_P1, WAKE_UNTRIAGED, WAKE_P2, WAKE_P3, WAKE_P4, WAKE_CLASSES };

enum wake_place {
    WAKE_NOWHERE,
    WAKE_QUEUED,     /* in the queue, in order of rank */
    WAKE_TIMED,      /* due soon: in the heap of timers */
    WAKE_LOADING,    /* its content is being read */
    WAKE_HANDED,     /* with a worker */
    WAKE_COMMITTING, /* its decision is in a batch */
    WAKE_PLACES
};

enum wake_reason {
    REASON_POSTED = 1,
    REASON_EVENT = 2,
    REASON_DUE = 4,
    REASON_PROCESS = 8,
    REASON_RETRY = 16
};

struct wake {
    int64_t ticket;
    int64_t rank;    /* µs: wake time + the customer's debt */
    int64_t wake_at; /* µs UTC by the database's clock */
    /* µs UTC: what its work says that it is, while it is with a worker or its decision in a batch */
    int64_t now_at;
    int64_t since_us; /* monotonic: when it began to wait here, for the histogram of waits */
    int32_t attempt;
    int32_t version;
    uint8_t class;   /* enum wake_class */
    uint8_t place;   /* enum wake_place */
    uint8_t reasons; /* enum wake_reason, a bit each */
    uint8_t failures;
    bool fresh;      /* posted here and no desk row yet */
    bool background; /* woken only to be computed again (recompute.c); wakes_set_background alone writes it */
    bool overtaken;  /* an op is changing the ticket: a decision that comes now is dropped */
    /* a worker died while it held this one among others: handed out alone until it is decided */
    bool suspect;
    uint8_t discarded;         /* decisions in a row that an op overtook */
    int64_t discarded_from_us; /* monotonic: the first of them was handed out before this */
    /* monotonic: until then no op may change the ticket, so that it gets decided; 0: none */
    int64_t rests_until_us;
    int64_t work;   /* number of the work while it is with a worker (workers.c alone writes it), else 0 */
    size_t heap_at; /* index in the queue's or the timers' heap */
    struct span content; /* encoded {ticket, customer, events} for a worker, owned; p == NULL: to be loaded */
    char *customer;      /* owned; NULL while unknown */
    struct wake *prev, *next; /* fresh ones in order of id: the first gives the broker's mark */
    UT_hash_handle hh;        /* by ticket */
};

/* Class of a ticket by its priority; 0 (none yet) is untriaged, for it may be a P1. */
enum wake_class wake_class_of(int priority);

/* "p1", "untriaged", …, by class: the words of metrics. */
extern const char *const wake_class_names[WAKE_CLASSES];

#endif
