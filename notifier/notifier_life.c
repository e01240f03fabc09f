/* The notifier's life; see notifier_life.h. */
#include "notifier_life.h"
#include "answers.h"
#include "audit.h"
#include "broker_ask.h"
#include "clock.h"
#include "curl_loop.h"
#include "deliver.h"
#include "escal.h"
#include "escal_people.h"
#include "escal_room.h"
#include "endings.h"
#include "feed_publish.h"
#include "links.h"
#include "log.h"
#include "mail_build.h"
#include "mem.h"
#include "notifier.h"
#include "outbox.h"
#include "predecessor.h"
#include "signals.h"
#include "statements.h"
#include "template_faults.h"
#include "zones.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

enum { TICK_MS = 100, POLL_MS = 1000, STOP_S = 10, CONNECTIONS_MAX = 128 };

/* Plans are pinned, so that a short queue and a long one are read alike: every statement takes few rows by a key, while the planner
 * guesses a share of the table from a limit it does not know, and would read it from end to end. */
#define TELL_SESSION_SQL                                                                 \
    "SET plan_cache_mode = force_generic_plan; SET lock_timeout = '2s'; SET jit = off; " \
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"

/* ---- looking ---- */

static void process_on_rows(void *arg, PGresult *rows)
{
    struct notifier *notifier = arg;
    struct err err;

    notifier->process_read = true;
    if (PQntuples(rows) == 0)
        return;
    if (notifier->process_n != 0)
        template_faults_end(notifier->template_faults);
    notifier->process_n = (int32_t)pg_int(rows, 0, 0);
    if (!templates_load(notifier->templates, pg_span(rows, 0, 2), &err))
        log_event(LOG_ERROR, "templates_unreadable", "reason=%s", log_quote(err.msg));
    else
        log_event(LOG_INFO, "process_used", "n=%d", (int)notifier->process_n);
    escal_room_process(notifier->escal, pg_span(rows, 0, 2));
}

static void backlog_on_rows(void *arg, PGresult *rows)
{
    struct notifier *notifier = arg;
    metric_set(notifier->waiting, 0, (double)pg_int(rows, 0, 0));
    metric_set(notifier->waiting, 1, (double)pg_int(rows, 0, 1));
    metric_set(notifier->oldest, 0, (double)pg_int(rows, 0, 2) / US_PER_S);
    metric_set(notifier->oldest, 1, (double)pg_int(rows, 0, 3) / US_PER_S);
}

/* Nothing goes out before the database has said that it may; a database that is another one than a moment ago holds all. */
static void beat_on_rows(void *arg, PGresult *rows)
{
    enum { HELD, REASON, SYSTEM, TIMELINE };
    struct notifier *notifier = arg;
    int64_t system_identifier = pg_int(rows, 0, SYSTEM);
    int32_t timeline = (int32_t)pg_int(rows, 0, TIMELINE);
    bool held = pg_bool(rows, 0, HELD);
    struct span reason = pg_span(rows, 0, REASON);
    char why[200];

    notifier->hold = notifier->system_identifier != 0 &&
                     (system_identifier != notifier->system_identifier || timeline < notifier->timeline);
    notifier->hold_why = "the database went back under a running notifier: was it restored?";
    notifier->system_identifier = system_identifier;
    notifier->timeline = timeline;
    (void)snprintf(why, sizeof why, "%.*s", (int)(reason.len < 150 ? reason.len : 150),
                   reason.len == 0 ? "" : reason.p);
    if (held != notifier->held)
        log_event(held ? LOG_WARN : LOG_INFO, held ? "messages_held" : "messages_go", "reason=%.*s",
                  (int)reason.len, reason.len == 0 ? "" : reason.p);
    notifier->held = held || notifier->hold;
    metric_set(notifier->held_gauge, 0, notifier->held);
}

static void send_beat(struct notifier *notifier)
{
    pg_params_reset(notifier->params);
    pg_put_bool(notifier->params, notifier->hold);
    pg_put_text(notifier->params, notifier->hold ? notifier->hold_why : NULL);
    pg_put_text(notifier->params, notifier->settings.name);
    (void)pg_send(notifier->tell, TELL_BEAT, notifier->params, beat_on_rows, notifier);
}

static void share_on_rows(void *arg, PGresult *rows)
{
    lanes_relay_sharers(arg, (int)pg_int(rows, 0, 0), (int)pg_int(rows, 0, 1));
}

