/* Whose reading is next. Beyond so many at once, readings wait by their connection, and the connections take turns: whoever asks for much
 * waits behind himself. Connections are told apart by a hash (stochastic fairness queueing, McKenney 1990): two of LANES may share a
 * lane, and then its turn. Pure. */
#ifndef DOCKET_FAIR_H
#define DOCKET_FAIR_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { FAIR_LANES = 1024 };

/* Part of what waits; its owner's, in no list before fair_wait and after fair_next. */
struct fair_turn {
    struct fair_turn *next;
};

struct fair_lane {
    struct fair_turn *first, **end;
    struct fair_lane *next; /* the lane whose turn it is after this one's */
};

struct fair {
    size_t at_once, under_way;
    struct fair_lane lanes[FAIR_LANES];
    struct fair_lane *head, **tail; /* the lanes in which something waits */
};

void fair_init(struct fair *fair, size_t at_once);

/* peer: what tells connections apart. */
void fair_wait(struct fair *fair, struct fair_turn *turn, struct span peer);

/* The next one, which is under way from now until fair_over; NULL: none waits, or enough are under way. */
struct fair_turn *fair_next(struct fair *fair);
void fair_over(struct fair *fair);

/* Nothing waits any more; what is under way stays so. */
void fair_forget(struct fair *fair);

#endif
