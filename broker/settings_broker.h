/* Settings of docket-broker: one table (common/settings.h), printed into deploy/etc and docs/operations.md. */
#ifndef DOCKET_SETTINGS_BROKER_H
#define DOCKET_SETTINGS_BROKER_H

#include "err.h"
#include "log.h"
#include "settings.h"

#include <stdbool.h>
#include <stdint.h>

struct broker_settings {
    char *name;
    char *dsn;
    char *clients, *workers, *pokes, *http;
    char *tracking_prefix;
    char *log_level;
    enum log_level level; /* what log_level says */
    bool auto_migrate, insecure;
    int64_t lease_us, decide_timeout_us, settle_us, untriaged_alert_us, drain_us, posted_at_us;
    int64_t requests_max, queue_max, pending_max, content_bytes;
    int64_t message_bytes, process_bytes, title_points, text_bytes, map_bytes;
};

extern const struct setting broker_settings_table[];
extern const size_t broker_settings_count;
extern const struct setting_example broker_settings_examples[];

/* Loads and cross-checks. err: ERR_INVALID with every fault on a line of its own. */
bool broker_settings_load(const char *path, struct broker_settings *ret, struct faults *ret_faults,
                          struct err *err) __attribute__((warn_unused_result));
void broker_settings_clear(struct broker_settings *settings);

#endif
