/* docket-notifier: tells customers and staff what happens. */
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "notifier_life.h"
#include "offline.h"
#include "template_names.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "usage: docket-notifier [--config FILE]               run\n"
    "       docket-notifier check-config [--config FILE]  check the settings\n"
    "       docket-notifier check DIR                     check a process: files, people, schedules, gaps on "
    "call\n"
    "       docket-notifier simulate DIR …                who would be told of an alert, and when\n"
    "       docket-notifier render KIND --ticket FILE …   a message as it would go out\n"
    "       docket-notifier --print-sample-config | --print-settings-markdown | --print-template-names\n"
    "                       | --version | --help\n"
    "\n"
    "The default of --config is /etc/docket/docket-notifier.yaml.\n" USAGE_STATUS;

/* Clears the faults. */
static int fail(struct faults *faults, const struct err *err)
{
    faults_report(stderr, "docket-notifier", faults, err);
    faults_clear(faults);
    return EXIT_FAILURE;
}

static int run(const char *config)
{
    struct notifier *notifier = mem_new(1, sizeof *notifier);
    struct faults faults = {0};
    struct err err;
    int status = EXIT_SUCCESS;

    zsys_handler_set(NULL);
    if (notifier_open(notifier, config, &faults, &err))
        notifier_run(notifier);
    else
        status = fail(&faults, &err);
    notifier_close(notifier);
    free(notifier);
    return status;
}

static int check(const char *config)
{
    struct settings_notifier settings = {0};
    struct faults faults = {0};
    struct err err;

    if (!settings_notifier_load(config, &settings, &faults, &err))
        return fail(&faults, &err);
    settings_clear(settings_notifier_table, settings_notifier_count, &settings);
    puts("the settings are right");
    return EXIT_SUCCESS;
}

/* For docs/templates.md. */
static void print_template_names(void)
{
    puts("| name | what |\n|---|---|");
    for (size_t i = 0; i < template_names_count; i++)
        (void)printf("| `%s` | %s |\n", template_names[i].path, template_names[i].help);
}

struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
};

/* Those that need no settings. */
static const struct subcommand subcommands[] = {{"check", offline_check},
                                                {"simulate", offline_simulate},
                                                {"render", offline_render}};

int main(int argc, char **argv)
{
    const char *config = "/etc/docket/docket-notifier.yaml";
    bool only_check = false;

    for (size_t i = 0; argc > 1 && i < sizeof subcommands / sizeof subcommands[0]; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 2, argv + 2);

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            config = argv[++i];
        } else if (strcmp(argv[i], "check-config") == 0) {
            only_check = true;
        } else if (strcmp(argv[i], "--print-sample-config") == 0) {
            settings_print_sample(stdout, "docket-notifier", settings_notifier_table, settings_notifier_count,
                                  settings_notifier_examples);
            return EXIT_SUCCESS;
        } else if (strcmp(argv[i], "--print-settings-markdown") == 0) {
            settings_print_markdown(stdout, settings_notifier_table, settings_notifier_count);
            return EXIT_SUCCESS;
        } else if (strcmp(argv[i], "--print-template-names") == 0) {
            print_template_names();
            return EXIT_SUCCESS;
        } else if (strcmp(argv[i], "--version") == 0) {
            puts("docket-notifier " DOCKET_VERSION);
            return EXIT_SUCCESS;
        } else if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        } else {
            fprintf(stderr, "docket-notifier: cannot understand %s\n%s", argv[i], usage);
            return EXIT_USAGE;
        }
    }
    log_open("notifier", LOG_INFO);
    if (sodium_init() < 0) {
        fputs("docket-notifier: no source of randomness\n", stderr);
        return EXIT_FAILURE;
    }
    return only_check ? check(config) : run(config);
}
