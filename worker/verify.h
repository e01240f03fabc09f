/* Whether a ticket's events give again what is stored of its promises: running clocks whole, verdicts as far as the version that is
 * here is the one that judged.
 *
 * A verdict stays as it fell, by the version, the priority and the package of its time. So it is computed again by its own
 * priority; its times only if process and zone data are still those of then and the ticket was not moved to another package.
 * Changes nothing and tells nobody. */
#ifndef DOCKET_VERIFY_H
#define DOCKET_VERIFY_H

#include "decide_internal.h"

enum { VERIFY_DIFFERENCES_MAX = 32, VERIFY_TEXT_BYTES = 96 };

struct verified {
    const char *unknown; /* why nothing could be compared; NULL: it was */
    size_t clocks;       /* compared */
    size_t verdicts;     /* compared whole */
    size_t by_others;    /* verdicts whose times other versions, or another package, gave */
    char differences[VERIFY_DIFFERENCES_MAX][VERIFY_TEXT_BYTES];
    size_t difference_count;
};

/* in:  d          made of the ticket as it is stored
 *      deadlines  its verdicts, as ticket.show gives them; NULL: none are known
 * out: ret        filled whole */
void verify_stored(const struct decision *d, const struct wire_val *deadlines, struct verified *ret);

#endif
