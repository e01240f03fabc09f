/* The settings of docket-worker; see settings_worker.h. */
#include "settings_worker.h"

#include <string.h>

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

bool worker_settings_check(struct worker_settings *settings, struct err *err)
{
    if (!log_level_parse(settings->log_level, &settings->level, err))
        return false;
    if (settings->brokers.count == 0)
        return err_field(err, ERR_INVALID, "brokers", "brokers: is empty, want at least one endpoint");
    for (size_t i = 0; i < settings->brokers.count; i++)
        if (strncmp(settings->brokers.items[i], "tcp://", 6) != 0 &&
            strncmp(settings->brokers.items[i], "ipc://", 6) != 0)
            return err_field(err, ERR_INVALID, "brokers",
                             "brokers: %s is not an endpoint, want tcp://HOST:PORT or ipc://PATH",
                             settings->brokers.items[i]);
    return true;
}
