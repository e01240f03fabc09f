/* docket-broker: receives tickets, hands them to workers, writes what they decide. */
#include "broker.h"
#include "broker_life.h"
#include "log.h"
#include "mem.h"
#include "migrate.h"
#include "settings_broker.h"
#include "verify.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { EXIT_USAGE = 2 };

struct print_row;

struct arguments {
    const char *command; /* NULL: run */
    const char *config;
    const char *process;
    const struct print_row *print; /* to be printed instead; NULL: nothing */
};

static const char usage[] =
    "usage: docket-broker [--config FILE]                        run\n"
    "       docket-broker migrate [--config FILE] [--process DIR] bring the schema up to date\n"
    "       docket-broker verify [--config FILE]                 check the invariants; exit 1 if one is "
    "broken\n"
    "       docket-broker check-config [--config FILE]           check the settings\n"
    "       docket-broker --print-sample-config | --print-settings-markdown | --version | --help\n"
    "\n"
    "The default of --config is /etc/docket/docket-broker.yaml. migrate gives an empty database its first "
    "version "
    "of the process:\n"
    "that of --process, else the one that is built in.\n" USAGE_STATUS;

static int fail(const char *what, const struct err *err)
{
    fprintf(stderr, "docket-broker: %s%s%s\n", what, what[0] == '\0' ? "" : ": ", err->msg);
    return EXIT_FAILURE;
}

/* All that is wrong in a file; clears the faults. */
static int fail_whole(struct faults *faults, const struct err *err)
{
    faults_report(stderr, "docket-broker", faults, err);
    faults_clear(faults);
    return EXIT_FAILURE;
}

static void print_sample(void)
{
    settings_print_sample(stdout, "docket-broker", broker_settings_table, broker_settings_count,
                          broker_settings_examples);
}

static void print_settings(void)
{
    settings_print_markdown(stdout, broker_settings_table, broker_settings_count);
}

static void print_version(void)
{
    puts("docket-broker " DOCKET_VERSION);
}

static void print_help(void)
{
    fputs(usage, stdout);
}

/* What needs no settings. */
static const struct print_row {
    const char *word;
    void (*print)(void);
} prints[] = {
    {"--print-sample-config", print_sample},
    {"--print-settings-markdown", print_settings},
    {"--version", print_version},
    {"--help", print_help},
};

static const char *command_find(const char *word)
{
    static const char *const commands[] = {"migrate", "verify", "check-config"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(word, commands[i]) == 0)
            return commands[i];
    return NULL;
}

static const struct print_row *print_find(const char *word)
{
    for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++)
        if (strcmp(word, prints[i].word) == 0)
            return &prints[i];
    return NULL;
}

/* False: the word at *ret_wrong is not understood. */
static bool parse_arguments(int argc, char **argv, struct arguments *ret, int *ret_wrong)
{
    *ret = (struct arguments){.config = "/etc/docket/docket-broker.yaml"};
    for (int i = 1; i < argc; i++) {
        const char *command = ret->command == NULL ? command_find(argv[i]) : NULL;
        const struct print_row *print = print_find(argv[i]);
        const char **value = strcmp(argv[i], "--config") == 0    ? &ret->config
                             : strcmp(argv[i], "--process") == 0 ? &ret->process
                                                                 : NULL;
        *ret_wrong = i;
        if (command != NULL)
            ret->command = command;
        else if (print != NULL)
            ret->print = print;
        else if (value != NULL && i + 1 < argc)
            *value = argv[++i];
        else
            return false;
    }
    return true;
}

/* An error holds the first lines of a long list: what is wrong in a process is looked for again, and told whole. */
static int fail_migrate(const char *process_dir, const struct err *err)
{
    struct process *process = NULL;
    struct faults faults = {0};
    bool is_list =
        err->code == ERR_INVALID && process_dir != NULL && !process_load_dir(process_dir, &process, &faults);

    process_free(process);
    if (!is_list)
        return fail("migrate", err);
    faults_report(stderr, "docket-broker: migrate", &faults, err);
    faults_clear(&faults);
    return EXIT_FAILURE;
}

static int run_migrate(const struct arguments *args, const struct broker_settings *settings)
{
    struct migrate_result result;
    struct err err;

    if (!migrate_run(settings->dsn, args->process, &result, &err))
        return fail_migrate(args->process, &err);
    printf("schema %d (%d applied now)%s\n", result.number, result.applied,
           result.made_process ? "; the process got its first version" : "");
    return EXIT_SUCCESS;
}

static int run_verify(const struct broker_settings *settings)
{
    struct err err;
    bool ok = false;

    zsys_handler_set(NULL);
    if (!verify_run(settings, stdout, &ok, &err))
        return fail("verify", &err);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_broker(const char *config)
{
    struct broker *broker = mem_new(1, sizeof *broker);
    struct faults faults = {0};
    struct err err;
    int status;

    zsys_handler_set(NULL);
    if (broker_open(broker, config, &faults, &err)) {
        status = broker_run(broker);
    } else {
        status = fail_whole(&faults, &err);
    }
    broker_close(broker);
    free(broker);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments args;
    struct broker_settings settings;
    struct faults faults = {0};
    struct err err;
    int wrong = 0;

    if (!parse_arguments(argc, argv, &args, &wrong)) {
        fprintf(stderr, "docket-broker: cannot understand %s\n%s", argv[wrong], usage);
        return EXIT_USAGE;
    }
    if (args.print != NULL) {
        args.print->print();
        return EXIT_SUCCESS;
    }
    if (sodium_init() < 0) {
        fputs("docket-broker: no source of randomness\n", stderr);
        return EXIT_FAILURE;
    }
    log_open("broker", LOG_INFO);
    if (args.command == NULL)
        return run_broker(args.config);
    if (!broker_settings_load(args.config, &settings, &faults, &err))
        return fail_whole(&faults, &err);
    int status = EXIT_SUCCESS;
    if (strcmp(args.command, "migrate") == 0)
        status = run_migrate(&args, &settings);
    else if (strcmp(args.command, "verify") == 0)
        status = run_verify(&settings);
    else
        puts("the settings are right");
    broker_settings_clear(&settings);
    return status;
}
