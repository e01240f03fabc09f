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

/* Loads and checks. in: brokers  brokers_count endpoints of the command line, instead of the file's; 0: the file's
 * out: ret  written only on success; cleared with settings_clear
 * err: ERR_INVALID with every fault on a line of its own; ERR_IO */
bool worker_settings_load(const char *path, const char *const *brokers, size_t brokers_count,
                          struct worker_settings *ret, struct faults *ret_faults, struct err *err)
    __attribute__((warn_unused_result));

#endif
