/* The notifier's settings; see settings_notifier.h. */
#include "settings_notifier.h"
#include "address.h"
#include "clock.h"
#include "endpoint.h"
#include "http.h"
#include "http_url.h"
#include "net_guard.h"
#include "link_url.h"
#include "pg.h"
#include "secret.h"
#include "token.h"
#include "templates.h"
#include "tracking.h"
#include "webhook_sign.h"
#include "zone.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#define AT(field) offsetof(struct settings_notifier, field)

const struct setting settings_notifier_table[] = {
    {"name", SETTING_TEXT, AT(name), "notifier-1", 1, 64, false,
     "name of this notifier, in attempts, logs and the feed; each has its own, and keeps it"},
    {"dsn", SETTING_TEXT, AT(dsn), "dbname=docket", 1, 2048, false,
     "the PostgreSQL database, as libpq writes it"},
    {"brokers", SETTING_LIST, AT(brokers), "tcp://127.0.0.1:7401", 1, 64, false,
     "client endpoints of the brokers"},
    {"pokes", SETTING_LIST, AT(pokes), "tcp://127.0.0.1:7403", 0, 64, false,
     "endpoints where brokers say that there is something to tell"},
    {"feed", SETTING_TEXT, AT(feed), "tcp://127.0.0.1:7404", 1, 256, false,
     "where the event feed is published"},
    {"http", SETTING_TEXT, AT(http), "127.0.0.1:7413", 1, 256, false,
     "HOST:PORT of /metrics, /healthz, /readyz"},
    {"smtp_url", SETTING_TEXT, AT(smtp_url), "smtp://127.0.0.1:25", 1, 512, false,
     "the mail relay, smtp://HOST:PORT or smtps://HOST:PORT"},
    {"smtp_tls", SETTING_TEXT, AT(smtp_tls), NULL, 0, 16, false,
     "none (loopback only), starttls or tls; empty: none on the loopback, starttls elsewhere"},
    {"smtp_user", SETTING_TEXT, AT(smtp_user), NULL, 0, 256, false,
     "user at the relay; empty: no authentication; else a relay that offers no login gets no mail"},
    {"smtp_password_file", SETTING_TEXT, AT(smtp_password_file), NULL, 0, 1024, false,
     "file with the password at the relay, mode 0600"},
    {"smtp_ca_file", SETTING_TEXT, AT(smtp_ca_file), NULL, 0, 1024, false,
     "file of the certificates that the relay's must come from (PEM); empty: those of the system"},
    {"smtp_timeout", SETTING_DURATION, AT(smtp_timeout_us), "20s", US_PER_S / 2, 120 * US_PER_S, false,
     "the most that one message may take"},
    {"smtp_rate", SETTING_INT, AT(smtp_rate), "100", 0, 100000, true,
     "messages a second that the relay gets, from all notifiers with this smtp_url together; pages of P1 do "
     "not wait for it; 0: no limit"},
    {"lease", SETTING_DURATION, AT(lease_us), "60s", 2 * US_PER_S, 600 * US_PER_S, false,
     "how long a claimed message is ours; more than twice smtp_timeout"},
    {"mail_from", SETTING_TEXT, AT(mail_from), "Support <support@localhost>", 3, 256, false,
     "sender of all mail"},
    {"mail_domain", SETTING_TEXT, AT(mail_domain), "localhost", 1, 253, false, "right side of Message-IDs"},
    {"reply_address", SETTING_TEXT, AT(reply_address), NULL, 0, 200, false,
     "where customers answer; a signed token goes behind a + before its @, see token_key_file; empty: "
     "mail_from"},
    {"bounce_address", SETTING_TEXT, AT(bounce_address), NULL, 0, 200, false,
     "envelope sender, with a signed token that names the delivery; empty: mail_from, and bounces are not "
     "read"},
    {"token_key_file", SETTING_TEXT, AT(token_key_file), NULL, 0, 1024, false,
     "file with one or two lines of 64 hex digits, mode 0600, the same for all programs: signs links, reply "
     "addresses "
     "and return paths; the first signs, both are accepted"},
    {"staff_address", SETTING_TEXT, AT(staff_address), NULL, 0, 254, false,
     "where staff are told; empty: nowhere"},
    {"desk_locale", SETTING_TEXT, AT(desk_locale), NULL, 0, LOCALE_BYTES - 1, false,
     "language of staff_address, and of who has none in staff.yaml; empty: the customer's"},
    {"desk_zone", SETTING_TEXT, AT(desk_zone), NULL, 0, 64, false,
     "their time zone, such as Europe/Berlin; empty: the customer's"},
    {"ops_address", SETTING_TEXT, AT(ops_address), NULL, 0, 254, false,
     "where ops are told; empty: staff_address"},
    {"tracking_prefix", SETTING_TEXT, AT(tracking_prefix), "DKT", 1, 8, false,
     "prefix of tracking numbers, letters A-Z"},
    {"zoneinfo", SETTING_TEXT, AT(zoneinfo), "/usr/share/zoneinfo", 1, 1024, false,
     "directory of the time zones"},
    {"webhook_secrets_file", SETTING_TEXT, AT(webhook_secrets_file), NULL, 0, 1024, false,
     "file with a line for each host that gets webhooks: HOST whsec_BASE64 [whsec_BASE64], mode 0600; empty: "
     "no "
     "webhooks"},
    {"http_allow", SETTING_LIST, AT(http_allow), NULL, 0, 64, false,
     "private addresses that webhooks may go to, as 10.1.0.0/16; public ones need no line"},
    {"http_ca_file", SETTING_TEXT, AT(http_ca_file), NULL, 0, 1024, false,
     "file of the certificates that theirs must come from (PEM); empty: those of the system"},
    {"xmpp_jid", SETTING_TEXT, AT(xmpp_jid), NULL, 0, 254, false,
     "our account, LOCAL@DOMAIN/RESOURCE, the resource another in each notifier; empty: no XMPP"},
    {"xmpp_password_file", SETTING_TEXT, AT(xmpp_password_file), NULL, 0, 1024, false,
     "file with its password, mode 0600"},
    {"xmpp_server", SETTING_TEXT, AT(xmpp_server), NULL, 0, 254, false,
     "HOST:PORT of the server; empty: as DNS says for the domain. Always with TLS"},
    {"xmpp_ca_file", SETTING_TEXT, AT(xmpp_ca_file), NULL, 0, 1024, false,
     "file of the certificates that its must come from (PEM); empty: those of the system"},
    {"xmpp_nick", SETTING_TEXT, AT(xmpp_nick), "docket", 1, 60, false,
     "our name in rooms, another in each notifier"},
    {"xmpp_rooms", SETTING_LIST, AT(xmpp_rooms), NULL, 0, 64, false,
     "rooms to be in, ROOM@SERVICE; messages to these addresses are said there"},
    {"gateway_url", SETTING_TEXT, AT(gateway_url), NULL, 0, 480, false,
     "where calls and text messages are asked for, https://HOST/PATH, with a line in webhook_secrets_file; "
     "empty: none"},
    {"gateway_callback", SETTING_TEXT, AT(gateway_callback), NULL, 0, 480, false,
     "base of the URL where the gateway says what became of a call, https://HOST or https://HOST/PATH, "
     "another "
     "name of what public_url names (http:// beyond the loopback only with insecure: true); empty: "
     "public_url"},
    {"heartbeat_url", SETTING_TEXT, AT(heartbeat_url), NULL, 0, 480, false,
     "called (GET) with each look of the notifier at itself that finds nothing wrong, for a dead-man's "
     "switch "
     "outside; "
     "empty: nowhere"},
    {"audit_every", SETTING_DURATION, AT(audit_every_us), "60s", US_PER_S, 3600 * US_PER_S, false,
     "how often the notifier looks at itself"},
    {"public_url", SETTING_TEXT, AT(public_url), NULL, 0, 512, false,
     "base of the signed links in messages, https://HOST or https://HOST/PATH; needs token_key_file; empty: "
     "no links"},
    {"public_http", SETTING_TEXT, AT(public_http), "127.0.0.1:7414", 1, 256, false,
     "HOST:PORT where those links are served, behind a proxy that speaks TLS; used with public_url"},
    {"insecure", SETTING_BOOL, AT(insecure), "false", 0, 0, false,
     "true: bind and connect ZeroMQ beyond the loopback (only inside an encrypted network)"},
    {"log_level", SETTING_TEXT, AT(log_level), "info", 1, 16, true, "debug, info, warn or error"},
    {"notifications", SETTING_TEXT, AT(notifications), "send", 1, 16, false,
     "send; or held: count what waits and send nothing"},
};
const size_t settings_notifier_count = sizeof settings_notifier_table / sizeof settings_notifier_table[0];
const struct setting_example settings_notifier_examples[] = {{"brokers", "[ipc:///run/docket/client.sock]"},
                                                             {"mail_from",
                                                              "\"Support <support@example.com>\""},
                                                             {"mail_domain", "example.com"},
                                                             {"staff_address", "desk@example.com"},
                                                             {"ops_address", "ops@example.com"},
                                                             {NULL, NULL}};

