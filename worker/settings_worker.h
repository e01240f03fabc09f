/* The settings of docket-worker: one table. */
#ifndef DOCKET_SETTINGS_WORKER_H
#define DOCKET_SETTINGS_WORKER_H

#include "log.h"
#include "settings.h"

struct worker_settings {
    struct setting_list brokers;
    char *name;
    int64_t credits;
    char *zoneinfo;
    char *http;
    char *log_level;
    enum log_level level; /* what log_level says */
};

extern const struct setting worker_settings_table[];
extern const size_t worker_settings_count;

/* What the table cannot say; sets level. err: ERR_INVALID. */
bool worker_settings_check(struct worker_settings *settings, struct err *err)
    __attribute__((warn_unused_result));

#endif
