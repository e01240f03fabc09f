/* docket: the command line. */
#include "cli.h"

#include "mem.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void on_signal(int number)
{
    (void)number;
    cli_interrupted = 1;
}

/* Without SA_RESTART, so that a read from the terminal ends too. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

/* What needs no broker; false when the command itself is to run. */
static bool answer_from_tables(const struct cli_args *args, enum cli_exit *ret)
{
    *ret = CLI_DONE;
    if (args->version)
        (void)puts("docket " DOCKET_VERSION);
    else if (args->man)
        cli_help_man(stdout);
    else if (args->markdown)
        cli_help_markdown(stdout);
    else if (args->sample)
        cli_print_sample_config(stdout);
    else if (args->command != NULL && args->help)
        cli_help_command(stdout, args->command);
    else if (args->command != NULL)
        return false;
    else if (args->group != NULL) {
        *ret = args->help ? CLI_DONE : CLI_USAGE;
        cli_help_group(args->help ? stdout : stderr, args->group);
    } else {
        *ret = args->help ? CLI_DONE : CLI_USAGE;
        cli_help_all(args->help ? stdout : stderr);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct cli cli = {.out = stdout};
    struct cli_args *args = mem_new(1, sizeof *args);
    struct err err = {0};
    enum cli_exit status;

    catch_signals();
    if (!cli_args_parse(argc, argv, args, &err)) {
        status = cli_usage_error(args, "%s", err.msg);
    } else if (!answer_from_tables(args, &status)) {
        if (!cli_configure(&cli, args, &err))
            status = cli_usage_error(args, "%s", err.msg);
        else if (args->command->op == NULL && args->command->run == cli_run_completion)
            status = cli_run(&cli, args);
        else
            status = cli_connect(&cli) ? cli_run(&cli, args) : CLI_USAGE;
        cli_clear(&cli);
    }
    if (fflush(stdout) != 0 && status == CLI_DONE)
        status = CLI_REFUSED;
    free(args);
    return (int)status;
}
