/* A look at the database that is made every so often over a session, one at a time: while somebody holds the table, further ones would stand in line
 * before what is urgent there. */
#ifndef DOCKET_LOOK_H
#define DOCKET_LOOK_H

#include "pg.h"

struct look {
    int64_t begun_us; /* monotonic */
    bool under_way;
};

/* Whether it is time for the next one; then it has begun, and look_on_end is to be the end of its batch. */
bool look_begins(struct look *look, int64_t now_us, int64_t every_us);

/* For pg_sync, with the look. */
void look_on_end(void *look, const struct pg_end *end);

#endif
