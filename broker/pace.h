/* How fast open tickets are computed again beside the desk's own work, as pure steps: time comes as an argument, nothing is sent.
 *
 * The desk's own work is everything else that brokers write: postings, ops, decisions. While there is none, steps follow one another
 * without a pause. Beside it, steps are small and each leaves a debt of as many tickets, which must be paid before the next one:
 *  - by what the desk writes: one ticket for every PACE_DESK_UNITS changes, so that a full desk gives up a small part of what it does,
 *    never more, and the end comes some day however long it is full;
 *  - by time in which nothing is computed again: at most PACE_IDLE_SHARE times as fast as the step went while the desk wants little,
 *    less the more it wants, and hardly at all when it wants half of the time.
 * What the desk wants is measured only while nothing is computed again: a client that waits for each answer seems to want little
 * whenever it is slowed down. */
#ifndef DOCKET_PACE_H
#define DOCKET_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PACE_STEP: tickets of a step beside others' work (a few milliseconds of a commit); PACE_STEP_ALONE: while there is none. */
enum { PACE_STEP = 100, PACE_STEP_ALONE = 500, PACE_DESK_UNITS = 16, PACE_IDLE_SHARE = 4 };

/* Instants and spans in µs, monotonic. */
struct pace {
    int64_t desk_seen_us;   /* when the desk wrote last; 0: never */
    int64_t others_busy_us; /* when another broker's desk was last told to be busy; 0: never */
    double others_wanted;   /* part of the time, 0..1, of the busiest other broker */
    double wanted;          /* part of the time, 0..1, that the desk's commits take here */
    int64_t clear_us;       /* nothing is computed again since; accounted up to here */
    int64_t window_us, window_busy_us;
    bool running;    /* a step is being decided */
    int64_t step_us; /* when it began */
    size_t step_count;
    double per_us; /* tickets a µs of the last step */
    double debt;   /* tickets */
};

void pace_init(struct pace *pace, int64_t now_us);

/* A batch was committed with so many changes of the desk's own, after took_us. */
void pace_committed(struct pace *pace, int64_t now_us, size_t desk_units, int64_t took_us);

/* What the busiest of the other brokers' desks wants, 0..1. */
void pace_others(struct pace *pace, int64_t now_us, double wanted);

/* A step was taken at began_us, which woke so many. looked: rows that were looked at for it. */
void pace_took(struct pace *pace, int64_t began_us, size_t woken, size_t looked);

/* How many rows the next step may look at, now; 0: not yet. under_way: tickets of the steps before that are not decided yet.
 * ret_wait_us: when it is worth asking again, if nothing is committed before; -1: only then. */
size_t pace_next(struct pace *pace, int64_t now_us, size_t under_way, int64_t *ret_wait_us);

/* What this broker's desk wants, for the other brokers. */
double pace_wanted(const struct pace *pace, int64_t now_us);

#endif
