/* How many answers in chat are looked up and answered: each costs a question to the database, which is also who pages, and anybody who knows
 * our address may write. Strangers share one measure, who stands in staff.yaml or is a room of ours has one apart from theirs, so that a flood
 * holds up nobody who was paged. Pure, time comes as an argument. */
#ifndef DOCKET_ANSWER_LIMIT_H
#define DOCKET_ANSWER_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_STRANGERS = 0, ANSWER_SPEAKERS = 64 };

/* Plain value; zero has heard nobody. */
struct answer_limit {
    int64_t free_at[ANSWER_SPEAKERS]; /* monotonic µs: when all that each said is paid for */
    int64_t said_at;                  /* when it was last told that some were ignored; 0: never */
    int64_t ignored;                  /* since then */
};

/* Whether an answer is taken now. Strangers: 10 at once, then one a second; others: 100 at once, then 10 a second.
 * speaker: ANSWER_STRANGERS, or any number of who is known; some of them may share */
bool answer_limit_take(struct answer_limit *limit, size_t speaker, int64_t now)
    __attribute__((warn_unused_result));

/* Counts one that was not taken. How many were ignored since it was told last, when it is to be told again (once a minute); else 0. */
int64_t answer_limit_ignored(struct answer_limit *limit, int64_t now);

#endif