const char *settings_notifier_ops(const struct settings_notifier *settings)
{
    return settings->ops_address[0] != '\0' ? settings->ops_address : settings->staff_address;
}

int64_t settings_notifier_claim_us(const struct settings_notifier *settings)
{
    const int64_t most_us = 10 * US_PER_S;
    return settings->lease_us < most_us ? settings->lease_us : most_us;
}

/* A time zone that may be left out. */
static void check_zone(const char *name, const char *value, const char *zoneinfo,
                       struct setting_faults *faults)
{
    struct zone *zone = NULL;
    struct err err;

    if (value[0] != '\0' && !zone_open(zoneinfo, value, &zone, &err))
        settings_fault(faults, name, "%s", err.msg);
    zone_free(zone);
}

static void check_words(struct settings_notifier *s, struct setting_faults *faults)
{
    struct err err;

    if (!log_level_parse(s->log_level, &s->level, &err))
        settings_fault_err(faults, &err);
    if (s->smtp_tls[0] != '\0' && strcmp(s->smtp_tls, "none") != 0 && strcmp(s->smtp_tls, "starttls") != 0 &&
        strcmp(s->smtp_tls, "tls") != 0)
        settings_fault(faults, "smtp_tls", "\"%s\" is not allowed, want none, starttls, tls or nothing",
                       s->smtp_tls);
    if (strcmp(s->notifications, "send") != 0 && strcmp(s->notifications, "held") != 0)
        settings_fault(faults, "notifications", "\"%s\" is not allowed, want send or held", s->notifications);
    if (s->mail_domain[strcspn(s->mail_domain, " <>@\"\t\r\n")] != '\0')
        settings_fault(faults, "mail_domain", "\"%s\" is not a domain, want a name such as example.com",
                       s->mail_domain);
    if (!tracking_prefix_check(s->tracking_prefix, &err))
        settings_fault(faults, "tracking_prefix", "%s", err.msg);
    if (!pg_dsn_check(s->dsn, &err))
        settings_fault_err(faults, &err);
    check_zone("desk_zone", s->desk_zone, s->zoneinfo, faults);
}

