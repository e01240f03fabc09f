/* The notifier's settings: one row each in settings_notifier.c. */
#ifndef DOCKET_SETTINGS_NOTIFIER_H
#define DOCKET_SETTINGS_NOTIFIER_H

#include "log.h"
#include "settings.h"

struct settings_notifier {
    char *name;
    char *dsn;
    struct setting_list brokers;
    struct setting_list pokes;
    char *feed;
    char *http;
    char *smtp_url;
    char *smtp_tls;
    char *smtp_user;
    char *smtp_password_file;
    char *smtp_ca_file;
    int64_t smtp_timeout_us;
    int64_t smtp_rate; /* a second; 0: no limit */
    int64_t lease_us;
    char *mail_from;
    char *mail_domain;
    char *reply_address;
    char *bounce_address;
    char *token_key_file;
    char *staff_address;
    char *desk_locale, *desk_zone; /* "": not told */
    char *ops_address;
    char *tracking_prefix;
    char *zoneinfo;
    char *webhook_secrets_file;
    struct setting_list http_allow;
    char *http_ca_file;
    char *xmpp_jid;
    char *xmpp_password_file;
    char *xmpp_server;
    char *xmpp_ca_file;
    char *xmpp_nick;
    struct setting_list xmpp_rooms;
    char *gateway_url;
    char *gateway_callback;
    char *heartbeat_url;
    int64_t audit_every_us;
    char *public_url;
    char *public_http;
    bool insecure;
    char *log_level;
    enum log_level level; /* what log_level says */
    char *notifications;
};

extern const struct setting settings_notifier_table[];
extern const size_t settings_notifier_count;
extern const struct setting_example settings_notifier_examples[];

/* Reads and cross-checks. out: ret  zeroed by the caller; cleared with settings_clear.
 * err: as settings_load; ERR_INVALID also for what does not fit together */
bool settings_notifier_load(const char *path, struct settings_notifier *ret, struct faults *ret_faults,
                            struct err *err) __attribute__((warn_unused_result));

/* Where ops are mailed: ops_address, else staff_address; "" for nowhere. */
const char *settings_notifier_ops(const struct settings_notifier *settings);

/* How long a claim lasts before anything of it is sent, in µs: a token guards what follows, so it may be taken over at any time, and the
 * claim of a notifier that was killed is not waited for as long as a message that may be on its way. */
int64_t settings_notifier_claim_us(const struct settings_notifier *settings);

#endif
