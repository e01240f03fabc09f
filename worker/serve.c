/* The worker at work; see serve.h. One thread, one loop; nothing in a handler waits. */
#include "serve.h"

#include "asks.h"
#include "clock.h"
#include "decide.h"
#include "link.h"
#include "log.h"
#include "mem.h"
#include "signals.h"
#include "versions.h"
#include "worker_metrics.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <czmq.h>

enum {
    TICK_MS = 100,
    LATE_MS = 900,        /* a tick this late says that we were not running, not that brokers are dead */
    ZONES_MS = 2000,      /* between looks at the zone data */
    LEAVE_MS_MAX = 10000, /* for brokers that never say bye */
};

struct serve {
    const struct worker_settings *settings;
    struct versions *versions;
    struct decider *decider;
    struct asks *asks;
    struct worker_metrics *metrics;
    struct link_calls calls;
    struct link **links;
    unsigned *polled; /* generation of each link's socket that the loop polls */
    zsock_t **sockets;
    size_t link_count;
    zloop_t *loop;
    int signal_fd;
    int64_t ticked_at;
    int64_t zones_at;      /* when the zone data was looked at */
    int64_t leaving_since; /* 0: not leaving */
    char name[65];
    char zones[ZONE_VERSION_BYTES];
};

/* ---- what the links ask ---- */

static bool on_process(void *self, struct link *link, const struct wire_val *process, struct buf *out)
{
    struct serve *serve = self;
    struct engine *old = link_version(link), *engine = NULL;
    struct faults faults = {0};
    struct span hash = wire_find_str(process, "hash");

    if (versions_use(serve->versions, process, &engine, &faults)) {
        link_set_version(link, engine_process(engine)->hash, engine);
        versions_drop(serve->versions, old);
        log_event(LOG_INFO, "process_used", "broker=%s hash=%.12s zones=%s", link_endpoint(link),
                  link_hash(link), serve->zones);
        faults_clear(&faults);
        return true;
    }
    log_event(LOG_WARN, "process_refused", "broker=%s errors=%zu first=%s", link_endpoint(link), faults.count,
              log_quote(faults.count == 0 ? "" : faults.items[0].text));
    wire_put_map(out, 2);
    wire_put_key_str(out, "process", hash);
    wire_put_text(out, "errors");
    asks_put_faults(&faults, out);
    faults_clear(&faults);
    return false;
}

static bool on_work(void *self, struct link *link, const struct wire_val *work, struct buf *out,
                    struct err *err)
{
    struct serve *serve = self;
    const struct engine *engine = link_version(link);

    if (engine == NULL)
        return err_set(err, ERR_UNAVAILABLE, "this worker has no process yet");
    int64_t began = clock_mono_us();
    bool decided = decide(serve->decider, engine, work, out, err);
    worker_metrics_count(serve->metrics, decided, clock_mono_us() - began);
    return decided;
}

static bool on_ask(void *self, struct link *link, const struct wire_val *ask, struct buf *out,
                   struct err *err)
{
    struct serve *serve = self;
    return asks_answer(serve->asks, serve->decider, link_version(link), ask, out, err);
}

/* ---- the loop ---- */

static int on_readable(zloop_t *loop, zsock_t *socket, void *arg);

/* A link that connected again has another socket: poll that one. */
static void serve_poll(struct serve *serve, size_t i)
{
    struct link *link = serve->links[i];

    if (serve->polled[i] == link_generation(link))
        return;
    serve->polled[i] = link_generation(link);
    serve->sockets[i] = link_socket(link);
    (void)zloop_reader(serve->loop, serve->sockets[i], on_readable, serve);
    zloop_reader_set_tolerant(serve->loop, serve->sockets[i]);
}

/* The old socket must leave the loop before the link closes it; closing happens inside link calls, so a reader that is gone
 * is taken out by its old address, which the loop only compares. */
static void serve_repoll(struct serve *serve, size_t i, zsock_t *old)
{
    if (serve->polled[i] == link_generation(serve->links[i]))
        return;
    if (old != NULL)
        zloop_reader_end(serve->loop, old);
    serve_poll(serve, i);
}

static int on_readable(zloop_t *loop, zsock_t *socket, void *arg)
{
    struct serve *serve = arg;
    (void)loop;

    for (size_t i = 0; i < serve->link_count; i++)
        if (serve->sockets[i] == socket) {
            (void)link_receive(serve->links[i], clock_mono_us());
            serve_repoll(serve, i, socket);
            break;
        }
    return 0;
}

static void serve_leave(struct serve *serve, int64_t now_us)
{
    if (serve->leaving_since != 0)
        return;
    serve->leaving_since = now_us;
    log_event(LOG_INFO, "leaving", "brokers=%zu", serve->link_count);
    for (size_t i = 0; i < serve->link_count; i++)
        link_leave(serve->links[i], now_us);
}

static bool serve_is_over(const struct serve *serve, int64_t now_us)
{
    if (serve->leaving_since == 0)
        return false;
    for (size_t i = 0; i < serve->link_count; i++)
        if (!link_has_left(serve->links[i]))
            return now_us - serve->leaving_since > LEAVE_MS_MAX * US_PER_MS;
    return true;
}

