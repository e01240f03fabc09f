/* What one worker holds and may still take, as pure steps: credits, the share kept back for P1, and the rule
 * for suspects. Knows no socket and no clock.
 *
 * A worker that dies while it holds several tickets leaves no word about which of them killed it. Each of
 * them is then a suspect and is handed out alone: its worker gets nothing else until it is decided. So the
 * ticket that kills workers kills one that held it alone, and is found after as many deaths as it takes to
 * dead-letter it. */
#ifndef DOCKET_HANDOUT_H
#define DOCKET_HANDOUT_H

#include <stdbool.h>
#include <stddef.h>

enum handout_solo {
    SOLO_NONE,
    SOLO_WAITING, /* a suspect is promised to this worker and sent when it holds nothing */
    SOLO_HELD     /* it holds a suspect, alone */
};

struct handout {
    size_t credits; /* 0: not ready */
    size_t held;    /* works sent and neither answered nor given up */
    bool closed;    /* leaving, or late with a work: takes no more for now */
    enum handout_solo solo;
};

/* Credits that only P1 may use: one in eight, at least one of more than one. */
size_t handout_kept_back(size_t credits);

/* How many works it may take now. */
size_t handout_room(const struct handout *handout, bool p1);

/* Whether it can take this one; of two that can, whether a is the better place. */
bool handout_takes(const struct handout *handout, bool p1, bool suspect);
bool handout_beats(const struct handout *a, const struct handout *b, bool p1, bool suspect);

/* It gets a work. True: send it now. False: a suspect that waits until the worker holds nothing. */
bool handout_give(struct handout *handout, bool suspect);

/* It gave a work back (answered, or too late). True: send the suspect that waits; it is held from now on. */
bool handout_back(struct handout *handout);

/* The suspect that waits was taken back. */
void handout_cancel(struct handout *handout);

/* Whether what happens to the worker now is surely the doing of the one work it holds. */
bool handout_is_alone(const struct handout *handout);

#endif
