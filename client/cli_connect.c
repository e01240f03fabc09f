/* Where the brokers are, who acts, how to print: options, then the environment, then files, then defaults. */
#include "cli.h"

#include "seconds.h"
#include "settings.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

static void join(struct buf *out, const char *text)
{
    if (out->len != 0)
        (void)buf_add_text(out, ",");
    (void)buf_add_text(out, text);
}

/* The file of settings: --config, else the person's, else the machine's; "" when there is none. */
static void config_path(const struct cli_args *args, char *ret, size_t size)
{
    const char *given = cli_args_value(args, "config", NULL);
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    if (given != NULL) {
        (void)snprintf(ret, size, "%s", given);
        return;
    }
    if (xdg != NULL && *xdg != '\0')
        (void)snprintf(ret, size, "%s/docket/docket.yaml", xdg);
    else
        (void)snprintf(ret, size, "%s/.config/docket/docket.yaml", home != NULL ? home : "");
    if (access(ret, F_OK) != 0)
        (void)snprintf(ret, size, "/etc/docket/docket.yaml");
    if (access(ret, F_OK) != 0)
        ret[0] = '\0';
}

struct client_settings {
    struct setting_list brokers;
};

static const struct setting settings_table[] = {{.name = "brokers",
                                                 .kind = SETTING_LIST,
                                                 .place = offsetof(struct client_settings, brokers),
                                                 .fallback = DOCKET_BROKER_DEFAULT,
                                                 .help = "endpoints of the brokers, tried in this order"}};

void cli_print_sample_config(FILE *to)
{
    static const struct setting_example examples[] = {{"brokers", "[ipc:///run/docket/client.sock]"},
                                                      {NULL, NULL}};

    settings_print_sample(to, "docket", settings_table, 1, examples);
}

static bool configure_from_file(struct cli *cli, const char *path, struct err *err)
{
    struct client_settings settings = {0};

    if (!settings_load(path, settings_table, 1, &settings, err))
        return false;
    bool wanted = cli->brokers.len == 0;
    for (size_t i = 0; wanted && i < settings.brokers.count; i++)
        join(&cli->brokers, settings.brokers.items[i]);
    settings_clear(settings_table, 1, &settings);
    return true;
}

static bool configure_brokers(struct cli *cli, const struct cli_args *args, struct err *err)
{
    const char *environment = getenv("DOCKET_BROKERS");
    char path[TEXT_MAX];

    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].option->name, "broker") != 0)
            continue;
        if (args->given[i].value[0] == '\0')
            return err_set(err, ERR_INVALID, "--broker: is empty, want tcp://HOST:PORT or ipc://PATH");
        join(&cli->brokers, args->given[i].value);
    }
    if (cli->brokers.len == 0 && environment != NULL && *environment != '\0')
        join(&cli->brokers, environment);
    config_path(args, path, sizeof path);
    /* A file that was named is read in any case: one that is wrong is told, also when something else comes before it. */
    if (cli->brokers.len != 0 && !cli_args_has(args, "config"))
        return true;
    return configure_from_file(cli, path[0] != '\0' ? path : NULL, err);
}

/* The login name of who runs us. */
static const char *login_name(void)
{
    const struct passwd *entry = getpwuid(getuid());

    return entry != NULL ? entry->pw_name : "unknown";
}

static bool configure_as(struct cli *cli, const struct cli_args *args, struct err *err)
{
    const char *user = getenv("DOCKET_USER");
    const char *as = cli_args_value(args, "as", user != NULL && *user != '\0' ? user : login_name());
    const char *colon = strrchr(as, ':');
    size_t len = colon != NULL ? (size_t)(colon - as) : strlen(as);

    if (len == 0)
        return err_set(err, ERR_INVALID, "--as: '%s' has no name; want NAME or NAME:ROLE", as);
    (void)buf_add(&cli->as_name, as, len);
    (void)buf_add_text(&cli->as_role, colon != NULL ? colon + 1 : "staff");
    return true;
}

static bool configure_timeout(struct cli *cli, const struct cli_args *args, struct err *err)
{
    const char *text = cli_args_value(args, "timeout", "10");
    double seconds = 0;

    if (!seconds_parse(text, &seconds) || !(seconds >= 0.001 && seconds <= 86400))
        return err_set(err, ERR_INVALID,
                       "--timeout: '%s' is not a time such as 10 (seconds), 500ms or 2m, from 1ms to 1d",
                       text);
    cli->timeout_ms = (int)(seconds * 1000);
    return true;
}

/* How wide the terminal is that standard output is; 0: it is none, or does not say. */
static size_t terminal_columns(FILE *out)
{
    struct winsize size;

    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool cli_configure(struct cli *cli, const struct cli_args *args, struct err *err)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    buf_init(&cli->brokers, TEXT_MAX);
    buf_init(&cli->as_name, TEXT_MAX);
    buf_init(&cli->as_role, TEXT_MAX);
    cli->args = args;
    cli->json = cli_args_has(args, "json");
    cli->utc = cli_args_has(args, "utc");
    cli->colour = isatty(fileno(cli->out)) && (no_colour == NULL || *no_colour == '\0') && term != NULL &&
                  strcmp(term, "dumb") != 0;
    cli->columns = terminal_columns(cli->out);
    return configure_brokers(cli, args, err) && configure_as(cli, args, err) &&
           configure_timeout(cli, args, err);
}

void cli_clear(struct cli *cli)
{
    docket_client_free(cli->client);
    buf_clear(&cli->brokers);
    buf_clear(&cli->as_name);
    buf_clear(&cli->as_role);
}

bool cli_connect(struct cli *cli)
{
    struct docket_error error;

    if (!docket_client_new(buf_text(&cli->brokers), &cli->client, &error)) {
        (void)cli_report(&error);
        return false;
    }
    docket_client_set_timeout_ms(cli->client, cli->timeout_ms);
    docket_client_set_interrupt(cli->client, &cli_interrupted);
    return true;
}
