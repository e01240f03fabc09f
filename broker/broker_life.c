/* The broker's life; see broker_life.h. */
#include "broker_life.h"
#include "adoption.h"
#include "broker.h"
#include "broker_metrics.h"
#include "broker_stats.h"
#include "calls.h"
#include "claims.h"
#include "clients.h"
#include "clock.h"
#include "customers.h"
#include "dead_count.h"
#include "deciding.h"
#include "dispatch.h"
#include "epoch.h"
#include "fan.h"
#include "feed_lag.h"
#include "forecasting.h"
#include "http.h"
#include "log.h"
#include "migrate.h"
#include "move.h"
#include "ops_alerts.h"
#include "pg.h"
#include "posting.h"
#include "process_room.h"
#include "queue.h"
#include "recompute.h"
#include "put_back.h"
#include "read_events.h"
#include "signals.h"
#include "statements.h"
#include "wakes.h"
#include "workers.h"
#include "writer.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { TICK_MS = 100, CLAIM_EVERY_TICKS = 3, CUSTOMERS_KEPT = 20000, POKE_HWM = 1000 };

/* The writer's plans are pinned: an array of unknown length gets the plan for few rows, by index, also when the statistics of a large
 * table would tempt to scan it. */
#define WRITER_SESSION_SQL                                                                                  \
    "SET plan_cache_mode = force_generic_plan; SET lock_timeout = '2s'; SET jit = off; SET enable_seqscan " \
    "= off; SET "                                                                                           \
    "synchronous_commit = on"
/* Nothing here waits long for a lock: it comes again by itself, and the lease is renewed behind it. */
#define CONTROL_SESSION_SQL \
    "SET plan_cache_mode = force_generic_plan; SET lock_timeout = '300ms'; SET jit = off"

/* ---- a turn ---- */

static int broker_on_due(zloop_t *loop, int timer, void *arg);

/* One timer, for the next wake that comes due, or the next step of computing again. */
static void broker_arm(struct broker *broker, int64_t in_us)
{
    int64_t at = in_us < 0 ? INT64_MAX : clock_mono_us() + in_us;

    if (broker->due_timer >= 0 && broker->due_timer_at <= at && broker->due_timer_at > clock_mono_us())
        return;
    if (broker->due_timer >= 0)
        zloop_timer_end(broker->loop, broker->due_timer);
    broker->due_timer = -1;
    if (in_us < 0)
        return;
    broker->due_timer_at = at;
    broker->due_timer = zloop_timer(broker->loop, (size_t)(in_us / US_PER_MS + 1), 1, broker_on_due, broker);
}

/* After each thing that woke the loop: hand out, write what gathered, poke. */
static void broker_turn(struct broker *broker)
{
    if (broker->epoch != 0) {
        int64_t due_us = dispatch_due(broker), step_us = recompute_turn(broker);
        broker_arm(broker, due_us < 0 || (step_us >= 0 && step_us < due_us) ? step_us : due_us);
    }
    if (clients_serve(broker->clients))
        broker_arm(broker, 0);
    dispatch_run(broker);
    writer_kick(broker->writer);
    if (broker->outbox_written) {
        broker->outbox_written = false;
        (void)zmq_send(zsock_resolve(broker->pokes), "outbox", 6, ZMQ_DONTWAIT);
    }
}

static int broker_on_due(zloop_t *loop, int timer, void *arg)
{
    struct broker *broker = arg;
    (void)loop;
    (void)timer;
    broker->due_timer = -1;
    broker_turn(broker);
    return 0;
}

/* A socket was read: of clients, of workers, of a session with the database. */
static void broker_on_read(void *arg)
{
    broker_turn(arg);
}

/* ---- what the parts tell ---- */

static void broker_on_ends(void *arg, bool begins)
{
    const struct broker *broker = arg;
    if (begins)
        calls_hold(broker->calls);
    else
        calls_release(broker->calls);
}

static void broker_on_batch(void *arg, size_t units, int64_t took_us)
{
    struct broker *broker = arg;
    pace_committed(&broker->pace, clock_mono_us(), units - broker->background_units, took_us);
    broker->background_units = 0;
    broker_count_batch(broker->metrics, units, took_us);
    full_committed(&broker->full, clock_mono_us());
}

static void broker_on_full(void *arg, const char *sqlstate, const char *message)
{
    struct broker *broker = arg;
    full_refused(&broker->full, sqlstate, message, clock_mono_us());
}

