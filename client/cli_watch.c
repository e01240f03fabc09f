/* watch and ping: following events, and asking whether anybody is there. */
#include "cli.h"
#include "lib_internal.h"

#include "clock.h"
#include "mem.h"

#include <stdlib.h>

enum { WATCH_WAIT_MS = 20000, WATCH_LIMIT = 500, WATCH_PAUSE_MS = 1000 };

/* The instant of the broker's clock in a ping's answer; this machine's when it has none. */
static int64_t ping_server_at(const struct wire_val *val)
{
    int64_t at = clock_wall_us();

    for (size_t i = 0; i < wire_count(val); i++) {
        struct span key = wire_key_at(val, i);
        if (span_is(key, "at") || span_is(key, "now_at") || span_is(key, "server_at") ||
            span_is(key, "time_at"))
            (void)wire_get_int(wire_val_at(val, i), &at);
    }
    return at;
}

enum cli_exit cli_run_ping(struct cli *cli, const struct cli_args *args)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    enum cli_exit status = CLI_DONE;
    int64_t start_us = clock_mono_us();

    (void)args;
    if (cli_ask(cli, "ping", body, &answer, &val, &status)) {
        double ms = (double)(clock_mono_us() - start_us) / US_PER_MS;
        if (cli->json) {
            cli_print_json(cli, val);
        } else {
            cli_print_any(cli, val);
            (void)fprintf(cli->out, "%s answered in %.1f ms\n", docket_client_broker(cli->client), ms);
        }
    }
    docket_answer_free(answer);
    docket_body_free(body);
    return status;
}

/* Where to begin when nothing was said: now, by the broker's clock, told as if --from-at had been given. */
static bool watch_from_now(struct cli *cli, struct cli_args *args, char *text, size_t size,
                           enum cli_exit *ret_exit)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    bool ok = cli_ask(cli, "ping", body, &answer, &val, ret_exit);

    if (ok && args->given_count < CLI_GIVEN_MAX) {
        (void)snprintf(text, size, "%lld", (long long)ping_server_at(val));
        args->given[args->given_count++] =
            (struct cli_given){cli_option_find(args->command, "from-at", 7), text};
    }
    docket_answer_free(answer);
    docket_body_free(body);
    return ok;
}

/* Prints the events; gives how many. */
static int64_t watch_print(struct cli *cli, const struct wire_val *events, int64_t most)
{
    int64_t printed = 0;

    for (size_t i = 0; i < wire_count(events) && printed < most; i++, printed++) {
        if (cli->json)
            cli_print_json(cli, wire_at(events, i));
        else
            cli_print_event(cli, wire_at(events, i));
    }
    (void)fflush(cli->out);
    return printed;
}

struct watch {
    struct buf cursor;
    int64_t left; /* events still to print */
    bool away;    /* it was said that no broker answers */
};

/* Whether to go on after a failure: while brokers come and go, a watch stays. */
static bool watch_goes_on(struct watch *watch, const struct docket_error *error, enum cli_exit *ret_exit)
{
    if (error->code == DOCKET_INTERRUPTED) {
        *ret_exit = CLI_INTERRUPTED;
        return false;
    }
    if (error->code != DOCKET_TIMEOUT && !error->retry) {
        *ret_exit = cli_report(error);
        return false;
    }
    if (!watch->away)
        (void)fprintf(stderr, "docket: %s: %s; still trying\n", error->name, error->message);
    watch->away = true;
    if (error->code != DOCKET_TIMEOUT)
        (void)zmq_poll(NULL, 0, WATCH_PAUSE_MS);
    return true;
}

/* One question and its answer. False: the end, *ret_exit says why. */
static bool watch_step(struct cli *cli, const struct cli_args *args, struct watch *watch,
                       enum cli_exit *ret_exit)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    struct docket_error error;
    struct err err = {0};
    bool ok = cli_body_build(cli, args, body, &err);

    if (!ok) {
        *ret_exit = cli_usage_error(args, "%s", err.msg);
        docket_body_free(body);
        return false;
    }
    docket_body_text(body, "cursor", buf_text(&watch->cursor));
    docket_body_int(body, "limit", WATCH_LIMIT);
    docket_body_int(body, "wait_ms", WATCH_WAIT_MS);
    ok = docket_call(cli->client, "events.since", body, &answer, &error);
    if (ok) {
        const struct wire_val *val = lib_answer_body(answer);
        struct span cursor = wire_find_str(val, "cursor");
        watch->away = false;
        watch->left -= watch_print(cli, wire_find(val, "events"), watch->left);
        if (cursor.len != 0) {
            buf_reset(&watch->cursor);
            (void)buf_add_span(&watch->cursor, cursor);
        }
    } else {
        ok = watch_goes_on(watch, &error, ret_exit);
    }
    docket_answer_free(answer);
    docket_body_free(body);
    return ok;
}

enum cli_exit cli_run_watch(struct cli *cli, const struct cli_args *args)
{
    struct cli_args *own = mem_dup(args, sizeof *args);
    struct watch watch = {.left = INT64_MAX};
    enum cli_exit status = CLI_DONE;
    char from[32];
    bool ok = true;

    buf_init(&watch.cursor, 65536);
    (void)buf_add_text(&watch.cursor, cli_args_value(args, "cursor", ""));
    (void)cli_int_parse(cli_args_value(args, "count", ""), &watch.left);
    if (args->positional_count == 0 && !cli_args_has(args, "cursor") && !cli_args_has(args, "from-at"))
        ok = watch_from_now(cli, own, from, sizeof from, &status);
    /* The answer may take as long as the broker waits for an event. */
    docket_client_set_timeout_ms(cli->client, WATCH_WAIT_MS + cli->timeout_ms);
    docket_client_set_try_ms(cli->client, WATCH_WAIT_MS + cli->timeout_ms);
    while (ok && watch.left > 0 && !ferror(cli->out))
        ok = watch_step(cli, own, &watch, &status);
    buf_clear(&watch.cursor);
    free(own);
    return status;
}