/* Says which relays this notifier shares, and learns with how many. */
static void send_shares(struct notifier *notifier)
{
    for (int i = 0; i < CHANNELS; i++) {
        const char *relay = lanes_relay_shared(notifier->lanes, i);
        if (relay == NULL)
            continue;
        pg_params_reset(notifier->params);
        pg_put_int8(notifier->params, notifier->run);
        pg_put_text(notifier->params, relay);
        pg_put_int4(notifier->params, i);
        (void)pg_send(notifier->tell, TELL_RELAY_SHARE, notifier->params, share_on_rows, notifier->lanes);
    }
}

static void poll_on_end(void *arg, const struct pg_end *end)
{
    struct notifier *notifier = arg;

    notifier->polling = false;
    if (end->outcome != PG_OK) {
        notifier->polled_us = clock_mono_us(); /* what waited behind it goes first */
        return;
    }
    deliver_run(notifier);
    if (notifier->look_again) /* also what waited for the process */
        outbox_run(notifier);
}

/* Once a second: a poll catches what a poke missed. One at a time: while somebody holds a table, what is urgent would stand behind them all. */
static void notifier_poll(struct notifier *notifier)
{
    notifier->polling = true;
    notifier->polled_us = clock_mono_us();
    predecessor_tick(notifier);
    pg_params_reset(notifier->params);
    pg_put_int4(notifier->params, notifier->process_n);
    (void)pg_send(notifier->tell, TELL_PROCESS_CURRENT, notifier->params, process_on_rows, notifier);
    send_shares(notifier);
    send_beat(notifier);
    (void)pg_send(notifier->tell, TELL_BACKLOG, NULL, backlog_on_rows, notifier);
    (void)pg_send(notifier->tell, TELL_TARGET_LEASES, NULL, NULL, NULL);
    (void)pg_send(notifier->tell, TELL_MUTES_END, NULL, NULL, NULL);
    pg_sync(notifier->tell, poll_on_end, notifier);
    for (int i = 0; i < CHANNELS; i++)
        metric_set(notifier->breakers, (size_t)i, lanes_broken(notifier->lanes, i));
    outbox_run(notifier);
}

/* Looks for what is to be told and what is to be sent; cheap when nothing is. */
static void notifier_look(struct notifier *notifier)
{
    outbox_run(notifier);
    escal_room_run(notifier->escal);
    publisher_tick(notifier->publisher);
}

/* Something was committed: what it made due goes on now. */
static void on_read(void *arg)
{
    struct notifier *notifier = arg;

    if (notifier->may_deliver) {
        notifier->may_deliver = false;
        deliver_run(notifier);
    }
    outbox_go_on(notifier);
}

static int on_poke(zloop_t *loop, zsock_t *sock, void *arg)
{
    char bytes[64];
    (void)loop;
    while (zmq_recv(zsock_resolve(sock), bytes, sizeof bytes, ZMQ_DONTWAIT) >= 0)
        ; /* many pokes are one look */
    notifier_look(arg);
    return 0;
}

static void on_setting_stays(const char *name)
{
    log_event(LOG_WARN, "setting_needs_restart", "setting=%s", name);
}

/* SIGHUP: the file again. A bad one changes nothing. */
static void notifier_reload(struct notifier *notifier)
{
    struct settings_notifier fresh = {0};
    struct faults faults = {0};
    struct err err;

    if (!settings_notifier_load(notifier->config_path, &fresh, &faults, &err)) {
        settings_log_refused(&faults, &err);
        faults_clear(&faults);
        return;
    }
    settings_take(settings_notifier_table, settings_notifier_count, &notifier->settings, &fresh,
                  on_setting_stays);
    notifier->settings.level = fresh.level;
    log_open("notifier", fresh.level);
    log_event(LOG_INFO, "settings_reloaded", "log_level=%s", notifier->settings.log_level);
    settings_clear(settings_notifier_table, settings_notifier_count, &fresh);
}

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    struct notifier *notifier = arg;
    int number = signals_read(item->fd);
    (void)loop;

    if (number == SIGHUP) {
        notifier_reload(notifier);
    } else if (number != 0 && !notifier->stopping) {
        notifier->stopping = true;
        notifier->stop_by_us = clock_mono_us() + STOP_S * US_PER_S;
        log_event(LOG_INFO, "stopping", "in_flight=%d", lanes_in_flight(notifier->lanes));
    }
    return 0;
}

