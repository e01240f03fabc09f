/* The settings of docket-worker; see settings_worker.h. */
#include "settings_worker.h"

#include "endpoint.h"
#include "http.h"

#define ROW(field) offsetof(struct worker_settings, field)

const struct setting worker_settings_table[] = {
    {"brokers", SETTING_LIST, ROW(brokers), "tcp://127.0.0.1:7402", 0, 0, false,
     "workers' endpoints of the brokers to serve (tcp://HOST:PORT or ipc://PATH)"},
    {"name", SETTING_TEXT, ROW(name), "", 0, 64, false, "name shown to people; empty: host and process id"},
    {"credits", SETTING_INT, ROW(credits), "256", 1, 10000, false,
     "works held at the same time, from each broker"},
    {"http", SETTING_TEXT, ROW(http), "", 0, 255, false,
     "host:port of /metrics, /healthz and /readyz, such as 127.0.0.1:7412; empty: none"},
    {"zoneinfo", SETTING_TEXT, ROW(zoneinfo), "/usr/share/zoneinfo", 1, 1024, false,
     "directory of the time zone data (TZif files)"},
    {"log_level", SETTING_TEXT, ROW(log_level), "info", 1, 8, false, "debug, info, warn or error"},
};
const size_t worker_settings_count = sizeof worker_settings_table / sizeof worker_settings_table[0];

static void check_settings(void *settings, struct setting_faults *faults)
{
    struct worker_settings *s = settings;
    struct err err;

    if (!log_level_parse(s->log_level, &s->level, &err))
        settings_fault_err(faults, &err);
    endpoint_check_list("brokers", &s->brokers, faults);
    if (s->http[0] != '\0' && !http_bind_check(s->http, &err))
        settings_fault(faults, "http", "%s", err.msg);
}

static bool take_brokers(struct worker_settings *s, const char *const *brokers, size_t count, struct err *err)
{
    if (count > 0)
        setting_list_set(&s->brokers, brokers, count);
    for (size_t i = 0; i < count; i++)
        if (!endpoint_check(brokers[i], NULL, err))
            return err_prefix(err, "--broker: ");
    return s->brokers.count > 0 ||
           err_field(err, ERR_INVALID, "brokers", "brokers: is empty, want at least one endpoint");
}

bool worker_settings_load(const char *path, const char *const *brokers, size_t brokers_count,
                          struct worker_settings *ret, struct faults *ret_faults, struct err *err)
{
    struct worker_settings s = {0};

    if (!settings_load_checked(path, worker_settings_table, worker_settings_count, check_settings, &s,
                               ret_faults, err))
        return false;
    if (!take_brokers(&s, brokers, brokers_count, err)) {
        settings_clear(worker_settings_table, worker_settings_count, &s);
        return false;
    }
    *ret = s;
    return true;
}
