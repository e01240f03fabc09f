/* The notifier before this one; see predecessor.h. */
#include "predecessor.h"
#include "escal_room.h"
#include "log.h"
#include "metrics.h"
#include "notifier.h"
#include "outbox.h"
#include "statements.h"

#include <string.h>

#include <sodium.h>

/* So often another one of that name may be there, dying, before it is told of; then told again so often. Once a second each. */
enum { TRIES_QUIET = 5, TRIES_AGAIN = 600 };

/* Which notifiers lease with tokens of the same upper half: those of one name. */
static uint32_t name_key(const struct notifier *notifier)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    uint32_t half = 0;

    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)notifier->settings.name,
                             strlen(notifier->settings.name), NULL, 0);
    memcpy(&half, hash, sizeof half);
    return half;
}

int64_t predecessor_token(const struct notifier *notifier)
{
    return (int64_t)((uint64_t)name_key(notifier) << 32 | randombytes_random());
}

struct metric *predecessor_metric(struct metrics *metrics)
{
    return metrics_gauge(metrics, "name_taken", "1 while another notifier has the name of this one",
                         METRIC_PLAIN);
}

static void note_taken(struct notifier *notifier)
{
    int tries = ++notifier->name_tries;

    if (tries < TRIES_QUIET)
        return;
    metric_set(notifier->name_taken, 0, 1);
    if ((tries - TRIES_QUIET) % TRIES_AGAIN == 0)
        log_event(LOG_WARN, "name_taken", "name=%s reason=%s", log_quote(notifier->settings.name),
                  log_quote("another notifier has a session under it: give each a name of its own"));
}

static void on_rows(void *arg, PGresult *rows)
{
    enum { IS_OURS, NOW, MESSAGES, NOTICES, ALERTS };
    struct notifier *notifier = arg;

    notifier->has_name = pg_bool(rows, 0, IS_OURS);
    if (notifier->since_at == 0)
        notifier->since_at = pg_int(rows, 0, NOW);
    if (!notifier->has_name)
        note_taken(notifier);
    else if (pg_int(rows, 0, MESSAGES) + pg_int(rows, 0, NOTICES) + pg_int(rows, 0, ALERTS) != 0)
        log_event(LOG_INFO, "leases_back", "name=%s messages=%lld notices=%lld alerts=%lld",
                  log_quote(notifier->settings.name), (long long)pg_int(rows, 0, MESSAGES),
                  (long long)pg_int(rows, 0, NOTICES), (long long)pg_int(rows, 0, ALERTS));
}

static void on_end(void *arg, const struct pg_end *end)
{
    struct notifier *notifier = arg;

    notifier->has_name = notifier->has_name && end->outcome == PG_OK;
    if (!notifier->has_name)
        return;
    metric_set(notifier->name_taken, 0, 0);
    notifier->may_deliver = true;
    escal_room_run(notifier->escal);
    outbox_run(notifier);
}

void predecessor_tick(struct notifier *notifier)
{
    if (notifier->has_name)
        return;
    pg_params_reset(notifier->params);
    pg_put_text(notifier->params, notifier->settings.name);
    pg_put_int8(notifier->params, notifier->since_at);
    pg_put_int8(notifier->params, (int32_t)name_key(notifier));
    pg_put_int8(notifier->params, settings_notifier_claim_us(&notifier->settings));
    pg_put_int8(notifier->params, ESCAL_LEASE_US);
    (void)pg_send(notifier->tell, TELL_LEASES_BACK, notifier->params, on_rows, notifier);
    pg_sync(notifier->tell, on_end, notifier);
}

void predecessor_on_up(struct notifier *notifier)
{
    notifier->has_name = false;
    notifier->name_tries = 0;
}
