/* The look at itself; see audit.h. */
#include "audit.h"
#include "clock.h"
#include "curl_loop.h"
#include "found.h"
#include "http_post.h"
#include "log.h"
#include "mem.h"
#include "net_guard.h"
#include "notifier.h"
#include "statements.h"

#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 8, RULE_BYTES = 32 };

/* Missed promises of the last two hours are looked at each time, those of the last day once a session. */
#define BACK_US (INT64_C(2) * 3600 * US_PER_S)
#define BACK_FIRST_US (INT64_C(24) * 3600 * US_PER_S)

static const char *const rules[] = {"alerts", "deadlines", "notices", "rows"};
enum { RULES = sizeof rules / sizeof rules[0] };

enum beat_result { BEAT_TAKEN, BEAT_FAILED, BEAT_WITHHELD, BEAT_RESULTS };

struct broken_rule {
    char rule[RULE_BYTES];
    struct found found;
    int64_t count;
};

struct audit {
    struct notifier *notifier;
    struct pg *pg;
    struct pg_params *params;
    struct pg_statement statements[AUDIT_STATEMENTS];
    int64_t looked_us;        /* monotonic */
    bool looking, has_looked; /* in this session */
    struct broken_rule faults[RULES_MAX];
    size_t fault_count;
    struct net_guard guard;
    struct http_guarded guarded; /* of the call under way */
    struct curl_transfer call;   /* easy NULL: none is */
    struct metric *broken, *beats;
};

/* ---- the heartbeat ---- */

static void call_on_end(void *arg, CURLcode code)
{
    struct audit *audit = arg;
    long status = 0;

    (void)curl_easy_getinfo(audit->call.easy, CURLINFO_RESPONSE_CODE, &status);
    bool taken = code == CURLE_OK && status >= 200 && status < 300;
    if (!taken)
        log_event(LOG_WARN, "heartbeat_failed", "status=%ld reason=%s", status,
                  audit->guarded.is_blocked ? "blocked" : log_quote(curl_easy_strerror(code)));
    metric_add(audit->beats, taken ? BEAT_TAKEN : BEAT_FAILED, 1);
    curl_easy_cleanup(audit->call.easy);
    audit->call.easy = NULL;
}

static size_t on_reply(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes, (void)arg;
    return size * count;
}

static void audit_beat(struct audit *audit)
{
    const struct settings_notifier *s = &audit->notifier->settings;

    if (s->heartbeat_url[0] == '\0' || audit->call.easy != NULL)
        return;
    audit->call = (struct curl_transfer){.easy = curl_easy_init(), .end_fn = call_on_end, .arg = audit};
    audit->guarded = (struct http_guarded){.guard = &audit->guard};
    http_easy_prepare(audit->call.easy, s->heartbeat_url, s->http_ca_file, &audit->guarded);
    curl_easy_setopt(audit->call.easy, CURLOPT_USERAGENT, "docket-notifier/" DOCKET_VERSION);
    curl_easy_setopt(audit->call.easy, CURLOPT_WRITEFUNCTION, on_reply);
    curl_loop_add(audit->notifier->curl, &audit->call);
}

/* ---- the look ---- */

static void broken_rule_read(const PGresult *rows, int row, struct broken_rule *ret)
{
    enum { RULE, WHAT, COUNT, EXAMPLE };
    struct span rule = pg_span(rows, row, RULE), what = pg_span(rows, row, WHAT),
                example = pg_span(rows, row, EXAMPLE);

    ret->count = pg_int(rows, row, COUNT);
    (void)snprintf(ret->rule, sizeof ret->rule, "%.*s", (int)rule.len, rule.p);
    (void)snprintf(ret->found.cause, sizeof ret->found.cause, "audit:%.*s", (int)rule.len, rule.p);
    (void)snprintf(ret->found.text, sizeof ret->found.text, "This may never be: %lld %.*s, as %.*s.",
                   (long long)ret->count, (int)what.len, what.p, (int)(example.len < 100 ? example.len : 100),
                   example.p);
}

static void look_on_rows(void *arg, PGresult *rows)
{
    struct audit *audit = arg;

    for (int i = 0; i < PQntuples(rows) && audit->fault_count < RULES_MAX; i++)
        broken_rule_read(rows, i, &audit->faults[audit->fault_count++]);
}

static void told_on_end(void *arg, const struct pg_end *end)
{
    (void)arg;
    if (end->outcome == PG_FAILED)
        log_event(LOG_ERROR, "audit_unwritten", "sqlstate=%s message=%s", end->sqlstate,
                  log_quote(end->message));
}

