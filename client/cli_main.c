/* docket: the command line. */
#include "cli.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set by SIGPIPE: who read our output reads no more. */
static volatile sig_atomic_t pipe_is_closed;

static void on_pipe(int number)
{
    (void)number;
    pipe_is_closed = 1;
}

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
    action.sa_handler = on_pipe;
    (void)sigaction(SIGPIPE, &action, NULL);
}

/* A standard stream that the caller closed would be the next socket's number, and what is printed would go there. What takes its place
 * refuses to be written to (or read from), so that this is told like a full disk. */
static void hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(CLI_REFUSED);
}

/* A full disk or a closed pipe must not look like success. Who closed the pipe has what they wanted, and is told nothing. */
static enum cli_exit end_output(enum cli_exit status)
{
    errno = 0;
    bool broken = fflush(stdout) != 0;
    int why = errno;

    broken = ferror(stdout) != 0 || broken;
    if (broken && !pipe_is_closed)
        (void)fprintf(stderr, "docket: io: cannot write to standard output%s%s\n", why != 0 ? ": " : "",
                      why != 0 ? strerror(why) : "");
    return broken && status == CLI_DONE ? CLI_REFUSED : status;
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

    hold_streams();
    catch_signals();
    if (!cli_args_parse(argc, argv, args, &err)) {
        status = cli_usage_error(args, "%s", err.msg);
    } else if (!answer_from_tables(args, &status)) {
        if (!cli_args_check_required(args, &err) || !cli_configure(&cli, args, &err))
            status = cli_usage_error(args, "%s", err.msg);
        else if (args->command->op == NULL && args->command->run == cli_run_completion)
            status = cli_run(&cli, args);
        else
            status = cli_connect(&cli) ? cli_run(&cli, args) : CLI_USAGE;
        cli_clear(&cli);
    }
    free(args);
    return (int)end_output(status);
}
