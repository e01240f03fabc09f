/* The end of a reader's batch; see read_end.h. */
#include "read_end.h"

#include "log.h"

#include <string.h>

bool read_end_is_ok(const struct pg_end *end, const char *what, struct err *err)
{
    if (end->outcome == PG_OK)
        return true;
    if (end->outcome != PG_FAILED)
        return err_set(err, ERR_UNAVAILABLE, "the database is away");
    if (strcmp(end->sqlstate, "57014") == 0) /* statement_timeout */
        return err_set(err, ERR_UNAVAILABLE, "the database took too long for this; ask for less");
    if (pg_is_held(end->sqlstate))
        return err_set(err, ERR_UNAVAILABLE, "a table is held by another session: repeat later");
    if (pg_remedy(end->sqlstate) != PG_BUG && pg_remedy(end->sqlstate) != PG_SPLIT)
        return err_set(err, ERR_UNAVAILABLE, "the database cannot answer now (%s)", end->sqlstate);
    log_event(LOG_ERROR, "read_failed", "what=%s sqlstate=%s message=%s", what, end->sqlstate,
              log_quote(end->message));
    return err_set(err, ERR_INTERNAL, "the database refused a statement of the broker (%s)", end->sqlstate);
}