/* An address that may be left out. */
static void check_address(const char *name, const char *value, struct setting_faults *faults)
{
    struct err err;

    if (value[0] != '\0' && !address_check(value, &err))
        settings_fault(faults, name, "%s", err.msg);
}

static void check_addresses(const struct settings_notifier *s, struct setting_faults *faults)
{
    char bare[ADDRESS_BYTES_MAX + 1];
    struct err err;

    if (!address_bare(s->mail_from, bare, &err))
        settings_fault(faults, "mail_from", "%s", err.msg);
    check_address("staff_address", s->staff_address, faults);
    check_address("ops_address", s->ops_address, faults);
    check_address("reply_address", s->reply_address, faults);
    check_address("bounce_address", s->bounce_address, faults);
    if (s->reply_address[0] != '\0' && s->token_key_file[0] == '\0')
        settings_fault_beside(faults, "reply_address", "token_key_file", "needs token_key_file");
    if (s->bounce_address[0] != '\0' && s->token_key_file[0] == '\0')
        settings_fault_beside(faults, "bounce_address", "token_key_file", "needs token_key_file");
}

static void check_zeromq(const char *name, const char *endpoint, bool insecure, struct setting_faults *faults)
{
    struct err err;
    bool is_local;

    if (!endpoint_check(endpoint, &is_local, &err))
        settings_fault(faults, name, "%s", err.msg);
    else if (!insecure && !is_local)
        settings_fault_beside(
            faults, name, "insecure",
            "%s is not on the loopback: want tcp://127.0.0.1:PORT or ipc://PATH, or insecure: true",
            endpoint);
}