static void audit_tell(struct audit *audit)
{
    struct found found[RULES_MAX];

    for (size_t i = 0; i < audit->fault_count; i++)
        found[i] = audit->faults[i].found;
    found_put(audit->params, found, audit->fault_count, "audit:%", 2);
    (void)pg_send(audit->pg, AUDIT_ALERTS, audit->params, NULL, NULL);
    pg_sync(audit->pg, told_on_end, audit);
}

static void audit_count(struct audit *audit)
{
    for (size_t rule = 0; rule < RULES; rule++) {
        int64_t count = 0;
        for (size_t i = 0; i < audit->fault_count; i++)
            if (strcmp(audit->faults[i].rule, rules[rule]) == 0)
                count = audit->faults[i].count;
        metric_set(audit->broken, rule, (double)count);
    }
}

static void look_on_end(void *arg, const struct pg_end *end)
{
    struct audit *audit = arg;

    audit->looking = false;
    if (end->outcome != PG_OK) {
        if (end->outcome == PG_FAILED)
            log_event(LOG_ERROR, "audit_unread", "sqlstate=%s message=%s", end->sqlstate,
                      log_quote(end->message));
        return;
    }
    audit_count(audit);
    for (size_t i = 0; i < audit->fault_count; i++)
        log_event(LOG_ERROR, "audit_broken", "rule=%s text=%s", audit->faults[i].rule,
                  log_quote(audit->faults[i].found.text));
    audit_tell(audit);
    /* Held: nobody is told anything, which is what the heartbeat is to betray. */
    if (audit->fault_count == 0 && !audit->notifier->held && pg_is_up(audit->notifier->tell))
        audit_beat(audit);
    else
        metric_add(audit->beats, BEAT_WITHHELD, 1);
}

void audit_tick(struct audit *audit)
{
    int64_t now = clock_mono_us();

    if (audit->looking || !pg_is_up(audit->pg) ||
        now - audit->looked_us < audit->notifier->settings.audit_every_us)
        return;
    audit->looked_us = now;
    audit->looking = true;
    audit->fault_count = 0;
    pg_params_reset(audit->params);
    pg_put_int8(audit->params, audit->has_looked ? BACK_US : BACK_FIRST_US);
    audit->has_looked = true;
    (void)pg_send(audit->pg, AUDIT_LOOK, audit->params, look_on_rows, audit);
    pg_sync(audit->pg, look_on_end, audit);
}

/* ---- life ---- */

static void on_up(void *arg)
{
    struct audit *audit = arg;
    audit->looking = audit->has_looked = false;
    audit->looked_us = clock_mono_us(); /* what was left undone while nobody looked gets its minute first */
}

static void on_down(void *arg, const char *why)
{
    (void)arg;
    log_event(LOG_WARN, "database_lost", "session=audit reason=%s", log_quote(why));
}

bool audit_new(struct notifier *notifier, struct audit **ret, struct err *err)
{
    static const char *const results[] = {"taken", "failed", "withheld"};
    struct audit *audit = mem_new(1, sizeof *audit);
    struct pg_config config = {.dsn = notifier->settings.dsn,
                               .name = "docket-notifier audit",
                               .session_sql = "SET statement_timeout = '20s'; SET jit = off",
                               .statements = audit->statements,
                               .statement_count = AUDIT_STATEMENTS,
                               .on_up = on_up,
                               .on_down = on_down,
                               .arg = audit};

    audit->notifier = notifier;
    audit->params = pg_params_new();
    statements_audit(audit->statements);
    audit->broken = metrics_gauge(notifier->metrics, "audit_broken", "What may never be, by rule",
                                  (struct metric_label){"rule", rules, RULES});
    audit->beats = metrics_counter(notifier->metrics, "heartbeats_total",
                                   "Calls of heartbeat_url; withheld: something is as it may never be",
                                   (struct metric_label){"result", results, BEAT_RESULTS});
    if (net_guard_parse(&notifier->settings.http_allow, &audit->guard, err) &&
        pg_new(notifier->loop, &config, &audit->pg, err)) {
        *ret = audit;
        return true;
    }
    audit_free(audit);
    return false;
}

void audit_free(struct audit *audit)
{
    if (audit == NULL)
        return;
    if (audit->call.easy != NULL) {
        curl_loop_drop(audit->notifier->curl, &audit->call);
        curl_easy_cleanup(audit->call.easy);
    }
    pg_free(audit->pg);
    pg_params_free(audit->params);
    free(audit);
}
