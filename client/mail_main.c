/* docket-mail: the mail server gives it one mail, it gives it to the desk. */
#include "log.h"
#include "mail.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

static const char usage[] =
    "usage: docket-mail [--config FILE] [--sender ADDRESS] [--recipient ADDRESS]   one mail from standard "
    "input\n"
    "       docket-mail check-config [--config FILE]                              check the settings\n"
    "       docket-mail --print-sample-config | --print-settings-markdown | --version | --help\n"
    "\n"
    "The default of --config is /etc/docket/docket-mail.yaml; of the addresses, SENDER and RECIPIENT in the "
    "environment.\n"
    "Exit status: 0 kept, 65 not a mail, 69 too large, 75 no broker answers (try again), 77 refused, 78 "
    "settings are wrong.\n";

struct options {
    const char *config;
    struct mail_envelope envelope;
    bool only_check;
};

static int fail(enum mail_exit status, const char *words)
{
    (void)fprintf(stderr, "docket-mail: %s\n", words);
    return (int)status;
}

/* err: ERR_TOO_LARGE, ERR_IO */
static bool read_message(size_t max, struct buf *ret, struct err *err)
{
    char bytes[65536];

    for (;;) {
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "cannot read the mail: %s", strerror(errno));
        if (n == 0)
            return true;
        if (ret->len + (size_t)n > max)
            return err_set(err, ERR_TOO_LARGE, "the mail is larger than %zu bytes", max);
        if (!buf_add(ret, bytes, (size_t)n))
            return err_set(err, ERR_IO, "out of memory");
    }
}

static int status_of(const struct err *err)
{
    return fail(err->code == ERR_TOO_LARGE   ? MAIL_TOO_LARGE
                : err->code == ERR_MALFORMED ? MAIL_NO_MESSAGE
                                             : MAIL_LATER,
                err->msg);
}

static int take(const struct mail_settings *settings, const struct token_key *key,
                const struct mail_envelope *envelope)
{
    struct buf message, facts;
    struct wire_doc *doc = NULL;
    struct mail_view view;
    struct err err;
    int status;

    buf_init(&message, (size_t)settings->message_bytes + 1);
    buf_init(&facts, MAIL_FACTS_BYTES_MAX);
    if (read_message((size_t)settings->message_bytes, &message, &err) &&
        mail_scan(buf_span(&message), &err) && mail_parse_apart(buf_span(&message), &facts, &err) &&
        wire_parse(facts.p, facts.len, WIRE_DEPTH_MAX, &doc, &err)) {
        mail_judge(settings, key, envelope, wire_root(doc), buf_span(&message), &view);
        status = (int)mail_deliver(settings, &view);
    } else {
        status = status_of(&err);
    }
    wire_doc_free(doc);
    buf_clear(&facts);
    buf_clear(&message);
    return status;
}

static int run(const struct options *options)
{
    struct mail_settings settings = {0};
    struct token_key key = {.count = 0};
    struct faults faults = {0};
    struct err err;
    int status;

    if (!mail_settings_load(options->config, &settings, &faults, &err)) {
        faults_report(stderr, "docket-mail", &faults, &err);
        faults_clear(&faults);
        return MAIL_CONFIGURATION;
    }
    log_open("mail", settings.level);
    if (settings.token_key_file[0] != '\0' && !token_key_read(settings.token_key_file, &key, &err))
        status = fail(MAIL_CONFIGURATION, err.msg);
    else if (options->only_check)
        status = puts("the settings are right") < 0;
    else
        status = take(&settings, &key, &options->envelope);
    settings_clear(mail_settings_table, mail_settings_count, &settings);
    return status;
}

/* What needs no settings; -1 when the mail is to be taken. */
static int answer_from_tables(const char *word)
{
    if (strcmp(word, "--print-sample-config") == 0)
        settings_print_sample(stdout, "docket-mail", mail_settings_table, mail_settings_count,
                              mail_settings_examples);
    else if (strcmp(word, "--print-settings-markdown") == 0)
        settings_print_markdown(stdout, mail_settings_table, mail_settings_count);
    else if (strcmp(word, "--version") == 0)
        (void)puts("docket-mail " DOCKET_VERSION);
    else if (strcmp(word, "--help") == 0)
        (void)fputs(usage, stdout);
    else
        return -1;
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options options = {.config = "/etc/docket/docket-mail.yaml",
                              .envelope = {.sender = getenv("SENDER"), .recipient = getenv("RECIPIENT")}};

    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "--config") == 0      ? &options.config
                             : strcmp(argv[i], "--sender") == 0    ? &options.envelope.sender
                             : strcmp(argv[i], "--recipient") == 0 ? &options.envelope.recipient
                                                                   : NULL;
        int status = value == NULL ? answer_from_tables(argv[i]) : -1;
        if (status >= 0)
            return status;
        if (value != NULL && i + 1 < argc) {
            *value = argv[++i];
        } else if (strcmp(argv[i], "check-config") == 0) {
            options.only_check = true;
        } else {
            (void)fprintf(stderr, "docket-mail: cannot understand %s\n%s", argv[i], usage);
            return MAIL_USAGE;
        }
    }
    log_open("mail", LOG_INFO);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sodium_init() < 0)
        return fail(MAIL_LATER, "no source of randomness");
    return run(&options);
}