static void check_endpoints(const struct settings_notifier *s, struct setting_faults *faults)
{
    struct err err;

    endpoint_check_list("brokers", &s->brokers, faults);
    for (size_t i = 0; i < s->pokes.count; i++)
        check_zeromq("pokes", s->pokes.items[i], s->insecure, faults);
    check_zeromq("feed", s->feed, s->insecure, faults);
    if (!http_bind_check(s->http, &err))
        settings_fault(faults, "http", "%s", err.msg);
    if (!http_bind_check(s->public_http, &err))
        settings_fault(faults, "public_http", "%s", err.msg);
    /* A host alone has XMPP's usual port. */
    if (strchr(s->xmpp_server, ':') != NULL && !http_bind_check(s->xmpp_server, &err))
        settings_fault(faults, "xmpp_server", "%s", err.msg);
}

static void check_smtp(const struct settings_notifier *s, struct setting_faults *faults)
{
    bool plain = strncmp(s->smtp_url, "smtp://", 7) == 0;
    bool wrapped = strncmp(s->smtp_url, "smtps://", 8) == 0;
    const char *host = strstr(s->smtp_url, "://");

    if ((!plain && !wrapped) || s->smtp_url[strcspn(s->smtp_url, " \t\r\n<>@?#")] != '\0' ||
        strchr(host + 3, '/') != NULL)
        settings_fault(faults, "smtp_url", "want smtp://HOST:PORT or smtps://HOST:PORT, got \"%s\"",
                       s->smtp_url);
    else if (strcmp(s->smtp_tls, "none") == 0 && !url_is_loopback(s->smtp_url) && plain)
        settings_fault_beside(faults, "smtp_tls", "smtp_url",
                              "none is allowed on the loopback only, %s is not", s->smtp_url);
    if (s->smtp_user[0] != '\0' && s->smtp_password_file[0] == '\0')
        settings_fault_beside(faults, "smtp_user", "smtp_password_file", "needs smtp_password_file");
    if (s->lease_us <= 2 * s->smtp_timeout_us)
        settings_fault_beside(faults, "lease", "smtp_timeout", "must be more than twice smtp_timeout");
}

static void check_xmpp(const struct settings_notifier *s, struct setting_faults *faults)
{
    char bare[256];
    struct err err;

    if (s->xmpp_jid[0] == '\0')
        return;
    (void)snprintf(bare, sizeof bare, "%.*s", (int)strcspn(s->xmpp_jid, "/"), s->xmpp_jid);
    if (!address_check(bare, &err))
        settings_fault(faults, "xmpp_jid", "%s", err.msg);
    if (s->xmpp_password_file[0] == '\0')
        settings_fault_beside(faults, "xmpp_jid", "xmpp_password_file", "needs xmpp_password_file");
    for (size_t i = 0; i < s->xmpp_rooms.count; i++)
        check_address("xmpp_rooms", s->xmpp_rooms.items[i], faults);
}

static void check_links(const struct settings_notifier *s, struct setting_faults *faults)
{
    struct err err;

    if (s->public_url[0] == '\0')
        return;
    if (!link_base_check(s->public_url, false, &err))
        settings_fault(faults, "public_url", "%s", err.msg);
    if (s->token_key_file[0] == '\0')
        settings_fault_beside(faults, "public_url", "token_key_file", "needs token_key_file");
    if (!s->insecure && http_bind_check(s->public_http, &err) && !http_bind_is_loopback(s->public_http))
        settings_fault_beside(faults, "public_http", "insecure",
                              "%s is not on the loopback: want a proxy that speaks TLS, or insecure: true",
                              s->public_http);
}

