/* Options of docket-bench. */
#include "bench.h"
#include "seconds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option {
    const char *name, *value, *help;
    double least, most; /* both 0: not a number */
    bool is_time;       /* seconds, or with a unit */
};

enum {
    OPT_BROKER,
    OPT_MODE,
    OPT_IN_FLIGHT,
    OPT_COUNT,
    OPT_SECONDS,
    OPT_RATE,
    OPT_CUSTOMERS,
    OPT_TIMEOUT,
    OPT_JSON,
    OPT_HELP,
    OPT_VERSION
};

static const struct option options[] = {
    [OPT_BROKER] = {"broker", "ENDPOINTS",
                    "brokers, commas between (default: $DOCKET_BROKERS, else " DOCKET_BROKER_DEFAULT ")", 0,
                    0},
    [OPT_MODE] = {"mode", "submit|life",
                  "submit: until answered; life: until the decision is committed (default: submit)", 0, 0},
    [OPT_IN_FLIGHT] = {"in-flight", "N", "requests that wait for their answers at the same time (default: 1)",
                       1, 100000},
    [OPT_COUNT] = {"count", "N", "tickets (default: 1000; with --seconds: no limit)", 1, 1e9},
    [OPT_SECONDS] = {"seconds", "S", "stop posting after so long: seconds, or with a unit as 2m", 0.001,
                     86400, true},
    [OPT_RATE] = {"rate", "R",
                  "tickets a second (default: as fast as it goes); life then measures each ticket", 0.001,
                  1e6},
    [OPT_CUSTOMERS] = {"customers", "N", "customers they are spread over (default: 10)", 1, 100000},
    [OPT_TIMEOUT] = {"timeout", "S",
                     "give up when nothing moves for so long: seconds, or with a unit (default: 30)", 1,
                     86400, true},
    [OPT_JSON] = {"json", NULL, "print one JSON value", 0, 0},
    [OPT_HELP] = {"help", NULL, "this help", 0, 0},
    [OPT_VERSION] = {"version", NULL, "the version", 0, 0},
};

enum { OPTIONS = sizeof options / sizeof *options };

void bench_options_print_help(void)
{
    (void)puts("Usage: docket-bench [OPTION]…\n\nPosts tickets and measures.\n\nOptions:");
    for (size_t i = 0; i < OPTIONS; i++)
        (void)printf("  --%s %-*s  %s\n", options[i].name, (int)(22 - strlen(options[i].name)),
                     options[i].value != NULL ? options[i].value : "", options[i].help);
    (void)puts("\nExample:\n  docket-bench --in-flight 256 --count 100000");
}

static bool option_number(const struct option *option, const char *text, double *ret, struct err *err)
{
    char *end = NULL;

    if (option->is_time) {
        if (seconds_parse(text, ret) && *ret >= option->least && *ret <= option->most)
            return true;
        return err_set(err, ERR_INVALID,
                       "--%s: '%s' is not a time such as 10 (seconds) or 2m, from %gs to %gs", option->name,
                       text, option->least, option->most);
    }
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !(value >= option->least && value <= option->most))
        return err_set(err, ERR_INVALID, "--%s: '%s' is not a number from %g to %g", option->name, text,
                       option->least, option->most);
    *ret = value;
    return true;
}

static bool option_set(struct bench_options *to, size_t which, const char *text, struct err *err)
{
    double number = 0;

    if (options[which].most > 0 && !option_number(&options[which], text, &number, err))
        return false;
    switch (which) {
    case OPT_BROKER:
        to->brokers = text;
        return true;
    case OPT_MODE:
        if (strcmp(text, "submit") != 0 && strcmp(text, "life") != 0)
            return err_set(err, ERR_INVALID, "--mode: '%s' is not submit or life", text);
        to->mode = strcmp(text, "life") == 0 ? BENCH_LIFE : BENCH_SUBMIT;
        return true;
    case OPT_SECONDS:
        to->seconds = number;
        return true;
    case OPT_RATE:
        to->rate = number;
        return true;
    case OPT_JSON:
        to->json = true;
        return true;
    case OPT_HELP:
        to->help = true;
        return true;
    case OPT_VERSION:
        to->version = true;
        return true;
    default:
        break;
    }
    int64_t *const places[OPTIONS] = {[OPT_IN_FLIGHT] = &to->in_flight,
                                      [OPT_COUNT] = &to->count,
                                      [OPT_CUSTOMERS] = &to->customers,
                                      [OPT_TIMEOUT] = &to->timeout_s};
    *places[which] = (int64_t)number;
    return true;
}

bool bench_options_parse(int argc, char *const *argv, struct bench_options *ret, struct err *err)
{
    struct bench_options got = {.in_flight = 1, .customers = 10, .timeout_s = 30};

    for (int i = 1; i < argc; i++) {
        size_t which = 0;
        const char *name = strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : "";
        size_t len = strcspn(name, "=");
        while (which < OPTIONS &&
               (strlen(options[which].name) != len || strncmp(options[which].name, name, len) != 0))
            which++;
        if (which == OPTIONS)
            return err_set(err, ERR_INVALID, "unknown option '%s'", argv[i]);
        const char *text = name[len] == '=' ? name + len + 1 : NULL;
        if (options[which].value != NULL && text == NULL && i + 1 >= argc)
            return err_set(err, ERR_INVALID, "--%s needs a value", options[which].name);
        if (options[which].value != NULL && text == NULL)
            text = argv[++i];
        if (!option_set(&got, which, text, err))
            return false;
    }
    if (got.count == 0)
        got.count = got.seconds > 0 ? INT64_MAX : 1000;
    *ret = got;
    return true;
}
