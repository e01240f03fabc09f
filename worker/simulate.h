/* Past tickets decided again, offline: what the process would have given them, compared with what they got.
 *
 * One decision a ticket, with its whole history as what is new: a priority is given, raised by replies, and all clocks run to the
 * end of the history, so every verdict falls that would have fallen. Rules `on: [due]` do not run: when a `wake_in` came due, and what the
 * ticket was like then, such a decision does not know; the tickets that have one are counted. Adds up; prints nothing. */
#ifndef DOCKET_SIMULATE_H
#define DOCKET_SIMULATE_H

#include "clocks.h"
#include "engine.h"
#include "err.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SIMULATE_PRIORITIES = 4 };

/* One clock of one ticket; updates: all cycles together. */
struct simulated_clock {
    int64_t promised, met, missed, open; /* cycles */
    int64_t due_at, met_at;              /* of the first cycle; CLOCK_NO_INSTANT where there is none */
    int64_t late_us;                     /* the worst; until the history's end when never met */
};

struct simulated {
    int priority, was; /* was: 0 when the history does not say */
    int64_t posted_at, until_at;
    bool was_missed, says_missed; /* what the history says of its own promise */
    bool wake_in; /* a rule would have it looked at again, by rules `on: [due]`, which are not run here */
    struct simulated_clock clocks[CLOCK_KINDS];
};

struct simulation; /* decides with one engine, memory used again */

struct simulation *simulation_new(const struct engine *engine);
void simulation_free(struct simulation *simulation); /* accepts NULL */

/* Decides one ticket of a history (docs/process.md, "Histories").
 * err: ERR_INVALID  names the field that is missing or wrong */
bool simulation_run(struct simulation *simulation, const struct wire_val *line, struct simulated *ret,
                    struct err *err) __attribute__((warn_unused_result));

/* Appends {priority, was, was_missed (or nil), wake_in, response, update, resolution: {promised, met, missed, open, late_s}}. */
void simulated_put(const struct simulated *one, struct buf *out);

/* ---- the sum ---- */

struct simulation_sum;

struct simulation_sum *simulation_sum_new(void);
void simulation_sum_free(struct simulation_sum *sum); /* accepts NULL */
void simulation_sum_add(struct simulation_sum *sum, const struct simulated *one);

/* To another process of the same program, and there added to what its sum holds. False: it could not be written or read. */
bool simulation_sum_write(const struct simulation_sum *sum, FILE *to);
bool simulation_sum_read(struct simulation_sum *sum, FILE *from);

/* A table for people, or one map for --json. */
void simulation_sum_text(struct simulation_sum *sum, struct buf *out);
void simulation_sum_put(struct simulation_sum *sum, struct buf *out);

#endif
