/* The life cycle of a ticket as one table; see states.h. */
#include "states.h"

#include <stdio.h>

/* clang-format off */
#define N STATE_NEW
#define T STATE_TRIAGED
#define P STATE_IN_PROGRESS
#define C STATE_WAITING_CUSTOMER
#define V STATE_WAITING_VENDOR
#define R STATE_RESOLVED
#define X STATE_CLOSED
#define O STATE_REOPENED
#define _ STATE_REFUSED

/* A column a state, in the order of enum desk_state. */
static const int16_t table[STATES_OPS][STATES] = {
                           /* N  T  P  C  V  R  X  O */
    [DO_TAKE]            = {   P, P, P, P, P, _, _, P },
    [DO_ASSIGN]          = {   N, T, P, C, V, R, _, O },
    [DO_RELEASE]         = {   N, T, T, C, V, R, _, O },
    [DO_WAIT_CUSTOMER]   = {   C, C, C, C, C, _, _, C },
    [DO_WAIT_VENDOR]     = {   V, V, V, V, V, _, _, V },
    [DO_CANNOT_RESOLVE]  = {   C, C, C, C, C, _, _, C },
    [DO_RESUME]          = {   _, _, _, P, P, _, _, _ },
    [DO_RESUME_CUSTOMER] = {   _, _, _, P, _, _, _, _ },
    [DO_RESUME_VENDOR]   = {   _, _, _, _, P, _, _, _ },
    [DO_RESOLVE]         = {   R, R, R, R, R, _, _, R },
    [DO_APPROVE]         = {   _, _, _, _, _, X, _, _ },
    [DO_REJECT]          = {   _, _, _, _, _, P, _, _ },
    [DO_CLOSE]           = {   X, X, X, X, X, X, _, X },
    [DO_REOPEN]          = {   _, _, _, _, _, O, O, _ },
    [DO_COMMENT]         = {   N, T, P, C, V, R, X, O },
    [DO_REPLY]           = {   N, T, P, P, V, R, X, O },
    [DO_UPDATE]          = {   N, T, P, C, V, R, _, O },
    [DO_PRIORITIZE]      = {   N, T, P, C, V, R, _, O },
    [DO_LINK]            = {   N, T, P, C, V, R, X, O },
    [DO_AGREE]           = {   _, _, _, P, P, _, _, _ },
    [DO_DECLINE]         = {   _, _, _, P, P, _, _, _ },
    [DO_MEETING]         = {   N, T, P, C, V, R, _, O },
    [DO_REPEAT]          = {   N, T, P, C, V, R, _, O },
};

#undef N
#undef T
#undef P
#undef C
#undef V
#undef R
#undef X
#undef O
#undef _
/* clang-format on */

int states_next(enum states_op op, enum desk_state from)
{
    return table[op][from];
}

enum states_op states_wait(struct span on)
{
    return span_is(on, "vendor") ? DO_WAIT_VENDOR : DO_WAIT_CUSTOMER;
}

enum states_op states_resume(struct span on)
{
    return span_is(on, "vendor")     ? DO_RESUME_VENDOR
           : span_is(on, "customer") ? DO_RESUME_CUSTOMER
                                     : DO_RESUME;
}

void states_row(enum states_op op, int16_t ret[STATES])
{
    for (int from = 0; from < STATES; from++)
        ret[from] = table[op][from];
}

void states_allowed(enum states_op op, char *ret, unsigned long size)
{
    size_t len = 0;

    ret[0] = '\0';
    for (int from = 0; from < STATES; from++)
        if (table[op][from] != STATE_REFUSED && len + 1 < size)
            len += (size_t)snprintf(ret + len, size - len, "%s%s", len == 0 ? "" : ", ",
                                    desk_state_name((enum desk_state)from));
}

#define BIT(state) (1u << (state))

bool states_may_decide(enum desk_state from, enum desk_state to)
{
    /* Words on a resolved ticket count as `reject` where the process says so. */
    static const unsigned allowed[STATES] = {
        [STATE_TRIAGED] = BIT(STATE_NEW),
        [STATE_IN_PROGRESS] = BIT(STATE_WAITING_CUSTOMER) | BIT(STATE_WAITING_VENDOR) | BIT(STATE_RESOLVED),
        [STATE_REOPENED] = BIT(STATE_RESOLVED) | BIT(STATE_CLOSED),
        [STATE_CLOSED] = BIT(STATE_RESOLVED),
    };
    return (unsigned)to < STATES && (allowed[to] & BIT(from)) != 0;
}
