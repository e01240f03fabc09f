/* What the broker knows of a database that has no room: a full disk, or no memory, for what is written (SQLSTATE classes 53 and 58). Its sessions stay up
 * and its lease is renewed meanwhile, as that needs no new page, so only what is refused tells of it: /readyz, a metric, and a line of the log each second at most.
 * What is small may still be written here and there: it counts as over when a batch is committed and none was refused for a moment. Who sends nothing, for he was told
 * that it is not ready, must be able to come back: without any refusal for a minute nobody knows, and it is not said any more. */
#ifndef DOCKET_FULL_H
#define DOCKET_FULL_H

#include <stdbool.h>
#include <stdint.h>

struct full {
    char reason[400];              /* of the last refusal; "" while there is room */
    int64_t refused_us, said_us;   /* monotonic */
    unsigned long refused, unsaid; /* batches: since it began, since the last line */
};

/* A batch was refused. Logs database_full when it is time to. */
void full_refused(struct full *full, const char *sqlstate, const char *message, int64_t now_us);

/* A batch was committed. Logs database_has_room when it is over. */
void full_committed(struct full *full, int64_t now_us);

/* Why nothing can be written; NULL: nothing is known against it. */
const char *full_why(const struct full *full, int64_t now_us);

#endif
