/* The notifier's settings; see settings_notifier.h. */
#include "settings_notifier.h"
#include "address.h"
#include "clock.h"
#include "http.h"
#include "http_post.h"
#include "link_url.h"

#include <string.h>

#define AT(field) offsetof(struct settings_notifier, field)

const struct setting settings_notifier_table[] = {
    {"name", SETTING_TEXT, AT(name), "notifier-1", 1, 64, false,
     "name of this notifier, in attempts, logs and the feed"},
    {"dsn", SETTING_TEXT, AT(dsn), "dbname=docket", 1, 2048, false,
     "the PostgreSQL database, as libpq writes it"},
    {"brokers", SETTING_LIST, AT(brokers), "tcp://127.0.0.1:7401", 0, 64, false,
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
     "user at the relay; empty: no authentication"},
    {"smtp_password_file", SETTING_TEXT, AT(smtp_password_file), NULL, 0, 1024, false,
     "file with the password at the relay, mode 0600"},
    {"smtp_ca_file", SETTING_TEXT, AT(smtp_ca_file), NULL, 0, 1024, false,
     "file of the certificates that the relay's must come from (PEM); empty: those of the system"},
    {"smtp_timeout", SETTING_DURATION, AT(smtp_timeout_us), "20s", US_PER_S / 2, 120 * US_PER_S, false,
     "the most that one message may take"},
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
     "base of the URL where the gateway says what became of a call; empty: public_url"},
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

struct choice_row {
    const char *key;
    const char *value;
    const char *allowed; /* words between blanks */
};

