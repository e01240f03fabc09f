/* What a program says of a database that is away: one line when it goes, one when the reason changes, one a minute while it lasts (not one for
 * each try of each session), and one when it is back, with how long it took. */
#ifndef DOCKET_AWAY_H
#define DOCKET_AWAY_H

#include <stdbool.h>
#include <stdint.h>

struct away {
    char reason[400];          /* the last one; "" while the database is there */
    int64_t since_us, said_us; /* monotonic */
    unsigned tries;            /* that failed */
};

/* A session could not be opened. Logs database_away when it is time to. */
void away_note(struct away *away, const char *reason, int64_t now_us);

/* The database serves again. Logs database_back when it was away. */
void away_end(struct away *away, int64_t now_us);

#endif