static int on_tick(zloop_t *loop, int timer, void *arg)
{
    struct notifier *notifier = arg;
    (void)loop;
    (void)timer;

    endings_flush(notifier);
    if (notifier->stopping) {
        bool idle = lanes_in_flight(notifier->lanes) == 0 && endings_are_done(notifier) &&
                    pg_in_flight(notifier->tell) == 0 && pg_in_flight(notifier->unpack) == 0;
        return idle || clock_mono_us() > notifier->stop_by_us ? -1 : 0;
    }
    publisher_tick(notifier->publisher);
    if (!notifier->polling && pg_is_up(notifier->tell) &&
        clock_mono_us() - notifier->polled_us > POLL_MS * US_PER_MS)
        notifier_poll(notifier);
    audit_tick(notifier->audit);
    if (pg_is_up(notifier->tell)) {
        outbox_go_on(notifier);
        deliver_tick(notifier);
        escal_room_tick(notifier->escal);
        template_faults_tick(notifier->template_faults);
    }
    return 0;
}

/* ---- sessions ---- */

static bool sessions_are_up(const struct notifier *notifier)
{
    return pg_is_up(notifier->tell) && pg_is_up(notifier->unpack) && pg_is_up(notifier->feed);
}

static void session_is_up(struct notifier *notifier)
{
    if (sessions_are_up(notifier))
        away_end(&notifier->away, clock_mono_us());
}

static void tell_on_up(void *arg)
{
    struct notifier *notifier = arg;
    session_is_up(notifier);
    notifier->held = true; /* until this database has said otherwise */
    memset(notifier->claiming, 0, sizeof notifier->claiming);
    predecessor_on_up(notifier);
    escal_room_on_up(notifier->escal);
    log_event(LOG_INFO, "database_up", "session=tell");
    (void)pg_send(notifier->tell, TELL_TARGET_REPAIR, NULL, NULL, NULL);
    pg_sync(notifier->tell, NULL, NULL);
    notifier_poll(notifier);
}

static void unpack_on_up(void *arg)
{
    struct notifier *notifier = arg;
    session_is_up(notifier);
    notifier->expanding = false;
    notifier->expanded = notifier->planned_for = 0;
    outbox_run(notifier);
}

static void feed_on_up(void *arg)
{
    struct notifier *notifier = arg;
    session_is_up(notifier);
    publisher_on_up(notifier->publisher);
}

static void session_lost(const char *session, const char *why)
{
    log_event(LOG_WARN, "database_lost", "session=%s reason=%s", session, log_quote(why));
}

static void tell_on_down(void *arg, const char *why)
{
    (void)arg;
    session_lost("tell", why);
}

static void unpack_on_down(void *arg, const char *why)
{
    (void)arg;
    session_lost("unpack", why);
}

static void feed_on_down(void *arg, const char *why)
{
    (void)arg;
    session_lost("feed", why);
}

static void on_refused(void *arg, const char *why)
{
    struct notifier *notifier = arg;
    away_note(&notifier->away, why, clock_mono_us());
}

static bool open_sessions(struct notifier *notifier, struct err *err)
{
    struct pg_config tell = {.dsn = notifier->settings.dsn,
                             .name = "docket-notifier",
                             .session_sql = TELL_SESSION_SQL,
                             .statements = notifier->tell_statements,
                             .statement_count = TELL_STATEMENTS,
                             .on_up = tell_on_up,
                             .on_down = tell_on_down,
                             .on_refused = on_refused,
                             .on_read = on_read,
                             .arg = notifier};
    struct pg_config feed = tell, unpack = tell;

    statements_tell(notifier->tell_statements);
    statements_unpack(notifier->unpack_statements);
    unpack.name = "docket-notifier unpack";
    unpack.statements = notifier->unpack_statements;
    unpack.statement_count = UNPACK_STATEMENTS;
    unpack.on_up = unpack_on_up;
    unpack.on_down = unpack_on_down;
    statements_feed(notifier->feed_statements);
    feed.name = "docket-notifier feed";
    feed.statements = notifier->feed_statements;
    feed.statement_count = FEED_STATEMENTS;
    feed.on_up = feed_on_up;
    feed.on_down = feed_on_down;
    feed.on_read = NULL;
    return pg_new(notifier->loop, &tell, &notifier->tell, err) &&
           pg_new(notifier->loop, &unpack, &notifier->unpack, err) &&
           pg_new(notifier->loop, &feed, &notifier->feed, err);
}

/* ---- HTTP ---- */

/* NULL: it can serve. */
static const char *why_not_ready(const struct notifier *notifier)
{
    if (notifier->stopping)
        return "it was told to stop";
    if (notifier->away.reason[0] != '\0')
        return notifier->away.reason;
    return sessions_are_up(notifier) ? NULL : "no session with the database";
}

static void serve_ready(void *arg, struct http_answer *answer)
{
    http_answer_ready(answer, why_not_ready(arg));
}