/* Where the gateway says what became of a call: served beside the links. */
static void check_callback(const struct settings_notifier *s, struct setting_faults *faults)
{
    struct err err;

    if (s->gateway_callback[0] == '\0')
        return;
    if (!link_base_check(s->gateway_callback, s->insecure, &err))
        settings_fault_beside(faults, "gateway_callback", "insecure", "%s", err.msg);
    if (s->public_url[0] == '\0')
        settings_fault_beside(faults, "gateway_callback", "public_url",
                              "needs public_url: without it nothing is served there");
}

static void check_http(const struct settings_notifier *s, struct setting_faults *faults)
{
    struct net_guard guard;
    struct err err;

    if (!net_guard_parse(&s->http_allow, &guard, &err))
        settings_fault(faults, "http_allow", "%s", err.msg);
    if (s->gateway_url[0] != '\0' && !http_url_check(s->gateway_url, &err))
        settings_fault(faults, "gateway_url", "%s", err.msg);
    if (s->gateway_url[0] != '\0' && s->webhook_secrets_file[0] == '\0')
        settings_fault_beside(faults, "gateway_url", "webhook_secrets_file", "needs webhook_secrets_file");
    if (s->heartbeat_url[0] != '\0' && !http_url_check(s->heartbeat_url, &err))
        settings_fault(faults, "heartbeat_url", "%s", err.msg);
}

/* The words of err name the setting; it gives the place. */
static void fault_named(const char *name, struct err *err, struct setting_faults *faults)
{
    (void)snprintf(err->field, sizeof err->field, "%s", name);
    settings_fault_err(faults, err);
}

/* What the start will read, read here already. */
static void check_secrets(const struct settings_notifier *s, struct setting_faults *faults)
{
    const char *const passwords[][2] = {{"smtp_password_file", s->smtp_password_file},
                                        {"xmpp_password_file", s->xmpp_password_file}};
    char secret[SECRET_BYTES_MAX + 1];
    struct webhook_secrets *webhooks = NULL;
    struct token_key key;
    struct err err;

    for (size_t i = 0; i < sizeof passwords / sizeof passwords[0]; i++)
        if (passwords[i][1][0] != '\0' &&
            !secret_read(passwords[i][0], passwords[i][1], secret, sizeof secret, &err))
            fault_named(passwords[i][0], &err, faults);
    if (s->token_key_file[0] != '\0' && !token_key_read(s->token_key_file, &key, &err))
        fault_named("token_key_file", &err, faults);
    if (s->webhook_secrets_file[0] != '\0' && !webhook_secrets_read(s->webhook_secrets_file, &webhooks, &err))
        fault_named("webhook_secrets_file", &err, faults);
    webhook_secrets_free(webhooks);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(&key, sizeof key);
}

static void check_readable(const struct settings_notifier *s, struct setting_faults *faults)
{
    const char *const files[][2] = {{"smtp_ca_file", s->smtp_ca_file},
                                    {"http_ca_file", s->http_ca_file},
                                    {"xmpp_ca_file", s->xmpp_ca_file},
                                    {"zoneinfo", s->zoneinfo}};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i][1][0] != '\0' && access(files[i][1], R_OK) != 0)
            settings_fault(faults, files[i][0], "cannot read %s: %s", files[i][1], strerror(errno));
}

static void check_settings(void *settings, struct setting_faults *faults)
{
    struct settings_notifier *s = settings;

    check_words(s, faults);
    check_addresses(s, faults);
    check_endpoints(s, faults);
    check_smtp(s, faults);
    check_xmpp(s, faults);
    check_links(s, faults);
    check_http(s, faults);
    check_callback(s, faults);
    check_secrets(s, faults);
    check_readable(s, faults);
}

bool settings_notifier_load(const char *path, struct settings_notifier *ret, struct faults *ret_faults,
                            struct err *err)
{
    return settings_load_checked(path, settings_notifier_table, settings_notifier_count, check_settings, ret,
                                 ret_faults, err);
}
