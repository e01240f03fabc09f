/* The broker: what one process holds together, and what every part may ask of it. Where the parts are put together: broker_life.h. */
#ifndef DOCKET_BROKER_H
#define DOCKET_BROKER_H

#include "away.h"
#include "dbclock.h"
#include "err.h"
#include "full.h"
#include "health.h"
#include "ids.h"
#include "lease.h"
#include "look.h"
#include "pace.h"
#include "process.h"
#include "request.h"
#include "settings_broker.h"
#include "statements.h"
#include "timers.h"
#include "wake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <czmq.h>

struct broker_metrics;
struct broker_stats;
struct calls;
struct clients;
struct customers;
struct fan;
struct http;
struct oncall;
struct ops_alerts;
struct pg;
struct pg_params;
struct pg_statement;
struct postings;
struct process_wait;
struct queue;
struct read_events;
struct workers;
struct writer;

/* The version of the process that is current here. */
struct broker_process {
    bool looked;                /* which is current was asked for: before that, nobody is served by a guess */
    bool looking;               /* it is being asked for */
    struct process_wait *waits; /* for the answer (process_room.c); only while it is being asked for */
    int32_t n;                  /* process_log.n; 0: none was ever applied */
    char hash[PROCESS_HASH_BYTES];
    int32_t former_n; /* the one before, by which decisions may still come; 0: none */
    char former_hash[PROCESS_HASH_BYTES];
    struct process *parsed; /* for weights and people; NULL when it does not load any more */
    struct oncall *oncall;  /* its schedules; NULL when they cannot be used here */
};

struct broker {
    struct broker_settings settings;
    const char *config_path; /* NULL: none */
    struct request_limits limits;
    const char *client_name; /* the scope of keys until clients have keys of their own */
    zloop_t *loop;
    struct pg *writer_pg, *control_pg, *reader_pg;
    struct away away;                /* while one of them cannot be opened */
    struct full full;                /* while it refuses what is written for want of room */
    struct pg_params *params;        /* scratch of control and reader */
    struct pg_params *list_params;   /* of lists, which are used again while they run */
    struct pg_params *writer_params; /* scratch of the groups' statements */
    struct clients *clients;
    struct calls *calls; /* of clients */
    struct workers *workers;
    struct writer *writer;
    zsock_t *pokes;
    struct http *http;
    int signal_fd; /* -1: not opened */
    struct broker_metrics *metrics;
    struct broker_stats *stats;

    /* epoch.c */
    int64_t epoch;                            /* 0: none */
    int64_t epoch_starting;                   /* being registered */
    int64_t epoch_old;                        /* to be buried first */
    int64_t history_system, history_timeline; /* of the database, as last seen; 0: not yet */
    unsigned slot;
    int64_t ids_until;
    bool others; /* another broker lived at the last renewal */
    struct lease lease;
    struct ids ids;
    struct dbclock clock;

    /* wakes.c */
    struct wake *wakes;                    /* hash by ticket */
    struct wake *fresh_first, *fresh_last; /* in order of id */
    size_t fresh_count;
    size_t wake_count[WAKE_PLACES];
    size_t content_bytes; /* of all contents that wait */
    struct queue *queue;
    struct timers timers;

    struct customers *customers;
    struct postings *postings;
    struct broker_process process;
    struct read_events *read_events;

    struct fan *fan; /* what goes from a parent to its children now; NULL: nothing */
    int64_t fan_looked_us;
    size_t moves_under_way; /* of open tickets to another package */
    struct look moves_look;

    bool outbox_written;                   /* this turn: poke at its end */
    bool reader_busy;                      /* a load of work is under way */
    bool claiming;                         /* a claim of some lanes is under way */
    int64_t claim_bound[2 * WAKE_CLASSES]; /* rank of the last claim of each lane */
    int64_t bound_reset_us;
    bool adopting;
    bool stopping;
    int64_t stop_by_us;
    int64_t process_checked_us;
    int64_t forecast_us, forecast_misses; /* when it was asked last; what it said */
    bool forecast_out;
    bool recompute_due, recompute_out;  /* open tickets are to be computed again; a step is under way */
    struct pace pace;                   /* how fast */
    int64_t recompute_at_us;            /* monotonic: no step before */
    size_t background_count;            /* wakes that are there only for it */
    size_t background_units;            /* of their decisions, in the batch whose ends are told */
    struct look feed_look;              /* feed_lag.c */
    int64_t feed_held_us, feed_held_by; /* the pid, 0: nobody */
    struct look dead_look;              /* dead_count.c */
    int64_t dead_letters;
    struct ops_alerts *ops_alerts;
    struct health health;
    struct pg_statement *statements[SESSIONS]; /* owned */
    int due_timer;                             /* of the next wake that comes due; -1: none */
    int64_t due_timer_at;                      /* monotonic */
    unsigned ticks;
    bool farewell_sent;
};

/* Whether a change may be taken now. err: ERR_UNAVAILABLE. */
bool broker_may_write(const struct broker *broker, struct err *err) __attribute__((warn_unused_result));

/* Why it cannot serve now, for people; NULL: it can. */
const char *broker_why_not_ready(const struct broker *broker);

/* The database's clock, µs. */
int64_t broker_now(struct broker *broker);

#endif
