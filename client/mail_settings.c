/* The settings of docket-mail. */
#include "mail.h"

#include "address.h"
#include "clock.h"
#include "endpoint.h"
#include "tracking.h"

#define AT(field) offsetof(struct mail_settings, field)

const struct setting mail_settings_table[] = {
    {"brokers", SETTING_LIST, AT(brokers), "tcp://127.0.0.1:7401", 1, 64, false,
     "client endpoints of the brokers"},
    {"timeout", SETTING_DURATION, AT(timeout_us), "20s", US_PER_S, 300 * US_PER_S, false,
     "how long to wait for a broker before the mail server is told to try again later"},
    {"token_key_file", SETTING_TEXT, AT(token_key_file), NULL, 0, 1024, false,
     "the same file as the notifiers'; empty: no reply address is trusted"},
    {"reply_address", SETTING_TEXT, AT(reply_address), NULL, 0, 200, false,
     "the same as the notifiers': behind its + stands the token"},
    {"bounce_address", SETTING_TEXT, AT(bounce_address), NULL, 0, 200, false,
     "the same as the notifiers': behind its + stands the token"},
    {"mail_domain", SETTING_TEXT, AT(mail_domain), "localhost", 1, 253, false,
     "right side of the notifiers' Message-IDs"},
    {"tracking_prefix", SETTING_TEXT, AT(tracking_prefix), "DKT", 1, 8, false,
     "prefix of tracking numbers, letters A-Z"},
    {"authserv_id", SETTING_TEXT, AT(authserv_id), NULL, 0, 253, false,
     "name of the own mail server in Authentication-Results; it must remove such headers of others; empty: "
     "none is "
     "believed"},
    {"strangers", SETTING_TEXT, AT(strangers), NULL, 0, 64, false,
     "customer for whom mail of unknown senders is posted; empty: it is refused (77)"},
    {"approve_words", SETTING_LIST, AT(approve_words), "approved,genehmigt", 1, 20, false,
     "a first line that is one of these approves a resolution, as the mails tell"},
    {"ack_words", SETTING_LIST, AT(ack_words), "ack", 1, 20, false,
     "a first line that is one of these, or one with take behind it, acknowledges an alert"},
    {"message_bytes", SETTING_BYTES, AT(message_bytes), "25MiB", 1 << 10, INT64_C(64) << 20, false,
     "larger mail is refused (69)"},
    {"log_level", SETTING_TEXT, AT(log_level), "info", 1, 16, false, "debug, info, warn or error"},
};
const size_t mail_settings_count = sizeof mail_settings_table / sizeof mail_settings_table[0];
const struct setting_example mail_settings_examples[] = {{"brokers", "[ipc:///run/docket/client.sock]"},
                                                         {"mail_domain", "example.com"},
                                                         {NULL, NULL}};

static void check_address(const char *name, const char *value, const struct mail_settings *s,
                          struct setting_faults *faults)
{
    struct err err;

    if (value[0] == '\0')
        return;
    if (!address_check(value, &err))
        settings_fault(faults, name, "%s", err.msg);
    if (s->token_key_file[0] == '\0')
        settings_fault_beside(faults, name, "token_key_file", "needs token_key_file");
}

static void check_settings(void *settings, struct setting_faults *faults)
{
    struct mail_settings *s = settings;
    struct err err;

    if (!log_level_parse(s->log_level, &s->level, &err))
        settings_fault_err(faults, &err);
    endpoint_check_list("brokers", &s->brokers, faults);
    if (!tracking_prefix_check(s->tracking_prefix, &err))
        settings_fault(faults, "tracking_prefix", "%s", err.msg);
    check_address("reply_address", s->reply_address, s, faults);
    check_address("bounce_address", s->bounce_address, s, faults);
}

bool mail_settings_load(const char *path, struct mail_settings *ret, struct faults *ret_faults,
                        struct err *err)
{
    return settings_load_checked(path, mail_settings_table, mail_settings_count, check_settings, ret,
                                 ret_faults, err);
}