static bool open_http(struct notifier *notifier, struct err *err)
{
    const struct http_route routes[] = {{"/metrics", http_serve_metrics, notifier->metrics},
                                        {"/healthz", http_serve_alive, NULL},
                                        {"/readyz", serve_ready, notifier}};
    if (notifier->settings.http[0] == '\0')
        return true;
    return http_new(notifier->loop, notifier->settings.http, routes, sizeof routes / sizeof routes[0],
                    &notifier->http, err);
}

static void open_metrics(struct notifier *notifier)
{
    static const char *const told[TOLD_COUNTS] = {
        [TOLD_EXPANDED] = "expanded", [TOLD_SUPPRESSED] = "suppressed", [TOLD_MERGED] = "merged"};
    static const char *const queues[] = {"outbox", "deliveries"};
    static const char *const speakers[] = {"strangers", "known"};
    static const char *const dead[DEAD_REASONS] = {
        [DEAD_REFUSED] = "refused", [DEAD_EXPIRED] = "expired", [DEAD_UNSENDABLE] = "unsendable"};
    static const char *results[SEND_RESULTS], *channels[CHANNELS];

    for (int i = 0; i < SEND_RESULTS; i++)
        results[i] = send_result_counted((enum send_result)i);
    notifier->metrics = metrics_new("notifier");
    notifier->told = metrics_counter(notifier->metrics, "told_total", "Outbox rows by what became of them",
                                     (struct metric_label){"result", told, TOLD_COUNTS});
    notifier->attempts = metrics_counter(notifier->metrics, "attempts_total", "Attempts to send by result",
                                         (struct metric_label){"result", results, SEND_RESULTS});
    notifier->repeats =
        metrics_counter(notifier->metrics, "repeats_total",
                        "Attempts repeated with the same id, their end being unknown", METRIC_PLAIN);
    for (int i = 0; i < CHANNELS; i++)
        channels[i] = channel_rows[i].name;
    notifier->breakers =
        metrics_gauge(notifier->metrics, "breakers_open", "Relays and endpoints left alone for now",
                      (struct metric_label){"channel", channels, CHANNELS});
    notifier->held_gauge = metrics_gauge(notifier->metrics, "held",
                                         "1 while nothing is told until it is released", METRIC_PLAIN);
    notifier->waiting = metrics_gauge(notifier->metrics, "waiting", "Rows that wait, counted up to 10,000",
                                      (struct metric_label){"queue", queues, 2});
    notifier->name_taken = predecessor_metric(notifier->metrics);
    notifier->answers_ignored =
        metrics_counter(notifier->metrics, "answers_ignored_total",
                        "Answers in chat that were not looked at, being too many, by who they are from",
                        (struct metric_label){"from", speakers, sizeof speakers / sizeof speakers[0]});
    notifier->dead = metrics_counter(notifier->metrics, "dead_total",
                                     "Messages that ended undelivered, by what ended them",
                                     (struct metric_label){"reason", dead, DEAD_REASONS});
    notifier->oldest = metrics_gauge(notifier->metrics, "oldest_seconds", "Age of the oldest row that waits",
                                     (struct metric_label){"queue", queues, 2});
}

static void open_alert_metrics(struct notifier *notifier)
{
    static const char *const states[] = {"open", "acknowledged", "stuck"}, *const parts[] = {"person", "way"};
    static const char *whats[ESCAL_WHATS];
    static const double bounds[] = {15, 60, 120, 300, 600, 1200, 1800, 3600, 14400, 86400};

    for (int i = 0; i < ESCAL_WHATS; i++)
        whats[i] = escal_what_name((enum escal_what)i);
    notifier->acknowledged = metrics_histogram(notifier->metrics, "acknowledge_seconds",
                                               "Time from an alert's opening (again) to its acknowledgement",
                                               METRIC_PLAIN, bounds, sizeof bounds / sizeof bounds[0]);
    notifier->steps =
        metrics_counter(notifier->metrics, "escalation_steps_total", "Steps of escalations made",
                        (struct metric_label){"what", whats, ESCAL_WHATS});
    notifier->nobody =
        metrics_counter(notifier->metrics, "alerts_nobody_reachable_total",
                        "Steps at which no level reached anybody: the last resort was told", METRIC_PLAIN);
    notifier->left_out = metrics_counter(notifier->metrics, "pages_left_out_total",
                                         "People, and further ways of others, for which one step or message "
                                         "had no room: they were not told by it",
                                         (struct metric_label){"what", parts, 2});
    notifier->alerts = metrics_gauge(notifier->metrics, "alerts",
                                     "Alerts; stuck: open without a next step, which may never be",
                                     (struct metric_label){"state", states, 3});
}