/* tzdata was updated: clocks go by it from now on, each at its ticket's next wake. */
static void serve_renew_zones(struct serve *serve, int64_t now_us)
{
    struct faults faults = {NULL, 0, 0};
    char before[ZONE_VERSION_BYTES];

    if (now_us - serve->zones_at < ZONES_MS * US_PER_MS)
        return;
    serve->zones_at = now_us;
    size_t renewed = versions_renew(serve->versions, &faults);
    if (renewed != 0) {
        memcpy(before, serve->zones, sizeof before);
        zone_data_version(serve->settings->zoneinfo, serve->zones);
        log_event(LOG_INFO, "zones_changed", "from=%s to=%s versions=%zu", log_quote(before),
                  log_quote(serve->zones), renewed);
    }
    if (faults.count != 0)
        log_event(LOG_ERROR, "zones_refused", "errors=%zu first=%s", faults.count,
                  log_quote(faults.items[0].text));
    faults_clear(&faults);
}

/* Everything that waits on time. Sockets are drained before a broker is judged. */
static int on_tick(zloop_t *loop, int timer, void *arg)
{
    struct serve *serve = arg;
    int64_t now_us = clock_mono_us();
    bool late = now_us - serve->ticked_at > LATE_MS * US_PER_MS;
    (void)loop, (void)timer;

    for (size_t i = 0; i < serve->link_count; i++) {
        zsock_t *old = serve->sockets[i];
        bool more = link_receive(serve->links[i], clock_mono_us());
        serve_repoll(serve, i, old);
        old = serve->sockets[i];
        link_tick(serve->links[i], clock_mono_us(), late || more);
        serve_repoll(serve, i, old);
    }
    serve_renew_zones(serve, clock_mono_us());
    serve->ticked_at = clock_mono_us();
    return serve_is_over(serve, serve->ticked_at) ? -1 : 0;
}

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    int number = signals_read(item->fd);
    (void)loop;

    if (number == SIGTERM || number == SIGINT)
        serve_leave(arg, clock_mono_us());
    return 0;
}

/* ---- start and end ---- */

static struct worker_gauges serve_gauges(void *arg)
{
    const struct serve *serve = arg;
    struct worker_gauges gauges = {.brokers = (int64_t)serve->link_count};

    for (size_t i = 0; i < serve->link_count; i++)
        gauges.ready += link_is_ready(serve->links[i]);
    return gauges;
}

static bool serve_open(struct serve *serve, struct err *err)
{
    const struct worker_settings *settings = serve->settings;
    char host[40] = "";

    zone_data_version(settings->zoneinfo, serve->zones);
    (void)gethostname(host, sizeof host - 1);
    if (settings->name[0] != '\0')
        (void)snprintf(serve->name, sizeof serve->name, "%s", settings->name);
    else
        (void)snprintf(serve->name, sizeof serve->name, "%s:%ld", host, (long)getpid());
    serve->versions = versions_new(settings->zoneinfo);
    serve->decider = decider_new();
    serve->asks = asks_new(settings->zoneinfo);
    serve->calls = (struct link_calls){serve, on_process, on_work, on_ask};
    serve->link_count = settings->brokers.count;
    serve->links = mem_new(serve->link_count, sizeof *serve->links);
    serve->polled = mem_new(serve->link_count, sizeof *serve->polled);
    serve->sockets = mem_new(serve->link_count, sizeof *serve->sockets);
    serve->loop = zloop_new();
    for (size_t i = 0; i < serve->link_count; i++) {
        struct link_config config = {settings->brokers.items[i], serve->name, serve->zones,
                                     settings->credits};
        serve->links[i] = link_new(&config, &serve->calls, clock_mono_us());
        serve_poll(serve, i);
    }
    if (!worker_metrics_new(serve->loop, settings->http, serve_gauges, serve, &serve->metrics, err))
        return false;
    zmq_pollitem_t item = {NULL, serve->signal_fd, ZMQ_POLLIN, 0};
    (void)zloop_poller(serve->loop, &item, on_signal, serve);
    serve->ticked_at = clock_mono_us();
    (void)zloop_timer(serve->loop, TICK_MS, 0, on_tick, serve);
    return true;
}

static void serve_close(struct serve *serve)
{
    uint64_t decisions = 0;

    worker_metrics_free(serve->metrics);
    zloop_destroy(&serve->loop);
    for (size_t i = 0; i < serve->link_count; i++) {
        decisions += link_decisions(serve->links[i]);
        link_free(serve->links[i]);
    }
    log_event(LOG_INFO, "stopped", "decisions=%llu", (unsigned long long)decisions);
    free(serve->links);
    free(serve->polled);
    free(serve->sockets);
    decider_free(serve->decider);
    asks_free(serve->asks);
    versions_free(serve->versions);
    (void)close(serve->signal_fd);
}

int worker_serve(const struct worker_settings *settings)
{
    struct serve serve = {.settings = settings};
    struct err err;

    if (!signals_open(&serve.signal_fd, &err)) {
        log_event(LOG_ERROR, "start_failed", "reason=%s", log_quote(err.msg));
        return 1;
    }
    zsys_handler_set(NULL);
    if (zsys_init() == NULL) {
        log_event(LOG_ERROR, "start_failed", "reason=zeromq");
        return 1;
    }
    bool opened = serve_open(&serve, &err);
    if (!opened)
        log_event(LOG_ERROR, "start_failed", "reason=%s", log_quote(err.msg));
    else
        log_event(LOG_INFO, "started", "name=%s brokers=%zu credits=%lld zones=%s", log_quote(serve.name),
                  serve.link_count, (long long)settings->credits, serve.zones);
    if (opened)
        signals_run(serve.loop);
    serve_close(&serve);
    zsys_shutdown();
    return opened ? 0 : 1;
}
