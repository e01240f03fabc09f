/* Settings of docket-broker; see settings_broker.h. */
#include "settings_broker.h"
#include "date.h"
#include "endpoint.h"
#include "http.h"
#include "pg.h"
#include "tracking.h"

#include <stddef.h>
#include <string.h>

#define PLACE(field) offsetof(struct broker_settings, field)
#define SECONDS INT64_C(1000000)

const struct setting broker_settings_table[] = {
    {"name", SETTING_TEXT, PLACE(name), "broker", 1, 64, false,
     "name of this broker, for logs, stats and the table of brokers"},
    {"dsn", SETTING_TEXT, PLACE(dsn), "dbname=docket", 1, 4096, false,
     "libpq connection string of PostgreSQL's primary (or a list of hosts with "
     "target_session_attrs=read-write)"},
    {"clients", SETTING_TEXT, PLACE(clients), "tcp://127.0.0.1:7401", 1, 255, false,
     "where clients connect: tcp://… on the loopback, or ipc:///run/docket/client.sock (mode 0660)"},
    {"workers", SETTING_TEXT, PLACE(workers), "tcp://127.0.0.1:7402", 1, 255, false, "where workers connect"},
    {"pokes", SETTING_TEXT, PLACE(pokes), "tcp://127.0.0.1:7403", 1, 255, false,
     "where notifiers hear that there is something to tell"},
    {"http", SETTING_TEXT, PLACE(http), "127.0.0.1:7411", 0, 255, false,
     "host:port of /metrics, /healthz and /readyz; empty: none"},
    {"tracking_prefix", SETTING_TEXT, PLACE(tracking_prefix), "DKT", 1, TRACKING_PREFIX_MAX, false,
     "letters before the tracking number, A-Z; the same for all programs of one database"},
    {"auto_migrate", SETTING_BOOL, PLACE(auto_migrate), "false", 0, 0, false,
     "bring the database's schema up to date at the start"},
    {"insecure", SETTING_BOOL, PLACE(insecure), "false", 0, 0, false,
     "allow endpoints beyond the loopback though nothing is encrypted or authenticated: only inside a "
     "private, encrypted network"},
    {"lease", SETTING_DURATION, PLACE(lease_us), "5s", 2 * SECONDS, 60 * SECONDS, false,
     "how long others wait after this broker's last sign of life before they take its tickets over"},
    {"decide_timeout", SETTING_DURATION, PLACE(decide_timeout_us), "10s", SECONDS / 10, 600 * SECONDS, false,
     "how long a worker may take for one ticket"},
    {"settle_timeout", SETTING_DURATION, PLACE(settle_us), "10s", SECONDS, 600 * SECONDS, false,
     "how long a request whose commit is unknown waits for the database before it is answered unavailable"},
    {"untriaged_alert", SETTING_DURATION, PLACE(untriaged_alert_us), "60s", SECONDS, DAY_US, false,
     "alert ops when a ticket waits longer than this for its decision"},
    {"drain_timeout", SETTING_DURATION, PLACE(drain_us), "5s", 0, 600 * SECONDS, false,
     "how long SIGTERM waits for what is under way"},
    {"posted_at_max", SETTING_DURATION, PLACE(posted_at_us), "0s", 0, 366 * DAY_US, false,
     "how far back a submit may put its time of posting (posted_at); 0s: not at all. For all clients of this "
     "broker: give integrations that are trusted a broker of their own"},
    {"requests_max", SETTING_INT, PLACE(requests_max), "20000", 1, 1000000, false,
     "requests under way at once; beyond it they are answered busy"},
    {"pending_max", SETTING_INT, PLACE(pending_max), "20000", 1, 1000000, false,
     "changes waiting to be written at once; beyond it they are answered busy"},
    {"queue_max", SETTING_INT, PLACE(queue_max), "1000000", 10, 10000000, false,
     "wakes kept in memory, about 300 bytes each; the others wait in the table"},
    {"content_max", SETTING_BYTES, PLACE(content_bytes), "64MiB", 0, INT64_C(64) << 30, false,
     "what waiting tickets say is kept in memory up to this size; the others' is read when their turn comes"},
    {"message_max", SETTING_BYTES, PLACE(message_bytes), "1MiB", 1024, 3 << 20, false, "size of a request"},
    {"process_max", SETTING_BYTES, PLACE(process_bytes), "3MiB", 1024, 3 << 20, false,
     "size of a request that carries a process"},
    {"title_max", SETTING_INT, PLACE(title_points), "200", 1, 10000, false, "code points of a title"},
    {"text_max", SETTING_BYTES, PLACE(text_bytes), "64KiB", 256, 1 << 20, false,
     "size of a problem, comment or reason"},
    {"map_max", SETTING_BYTES, PLACE(map_bytes), "16KiB", 256, 1 << 20, false,
     "size of a map: equipment, configuration, attributes, a customer's record"},
    {"log_level", SETTING_TEXT, PLACE(log_level), "info", 1, 8, true, "debug, info, warn or error"},
};
const size_t broker_settings_count = sizeof broker_settings_table / sizeof broker_settings_table[0];
const struct setting_example broker_settings_examples[] = {{"clients", "ipc:///run/docket/client.sock"},
                                                           {NULL, NULL}};

static void check_endpoints(const struct broker_settings *s, struct setting_faults *faults)
{
    const char *const endpoints[][2] = {{"clients", s->clients},
                                        {"workers", s->workers},
                                        {"pokes", s->pokes}};
    enum { COUNT = sizeof endpoints / sizeof endpoints[0] };

    for (size_t i = 0; i < COUNT; i++) {
        const char *name = endpoints[i][0], *text = endpoints[i][1];
        struct err err;
        bool is_local;

        size_t same = 0;
        while (strcmp(text, endpoints[same][1]) != 0)
            same++;
        if (!endpoint_check(text, &is_local, &err))
            settings_fault(faults, name, "%s", err.msg);
        else if (same < i)
            settings_fault_beside(faults, name, endpoints[same][0],
                                  "%s is that of %s already, want one of its own", text, endpoints[same][0]);
        else if (!s->insecure && !is_local)
            settings_fault_beside(
                faults, name, "insecure",
                "%s reaches beyond this machine, and nothing on it is encrypted or authenticated; "
                "want ipc:// or tcp:// on the loopback, or insecure: true inside a private "
                "encrypted network",
                text);
    }
}

static void check_settings(void *settings, struct setting_faults *faults)
{
    struct broker_settings *s = settings;
    struct err err;

    check_endpoints(s, faults);
    if (!pg_dsn_check(s->dsn, &err))
        settings_fault_err(faults, &err);
    if (!log_level_parse(s->log_level, &s->level, &err))
        settings_fault_err(faults, &err);
    if (s->http[0] != '\0' && !http_bind_check(s->http, &err))
        settings_fault(faults, "http", "%s", err.msg);
    if (!tracking_prefix_check(s->tracking_prefix, &err))
        settings_fault(faults, "tracking_prefix", "%s", err.msg);
}

bool broker_settings_load(const char *path, struct broker_settings *ret, struct faults *ret_faults,
                          struct err *err)
{
    struct broker_settings s = {0};

    if (!settings_load_checked(path, broker_settings_table, broker_settings_count, check_settings, &s,
                               ret_faults, err))
        return false;
    *ret = s;
    return true;
}

void broker_settings_clear(struct broker_settings *settings)
{
    settings_clear(broker_settings_table, broker_settings_count, settings);
}