static void broker_on_made(void *arg, int64_t ticket, int32_t attempt, int32_t version, int64_t wake_at)
{
    wakes_changed(arg, ticket, attempt, version, 0, SPAN_NONE, wake_at, REASON_POSTED);
}

static void broker_on_refused(void *arg, const char *worker, struct span hash, const struct wire_val *errors)
{
    struct span first = SPAN_NONE;
    char text[300];
    (void)arg;
    (void)wire_get_str(wire_at(errors, 0), &first);
    (void)snprintf(text, sizeof text, "%.*s", (int)first.len, first.p == NULL ? "" : first.p);
    log_event(LOG_ERROR, "process_refused", "worker=%s hash=%.*s error=%s", log_quote(worker), 12,
              hash.p == NULL ? "" : hash.p, log_quote(text));
}

/* ---- sessions ---- */

static void session_is_up(struct broker *broker)
{
    if (pg_is_up(broker->writer_pg) && pg_is_up(broker->control_pg) && pg_is_up(broker->reader_pg))
        away_end(&broker->away, clock_mono_us());
}

static void on_writer_up(void *arg)
{
    session_is_up(arg);
    epoch_on_writer_up(arg);
}

static void on_writer_down(void *arg, const char *why)
{
    epoch_on_writer_down(arg, why);
}

static void on_refused(void *arg, const char *why)
{
    struct broker *broker = arg;
    away_note(&broker->away, why, clock_mono_us());
}

static void on_control_up(void *arg)
{
    struct broker *broker = arg;
    session_is_up(broker);
    process_room_tick(broker);
}

static void on_control_down(void *arg, const char *why)
{
    (void)arg;
    log_event(LOG_WARN, "control_lost", "reason=%s", log_quote(why));
}

static void on_reader_up(void *arg)
{
    struct broker *broker = arg;
    session_is_up(broker);
    read_events_on_up(broker->read_events);
}

static void on_reader_down(void *arg, const char *why)
{
    struct broker *broker = arg;
    log_event(LOG_WARN, "reader_lost", "reason=%s", log_quote(why));
    read_events_on_down(broker->read_events);
}

static bool open_session(struct broker *broker, enum statements_session session, const char *name,
                         const char *session_sql, void (*up)(void *), void (*down)(void *, const char *),
                         struct pg **ret_pg, struct err *err)
{
    struct pg_config config = {.dsn = broker->settings.dsn,
                               .name = name,
                               .session_sql = session_sql,
                               .on_up = up,
                               .on_down = down,
                               .on_refused = on_refused,
                               .on_read = broker_on_read,
                               .arg = broker};
    config.statements = broker->statements[session] = statements_new(session, &config.statement_count);
    return pg_new(broker->loop, &config, ret_pg, err);
}

/* ---- HTTP ---- */

static void serve_metrics(void *arg, struct http_answer *answer)
{
    struct broker *broker = arg;
    broker_stats_refresh(broker);
    http_serve_metrics(broker_metrics_registry(broker->metrics), answer);
}

static void serve_ready(void *arg, struct http_answer *answer)
{
    http_answer_ready(answer, broker_why_not_ready(arg));
}

static bool open_http(struct broker *broker, struct err *err)
{
    const struct http_route routes[] = {{"/metrics", serve_metrics, broker},
                                        {"/healthz", http_serve_alive, NULL},
                                        {"/readyz", serve_ready, broker}};
    if (broker->settings.http[0] == '\0')
        return true;
    return http_new(broker->loop, broker->settings.http, routes, sizeof routes / sizeof routes[0],
                    &broker->http, err);
}

/* ---- ticks and the end ---- */

static bool broker_is_idle(const struct broker *broker)
{
    return writer_is_idle(broker->writer) && broker->wake_count[WAKE_HANDED] == 0 &&
           broker->wake_count[WAKE_COMMITTING] == 0;
}

/* SIGTERM: no new requests; what is under way is finished; everything else is given back. */
static void broker_begin_stop(struct broker *broker)
{
    struct wake *wake, *next;

    log_event(LOG_INFO, "stopping", "wakes=%zu", wakes_count(broker));
    broker->stopping = true;
    broker->stop_by_us = clock_mono_us() + broker->settings.drain_us;
    workers_drain(broker->workers);
    HASH_ITER(hh, broker->wakes, wake, next)
    if (wake->place == WAKE_QUEUED || wake->place == WAKE_TIMED || wake->place == WAKE_LOADING)
        put_back_give(broker, wake);
    writer_kick(broker->writer);
}