static bool settings_check_words(const struct settings_notifier *s, struct err *err)
{
    const struct choice_row rows[] = {
        {"smtp_tls", s->smtp_tls, " none starttls tls  "},
        {"notifications", s->notifications, " send held "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char word[32];
        (void)snprintf(word, sizeof word, " %s ", rows[i].value);
        if (strstr(rows[i].allowed, word) == NULL)
            return err_set(err, ERR_INVALID, "%s: \"%s\" is not allowed, want one of:%s", rows[i].key,
                           rows[i].value, rows[i].allowed);
    }
    return true;
}

static bool settings_check_addresses(const struct settings_notifier *s, struct err *err)
{
    char bare[ADDRESS_BYTES_MAX + 1];

    if (!address_bare(s->mail_from, bare, err))
        return err_prefix(err, "mail_from: ");
    if (s->staff_address[0] != '\0' && !address_check(s->staff_address, err))
        return err_prefix(err, "staff_address: ");
    if (s->ops_address[0] != '\0' && !address_check(s->ops_address, err))
        return err_prefix(err, "ops_address: ");
    if (s->reply_address[0] != '\0' && !address_check(s->reply_address, err))
        return err_prefix(err, "reply_address: ");
    if (s->bounce_address[0] != '\0' && !address_check(s->bounce_address, err))
        return err_prefix(err, "bounce_address: ");
    if ((s->reply_address[0] != '\0' || s->bounce_address[0] != '\0') && s->token_key_file[0] == '\0')
        return err_set(err, ERR_INVALID, "reply_address, bounce_address: need token_key_file");
    if (s->mail_domain[strcspn(s->mail_domain, " <>@\"\t\r\n")] != '\0')
        return err_set(err, ERR_INVALID, "mail_domain: \"%s\" is not a domain", s->mail_domain);
    if (strspn(s->tracking_prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(s->tracking_prefix))
        return err_set(err, ERR_INVALID, "tracking_prefix: want letters A-Z, got \"%s\"", s->tracking_prefix);
    return true;
}

static bool settings_check_endpoints(const struct settings_notifier *s, struct err *err)
{
    if (s->insecure)
        return true;
    if (!endpoint_is_local(s->feed))
        return err_set(
            err, ERR_INVALID,
            "feed: %s is not on the loopback: want tcp://127.0.0.1:PORT or ipc://, or insecure: true",
            s->feed);
    for (size_t i = 0; i < s->pokes.count; i++)
        if (!endpoint_is_local(s->pokes.items[i]))
            return err_set(err, ERR_INVALID, "pokes: %s is not on the loopback: want insecure: true for that",
                           s->pokes.items[i]);
    return true;
}

static bool settings_check_smtp(const struct settings_notifier *s, struct err *err)
{
    bool plain = strncmp(s->smtp_url, "smtp://", 7) == 0;
    bool wrapped = strncmp(s->smtp_url, "smtps://", 8) == 0;
    const char *host = strstr(s->smtp_url, "://");

    if ((!plain && !wrapped) || s->smtp_url[strcspn(s->smtp_url, " \t\r\n<>@?#")] != '\0' ||
        strchr(host + 3, '/') != NULL)
        return err_set(err, ERR_INVALID, "smtp_url: want smtp://HOST:PORT or smtps://HOST:PORT, got \"%s\"",
                       s->smtp_url);
    if (strcmp(s->smtp_tls, "none") == 0 && !smtp_url_is_loopback(s->smtp_url) && plain)
        return err_set(err, ERR_INVALID, "smtp_tls: none is allowed on the loopback only, %s is not",
                       s->smtp_url);
    if (s->smtp_user[0] != '\0' && s->smtp_password_file[0] == '\0')
        return err_set(err, ERR_INVALID, "smtp_user: needs smtp_password_file");
    if (s->lease_us <= 2 * s->smtp_timeout_us)
        return err_set(err, ERR_INVALID, "lease: must be more than twice smtp_timeout");
    return true;
}

static bool settings_check_xmpp(const struct settings_notifier *s, struct err *err)
{
    char bare[256];

    (void)snprintf(bare, sizeof bare, "%.*s", (int)strcspn(s->xmpp_jid, "/"), s->xmpp_jid);
    if (s->xmpp_jid[0] == '\0')
        return true;
    if (!address_check(bare, err))
        return err_prefix(err, "xmpp_jid: ");
    if (s->xmpp_password_file[0] == '\0')
        return err_set(err, ERR_INVALID, "xmpp_jid: needs xmpp_password_file");
    for (size_t i = 0; i < s->xmpp_rooms.count; i++)
        if (!address_check(s->xmpp_rooms.items[i], err))
            return err_prefix(err, "xmpp_rooms: ");
    return true;
}

static bool settings_check_links(const struct settings_notifier *s, struct err *err)
{
    if (s->public_url[0] == '\0')
        return true;
    if (!link_base_check(s->public_url, err))
        return err_prefix(err, "public_url: ");
    if (s->token_key_file[0] == '\0')
        return err_set(err, ERR_INVALID, "public_url: needs token_key_file");
    if (s->brokers.count == 0)
        return err_set(err, ERR_INVALID, "public_url: needs brokers");
    if (!s->insecure && !http_bind_is_loopback(s->public_http))
        return err_set(
            err, ERR_INVALID,
            "public_http: %s is not on the loopback: want a proxy that speaks TLS, or insecure: true",
            s->public_http);
    return true;
}

static bool settings_check_heartbeat(const struct settings_notifier *s, struct err *err)
{
    return s->heartbeat_url[0] == '\0' || http_url_check(s->heartbeat_url, err) ||
           err_prefix(err, "heartbeat_url: ");
}

bool settings_notifier_load(const char *path, struct settings_notifier *ret, struct err *err)
{
    if (!settings_load(path, settings_notifier_table, settings_notifier_count, ret, err))
        return false;
    if (log_level_parse(ret->log_level, &ret->level, err) && settings_check_words(ret, err) &&
        settings_check_addresses(ret, err) && settings_check_endpoints(ret, err) &&
        settings_check_smtp(ret, err) && settings_check_xmpp(ret, err) && settings_check_links(ret, err) &&
        settings_check_heartbeat(ret, err))
        return true;
    settings_clear(settings_notifier_table, settings_notifier_count, ret);
    return path == NULL ? false : err_prefix(err, "%s: ", path);
}
