/* docket-worker: decides woken tickets for the brokers it serves, and answers for the process offline. */
#include "log.h"
#include "offline.h"
#include "serve.h"
#include "settings_worker.h"
#include "usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, BROKERS_MAX = 64 };

static const char default_config[] = "/etc/docket/docket-worker.yaml";

static const char usage_text[] =
    "usage: docket-worker [--config FILE] [--broker ENDPOINT]…    serve brokers\n"
    "       docket-worker check-config [--config FILE]            check the settings\n"
    "       docket-worker check DIR                               check a process, tell all errors\n"
    "       docket-worker test DIR [--only TEXT]                  run the cases of a process (tests/*.yaml)\n"
    "       docket-worker explain DIR TICKET.json [--json]        which rules match and why, clocks, due "
    "times\n"
    "       docket-worker whatif DIR NEWDIR TICKETS.jsonl [--json]  which open tickets would move, which be "
    "late\n"
    "       docket-worker simulate DIR HISTORY.jsonl [--json|--csv] [--verify] [--jobs N]  decide past "
    "tickets, and sum up\n"
    "       docket-worker due (--process DIR | --calendars FILE) --calendar NAME --start INSTANT --work "
    "DURATION\n"
    "       docket-worker due (--process DIR | --calendars FILE) --batch  JSON lines in, JSON lines out\n"
    "       docket-worker zone NAME…                              changes of the clock, 1970 to 2100\n"
    "       docket-worker --print-sample-config | --print-settings-markdown | --version | --help\n"
    "\n"
    "  --config FILE       settings (default /etc/docket/docket-worker.yaml; without it and without that "
    "file: "
    "defaults)\n"
    "  --broker ENDPOINT   a broker's workers' endpoint, instead of the settings'; may be repeated\n"
    "  --zoneinfo DIR      time zone data for the offline commands (default /usr/share/zoneinfo)\n"
    "\n" USAGE_STATUS;

struct options {
    const char *config;
    const char *brokers[BROKERS_MAX];
    size_t broker_count;
    bool check_only;
};

static int usage_fail(const char *what, const char *arg)
{
    fprintf(stderr, "docket-worker: %s %s\n%s", what, arg, usage_text);
    return EXIT_USAGE;
}

static bool options_parse(int argc, char **argv, struct options *ret, int *ret_status)
{
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "check-config") == 0 && i == 1) {
            ret->check_only = true;
        } else if (strcmp(argv[i], "--config") == 0 && has_value) {
            ret->config = argv[++i];
        } else if (strcmp(argv[i], "--broker") == 0 && has_value && ret->broker_count < BROKERS_MAX) {
            ret->brokers[ret->broker_count++] = argv[++i];
        } else {
            *ret_status = usage_fail("cannot understand", argv[i]);
            return false;
        }
    }
    return true;
}

static int run(const struct options *options)
{
    struct worker_settings settings = {0};
    struct faults faults = {0};
    struct err err = {0};
    const char *path = options->config;
    FILE *probe = path == NULL ? fopen(default_config, "re") : NULL;
    int status = EXIT_REFUSED;

    if (probe != NULL) {
        path = default_config;
        (void)fclose(probe);
    }
    if (!worker_settings_load(path, options->brokers, options->broker_count, &settings, &faults, &err)) {
        faults_report(stderr, "docket-worker", &faults, &err);
        faults_clear(&faults);
        return EXIT_REFUSED;
    }
    if (options->check_only) {
        puts("the settings are right");
        status = 0;
    } else {
        log_open("worker", settings.level);
        status = worker_serve(&settings);
    }
    settings_clear(worker_settings_table, worker_settings_count, &settings);
    return status;
}

static int print_sample(int argc, char **argv)
{
    (void)argc, (void)argv;
    settings_print_sample(stdout, "docket-worker", worker_settings_table, worker_settings_count, NULL);
    return 0;
}

static int print_settings(int argc, char **argv)
{
    (void)argc, (void)argv;
    settings_print_markdown(stdout, worker_settings_table, worker_settings_count);
    return 0;
}

static int print_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("docket-worker %s\n", DOCKET_VERSION);
    return 0;
}

static int print_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    fputs(usage_text, stdout);
    return 0;
}

/* Subcommands; all else serves. Each gets the arguments after its name. */
static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"check", offline_check},
    {"test", offline_test},
    {"explain", offline_explain},
    {"simulate", offline_simulate},
    {"whatif", offline_whatif},
    {"due", offline_due},
    {"zone", offline_zone},
    {"--print-sample-config", print_sample},
    {"--print-settings-markdown", print_settings},
    {"--version", print_version},
    {"--help", print_help},
};

int main(int argc, char **argv)
{
    struct options options = {0};
    int status = 0;

    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    if (!options_parse(argc, argv, &options, &status))
        return status;
    return run(&options);
}
