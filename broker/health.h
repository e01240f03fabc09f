/* Whether most decisions fail: then it is not the tickets' fault, none is counted against its ticket, and ops hear of it. Pure: time comes
 * as an argument. */
#ifndef DOCKET_HEALTH_H
#define DOCKET_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

/* Decisions and failures of this span of ten seconds and of the one before: so the judgement does not begin anew each time a span ends. Begins
 * zeroed. */
struct health {
    int64_t since_us; /* when this span began */
    int64_t good, bad, good_before, bad_before;
};

void health_count(struct health *health, bool good, int64_t now_us);

/* Over half of at least twenty failed. */
bool health_fails(struct health *health, int64_t now_us);

#endif
