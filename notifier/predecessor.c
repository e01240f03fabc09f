/* The notifier before this one; see predecessor.h. */
#include "predecessor.h"
#include "log.h"
#include "notifier.h"
#include "statements.h"

/* So often another one of that name may be there, dying, before it is told of. */
enum { TRIES_QUIET = 30 };

static void on_rows(void *arg, PGresult *rows)
{
    enum { IS_OURS, NOW, RELEASED };
    struct notifier *notifier = arg;

    notifier->has_name = pg_bool(rows, 0, IS_OURS);
    if (notifier->since_at == 0)
        notifier->since_at = pg_int(rows, 0, NOW);
    if (pg_int(rows, 0, RELEASED) != 0)
        log_event(LOG_INFO, "leases_back", "name=%s messages=%lld", log_quote(notifier->settings.name),
                  (long long)pg_int(rows, 0, RELEASED));
    if (!notifier->has_name && ++notifier->name_tries == TRIES_QUIET)
        log_event(LOG_WARN, "name_taken", "name=%s reason=%s", log_quote(notifier->settings.name),
                  log_quote("another notifier that runs has it: give each a name of its own"));
}

static void on_end(void *arg, const struct pg_end *end)
{
    struct notifier *notifier = arg;

    notifier->has_name = notifier->has_name && end->outcome == PG_OK;
    if (notifier->has_name)
        notifier->may_deliver = true;
}

void predecessor_tick(struct notifier *notifier)
{
    if (notifier->has_name)
        return;
    pg_params_reset(notifier->params);
    pg_put_text(notifier->params, notifier->settings.name);
    pg_put_int8(notifier->params, notifier->since_at);
    (void)pg_send(notifier->tell, TELL_LEASES_BACK, notifier->params, on_rows, notifier);
    pg_sync(notifier->tell, on_end, notifier);
}

void predecessor_on_up(struct notifier *notifier)
{
    notifier->has_name = false;
    notifier->name_tries = 0;
}