static void broker_give_rest(struct broker *broker)
{
    struct wake *wake, *next;
    HASH_ITER(hh, broker->wakes, wake, next)
    if (wake->place == WAKE_QUEUED || wake->place == WAKE_TIMED)
        put_back_give(broker, wake);
}

static void on_setting_stays(const char *name)
{
    log_event(LOG_WARN, "setting_needs_restart", "setting=%s", name);
}

/* SIGHUP: the file again. A bad one changes nothing. */
static void broker_reload(struct broker *broker)
{
    struct broker_settings fresh = {0};
    struct faults faults = {0};
    struct err err;

    if (!broker_settings_load(broker->config_path, &fresh, &faults, &err)) {
        settings_log_refused(&faults, &err);
        faults_clear(&faults);
        return;
    }
    settings_take(broker_settings_table, broker_settings_count, &broker->settings, &fresh, on_setting_stays);
    broker->settings.level = fresh.level;
    log_open("broker", fresh.level);
    log_event(LOG_INFO, "settings_reloaded", "log_level=%s", broker->settings.log_level);
    broker_settings_clear(&fresh);
}

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    struct broker *broker = arg;
    int number = signals_read(item->fd);
    (void)loop;

    if (number == SIGHUP)
        broker_reload(broker);
    else if (number != 0 && !broker->stopping)
        broker_begin_stop(broker);
    return 0;
}

static int broker_on_tick(zloop_t *loop, int timer, void *arg)
{
    struct broker *broker = arg;
    (void)loop;
    (void)timer;

    epoch_tick(broker);
    writer_expire(broker->writer, broker->settings.settle_us);
    process_room_tick(broker);
    forecasting_tick(broker);
    if (++broker->ticks % CLAIM_EVERY_TICKS == 0) {
        adoption_tick(broker);
        claims_tick(broker);
    }
    ops_alerts_tick(broker);
    feed_lag_tick(broker);
    dead_count_tick(broker);
    fan_tick(broker);
    move_tick(broker);
    if (broker->stopping) {
        broker_give_rest(broker);
        if (broker->farewell_sent)
            return pg_in_flight(broker->control_pg) == 0 || clock_mono_us() > broker->stop_by_us + US_PER_S
                       ? -1
                       : 0;
        if (broker_is_idle(broker) || clock_mono_us() > broker->stop_by_us) {
            epoch_farewell(broker);
            broker->farewell_sent = true;
        }
    }
    broker_turn(broker);
    return 0;
}

/* ---- life ---- */

static void broker_set_limits(struct broker *broker)
{
    const struct broker_settings *s = &broker->settings;
    broker->limits = (struct request_limits){.message_bytes = s->message_bytes,
                                             .process_bytes = s->process_bytes,
                                             .title_points = s->title_points,
                                             .text_bytes = s->text_bytes,
                                             .map_bytes = s->map_bytes};
}

static bool open_parts(struct broker *broker, struct err *err)
{
    struct workers_config workers = {.loop = broker->loop,
                                     .endpoint = broker->settings.workers,
                                     .broker_name = broker->settings.name,
                                     .decide_timeout_us = broker->settings.decide_timeout_us,
                                     .on_decision = dispatch_on_decision,
                                     .on_fail = dispatch_on_fail,
                                     .on_lost = dispatch_on_lost,
                                     .on_turn = broker_on_read,
                                     .on_refused = broker_on_refused,
                                     .arg = broker};

    if (!open_session(broker, SESSION_WRITER, "docket-broker writer", WRITER_SESSION_SQL, on_writer_up,
                      on_writer_down, &broker->writer_pg, err) ||
        !open_session(broker, SESSION_CONTROL, "docket-broker control", CONTROL_SESSION_SQL, on_control_up,
                      on_control_down, &broker->control_pg, err) ||
        !open_session(broker, SESSION_READER, "docket-broker reader", READER_SESSION_SQL, on_reader_up,
                      on_reader_down, &broker->reader_pg, err))
        return false;
    struct writer_config writer = {
        .pg = broker->writer_pg,
        .send_group =
            {[GROUP_POST] = posting_send, [GROUP_DECIDE] = deciding_send, [GROUP_PUT_BACK] = put_back_send},
        .on_made = broker_on_made,
        .on_ends = broker_on_ends,
        .on_batch = broker_on_batch,
        .on_full = broker_on_full,
        .arg = broker,
        .pending_max = broker->settings.pending_max};
    broker->writer = writer_new(&writer);
    broker->read_events = read_events_new(broker->loop, broker->reader_pg, broker->settings.tracking_prefix);
    broker->pokes = zsock_new(ZMQ_PUB);
    zsock_set_sndhwm(broker->pokes, POKE_HWM);
    zsock_set_linger(broker->pokes, 100);
    if (zsock_bind(broker->pokes, "%s", broker->settings.pokes) < 0)
        return err_set(err, ERR_IO, "pokes: cannot bind %s: %s", broker->settings.pokes,
                       zmq_strerror(zmq_errno()));
    if (!workers_new(&workers, &broker->workers, err) ||
        !clients_new(broker, broker_on_read, &broker->clients, err))
        return false;
    broker->calls = clients_calls(broker->clients);
    return open_http(broker, err);
}