/* ---- life ---- */

static bool open_pokes(struct notifier *notifier, struct err *err)
{
    notifier->pokes = zsock_new(ZMQ_SUB);
    zsock_set_subscribe(notifier->pokes, "");
    zsock_set_linger(notifier->pokes, 0);
    for (size_t i = 0; i < notifier->settings.pokes.count; i++)
        if (zsock_connect(notifier->pokes, "%s", notifier->settings.pokes.items[i]) < 0)
            return err_set(err, ERR_IO, "pokes: cannot connect %s", notifier->settings.pokes.items[i]);
    (void)zloop_reader(notifier->loop, notifier->pokes, on_poke, notifier);
    zloop_reader_set_tolerant(notifier->loop, notifier->pokes);
    return true;
}

static bool open_links(struct notifier *notifier, struct err *err)
{
    if (notifier->settings.token_key_file[0] != '\0' &&
        !token_key_read(notifier->settings.token_key_file, &notifier->link_key, err))
        return false;
    notifier->ask = broker_ask_new(notifier->loop, &notifier->settings.brokers);
    return links_open(notifier, &notifier->links, err);
}

bool notifier_open(struct notifier *notifier, const char *config_path, struct faults *ret_faults,
                   struct err *err)
{
    if (!settings_notifier_load(config_path, &notifier->settings, ret_faults, err))
        return false;
    log_open("notifier", notifier->settings.level);
    notifier->config_path = config_path;
    if (!signals_open(&notifier->signal_fd, err))
        return false;
    mail_open();
    notifier->loop = zloop_new();
    notifier->params = pg_params_new();
    notifier->templates = templates_new();
    notifier->template_faults = template_faults_new(notifier);
    notifier->people = mem_new(1, sizeof *notifier->people);
    notifier->escal = escal_room_new(notifier);
    notifier->held = true;
    randombytes_buf(&notifier->run, sizeof notifier->run);
    notifier->hold = strcmp(notifier->settings.notifications, "held") == 0;
    notifier->hold_why = "the settings of a notifier say so";
    notifier->zones = zones_new(notifier->settings.zoneinfo);
    open_metrics(notifier);
    open_alert_metrics(notifier);
    notifier->curl = curl_loop_new(notifier->loop, CONNECTIONS_MAX);
    notifier->channel_host = (struct channel_host){.loop = notifier->loop,
                                                   .curl = notifier->curl,
                                                   .settings = &notifier->settings,
                                                   .said_fn = answers_on_said,
                                                   .said_arg = notifier};
    return lanes_new(&notifier->channel_host, &notifier->lanes, err) &&
           publisher_new(notifier, &notifier->publisher, err) && open_pokes(notifier, err) &&
           open_sessions(notifier, err) && audit_new(notifier, &notifier->audit, err) &&
           open_http(notifier, err) && open_links(notifier, err);
}

void notifier_run(struct notifier *notifier)
{
    zmq_pollitem_t signals = {NULL, notifier->signal_fd, ZMQ_POLLIN, 0};

    (void)zloop_poller(notifier->loop, &signals, on_signal, notifier);
    (void)zloop_timer(notifier->loop, TICK_MS, 0, on_tick, notifier);
    log_event(LOG_INFO, "started", "version=%s name=%s", DOCKET_VERSION, log_quote(notifier->settings.name));
    signals_run(notifier->loop);
    log_event(LOG_INFO, "stopped", "name=%s", log_quote(notifier->settings.name));
}

void notifier_close(struct notifier *notifier)
{
    notifier->stopping = true;
    links_close(notifier->links);
    notifier->links = NULL;
    broker_ask_free(notifier->ask);
    http_free(notifier->http);
    lanes_free(notifier->lanes);
    deliver_close(notifier);
    endings_clear(notifier);
    audit_free(notifier->audit);
    curl_loop_free(notifier->curl);
    pg_free(notifier->tell);
    pg_free(notifier->unpack);
    pg_free(notifier->feed);
    publisher_free(notifier->publisher);
    zsock_destroy(&notifier->pokes);
    templates_free(notifier->templates);
    template_faults_free(notifier->template_faults);
    escal_room_free(notifier->escal);
    escal_people_free(notifier->people);
    zones_free(notifier->zones);
    metrics_free(notifier->metrics);
    pg_params_free(notifier->params);
    zloop_destroy(&notifier->loop);
    if (notifier->signal_fd > 0)
        (void)close(notifier->signal_fd);
    settings_clear(settings_notifier_table, settings_notifier_count, &notifier->settings);
}