bool broker_open(struct broker *broker, const char *config_path, struct faults *ret_faults, struct err *err)
{
    broker->config_path = config_path;
    broker->client_name = "local";
    broker->due_timer = -1;
    broker->signal_fd = -1;
    if (!broker_settings_load(config_path, &broker->settings, ret_faults, err))
        return false;
    log_open("broker", broker->settings.level);
    if (broker->settings.auto_migrate ? !migrate_run(broker->settings.dsn, NULL, NULL, err)
                                      : !migrate_check(broker->settings.dsn, config_path, err))
        return false;
    broker_set_limits(broker);
    if (!signals_open(&broker->signal_fd, err))
        return false;
    broker->loop = zloop_new();
    broker->params = pg_params_new();
    broker->list_params = pg_params_new();
    broker->writer_params = pg_params_new();
    broker->metrics = broker_metrics_new();
    broker->stats = broker_stats_new(broker_metrics_registry(broker->metrics));
    broker->queue = queue_new();
    broker->customers = customers_new(CUSTOMERS_KEPT);
    broker->postings = postings_new();
    broker->ops_alerts = ops_alerts_new();
    timers_init(&broker->timers);
    pace_init(&broker->pace, clock_mono_us());
    dbclock_init(&broker->clock);
    return open_parts(broker, err);
}

int broker_run(struct broker *broker)
{
    zmq_pollitem_t signals = {NULL, broker->signal_fd, ZMQ_POLLIN, 0};

    (void)zloop_poller(broker->loop, &signals, on_signal, broker);
    (void)zloop_timer(broker->loop, TICK_MS, 0, broker_on_tick, broker);
    log_event(LOG_INFO, "started", "version=%s clients=%s workers=%s", DOCKET_VERSION,
              log_quote(broker->settings.clients), log_quote(broker->settings.workers));
    signals_run(broker->loop);
    log_event(LOG_INFO, "stopped", "name=%s", log_quote(broker->settings.name));
    return 0;
}

void broker_close(struct broker *broker)
{
    /* Sessions first: what they still owed ends through the parts below. */
    if (broker->writer != NULL)
        writer_end(broker->writer);
    pg_free(broker->writer_pg);
    pg_free(broker->control_pg);
    pg_free(broker->reader_pg);
    writer_free(broker->writer);
    fan_free(broker->fan);
    wakes_free_all(broker);
    read_events_free(broker->read_events);
    http_free(broker->http);
    clients_free(broker->clients);
    workers_free(broker->workers);
    zsock_destroy(&broker->pokes);
    process_room_clear(broker);
    customers_free(broker->customers);
    postings_free(broker->postings);
    ops_alerts_free(broker->ops_alerts);
    timers_clear(&broker->timers);
    queue_free(broker->queue);
    broker_stats_free(broker->stats);
    broker_metrics_free(broker->metrics);
    pg_params_free(broker->params);
    pg_params_free(broker->list_params);
    pg_params_free(broker->writer_params);
    for (int i = 0; i < SESSIONS; i++)
        free(broker->statements[i]);
    zloop_destroy(&broker->loop);
    if (broker->signal_fd >= 0)
        (void)close(broker->signal_fd);
    broker_settings_clear(&broker->settings);
}
