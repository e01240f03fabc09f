/* Alerts and the on-call plan for people: lists, one alert with its steps, turns, iCalendar; acknowledging and taking in one command,
 * handing over tickets with an absence. */
#include "cli.h"

#include <string.h>
#include <time.h>

enum { PRINT_BYTES = 16 << 20, ICS_LINE_BYTES = 75, NAME_BYTES = 130, PAGE = 500 };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* ---- alerts ---- */

void cli_print_alerts(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"alert", "ALERT", CLI_CELL_ANY, 0},       {"priority", "PRIO", CLI_CELL_PRIORITY, 0},
        {"state", "STATE", CLI_CELL_ANY, 0},       {"tracking", "TRACKING", CLI_CELL_ANY, 0},
        {"opened_at", "OPENED", CLI_CELL_TIME, 0}, {"acked_by", "ACKNOWLEDGED", CLI_CELL_ANY, 16},
        {"next_at", "NEXT", CLI_CELL_TIME, 0},     {"text", "TEXT", CLI_CELL_ANY, 70},
    };
    cli_print_list(cli, body, "alerts", columns, COUNT(columns));
}

/* One line a delivery: what, to whom, how it went. */
static void put_told(struct buf *out, const struct wire_val *message, struct cli_style style)
{
    static const char *const keys[] = {"recipient", "channel", "address", "state", "reason"};
    const struct wire_val *deliveries = wire_find(message, "deliveries");

    for (size_t i = 0; i < wire_count(deliveries); i++) {
        const struct wire_val *delivery = wire_at(deliveries, i);
        (void)buf_add_text(out, "  ");
        cli_cell_put(out, wire_find(message, "created_at"), CLI_CELL_TIME, style);
        (void)buf_add_text(out, "  ");
        cli_cell_put(out, wire_find(message, "kind"), CLI_CELL_ANY, style);
        for (size_t k = 0; k < COUNT(keys); k++) {
            if (wire_type(wire_find(delivery, keys[k])) == WIRE_NIL)
                continue;
            (void)buf_add_text(out, "  ");
            cli_cell_put(out, wire_find(delivery, keys[k]), CLI_CELL_ANY, style);
        }
        (void)buf_add_text(out, "\n");
    }
}

static void put_fact(struct buf *out, const struct wire_val *alert, const char *key, enum cli_cell kind,
                     struct cli_style style)
{
    if (wire_type(wire_find(alert, key)) == WIRE_NIL)
        return;
    buf_printf(out, "  %-12s ", key);
    cli_cell_put(out, wire_find(alert, key), kind, style);
    (void)buf_add_text(out, "\n");
}

void cli_print_alert(struct cli *cli, const struct wire_val *body)
{
    static const struct {
        const char *key;
        enum cli_cell kind;
    } facts[] = {{"state", CLI_CELL_ANY},       {"priority", CLI_CELL_PRIORITY},
                 {"tracking", CLI_CELL_ANY},    {"cause", CLI_CELL_ANY},
                 {"policy", CLI_CELL_ANY},      {"generation", CLI_CELL_ANY},
                 {"opened_at", CLI_CELL_TIME},  {"acked_at", CLI_CELL_TIME},
                 {"acked_by", CLI_CELL_ANY},    {"resolved_at", CLI_CELL_TIME},
                 {"resolved_by", CLI_CELL_ANY}, {"next_at", CLI_CELL_TIME},
                 {"quiet", CLI_CELL_ANY}};
    static const struct cli_column steps[] = {
        {"at", "AT", CLI_CELL_TIME, 0},         {"what", "STEP", CLI_CELL_ANY, 0},
        {"generation", "GEN", CLI_CELL_ANY, 0}, {"round", "ROUND", CLI_CELL_ANY, 0},
        {"level", "LEVEL", CLI_CELL_ANY, 0},    {"told", "TOLD", CLI_CELL_ANY, 0},
        {"note", "WHO", CLI_CELL_ANY, 70},
    };
    const struct wire_val *alert = wire_find(body, "alert"), *messages = wire_find(body, "messages");
    struct cli_style style = cli_style_of(cli);
    struct buf out;

    buf_init(&out, PRINT_BYTES);
    cli_text_put(&out, wire_find_str(alert, "text"), false);
    (void)buf_add_text(&out, "\n");
    for (size_t i = 0; i < COUNT(facts); i++)
        put_fact(&out, alert, facts[i].key, facts[i].kind, style);
    if (wire_count(wire_find(body, "steps")) != 0)
        (void)buf_add_text(&out, "\n"),
            cli_table_put(&out, wire_find(body, "steps"), steps, COUNT(steps), style);
    if (wire_count(messages) != 0)
        (void)buf_add_text(&out, "\nTold\n");
    for (size_t i = 0; i < wire_count(messages); i++)
        put_told(&out, wire_at(messages, i), style);
    (void)fwrite(buf_text(&out), 1, out.len, cli->out);
    buf_clear(&out);
}

void cli_print_alert_state(struct cli *cli, const struct wire_val *body)
{
    struct span state = wire_find_str(body, "state"), tracking = wire_find_str(body, "tracking");
    (void)fprintf(cli->out, "alert %lld is %.*s%s%.*s\n", (long long)wire_find_int(body, "alert", 0),
                  (int)state.len, state.len == 0 ? "" : state.p, tracking.len == 0 ? "" : ", ticket ",
                  (int)tracking.len, tracking.len == 0 ? "" : tracking.p);
}

/* Sends the command's own body to its op. The caller frees *ret_answer. */
static bool ask_command(struct cli *cli, const struct cli_args *args, struct docket_answer **ret_answer,
                        const struct wire_val **ret_body, enum cli_exit *ret_exit)
{
    struct docket_body *body = docket_body_new();
    struct err err = {0};
    bool ok = cli_body_build(cli, args, body, &err);

    if (!ok)
        *ret_exit = err.code == ERR_INVALID ? cli_usage_error(args, "%s", err.msg)
                                            : cli_report_err(&err, CLI_REFUSED);
    else
        ok = cli_ask(cli, args->command->op, body, ret_answer, ret_body, ret_exit);
    docket_body_free(body);
    return ok;
}

/* The answer as the command prints it. */
static void print_answer(struct cli *cli, const struct cli_args *args, const struct wire_val *body)
{
    if (cli->json)
        cli_print_json(cli, body);
    else
        args->command->print(cli, body);
}

static enum cli_exit take_ticket(struct cli *cli, struct span tracking)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    enum cli_exit status = CLI_DONE;
    char text[64];

    (void)snprintf(text, sizeof text, "%.*s", (int)tracking.len, tracking.p);
    docket_body_text(body, "tracking", text);
    cli_body_put_as(cli, body);
    if (cli_ask(cli, "ticket.take", body, &answer, &val, &status) && !cli->json)
        (void)fprintf(cli->out, "%s is yours\n", text);
    docket_answer_free(answer);
    docket_body_free(body);
    return status;
}

enum cli_exit cli_run_alert_ack(struct cli *cli, const struct cli_args *args)
{
    struct docket_answer *answer = NULL;
    const struct wire_val *body = NULL;
    enum cli_exit status = CLI_DONE;

    if (ask_command(cli, args, &answer, &body, &status)) {
        struct span tracking = wire_find_str(body, "tracking");
        print_answer(cli, args, body);
        if (cli_args_has(args, "take") && tracking.len != 0)
            status = take_ticket(cli, tracking);
    }
    docket_answer_free(answer);
    return status;
}

/* ---- the on-call plan ---- */

void cli_print_who(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"schedule", "SCHEDULE", CLI_CELL_ANY, 0},
        {"staff", "ON CALL", CLI_CELL_ANY, 60},
        {"change_at", "UNTIL AT LEAST", CLI_CELL_TIME, 0},
    };
    cli_print_list(cli, body, "schedules", columns, COUNT(columns));
}

void cli_print_turns(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column turns[] = {
        {"schedule", "SCHEDULE", CLI_CELL_ANY, 0},
        {"from_at", "FROM", CLI_CELL_TIME, 0},
        {"until_at", "UNTIL", CLI_CELL_TIME, 0},
        {"staff", "ON CALL", CLI_CELL_ANY, 60},
    };
    static const struct cli_column overrides[] = {
        {"override", "OVERRIDE", CLI_CELL_ANY, 0},
        {"schedule", "SCHEDULE", CLI_CELL_ANY, 0},
        {"replaces", "INSTEAD OF", CLI_CELL_ANY, 0},
        {"staff", "STAFF", CLI_CELL_ANY, 0},
        {"from_at", "FROM", CLI_CELL_TIME, 0},
        {"until_at", "UNTIL", CLI_CELL_TIME, 0},
        {"by", "BY", CLI_CELL_ANY, 20},
        {"reason", "REASON", CLI_CELL_ANY, 40},
    };
    cli_print_list(cli, body, "turns", turns, COUNT(turns));
    if (wire_count(wire_find(body, "overrides")) != 0) {
        (void)fputs("\n", cli->out);
        cli_print_rows(cli, wire_find(body, "overrides"), overrides, COUNT(overrides));
    }
}

void cli_print_override(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"schedule", "SCHEDULE", CLI_CELL_ANY, 0},
        {"from_at", "FROM", CLI_CELL_TIME, 0},
        {"until_at", "UNTIL", CLI_CELL_TIME, 0},
    };
    (void)fprintf(cli->out, "override %lld\n", (long long)wire_find_int(body, "override", 0));
    cli_print_warnings(wire_find(body, "warnings"));
    if (wire_count(wire_find(body, "handed_over")) != 0) {
        (void)fputs("handed over:\n", cli->out);
        cli_print_list(cli, body, "handed_over", columns, COUNT(columns));
    }
}

/* ---- iCalendar ---- */

/* One content line, folded as RFC 5545 wants it. Names are letters of A-Za-z0-9._-, so nothing is escaped. */
static void ics_line(FILE *to, const char *line)
{
    size_t len = strlen(line), at = 0, room = ICS_LINE_BYTES;

    while (len - at > room) {
        (void)fprintf(to, "%.*s\r\n ", (int)room, line + at);
        at += room;
        room = ICS_LINE_BYTES - 1;
    }
    (void)fprintf(to, "%s\r\n", line + at);
}

static void ics_time(int64_t at_us, char ret[32])
{
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(ret, 32, "%Y%m%dT%H%M%SZ", &parts) == 0)
        ret[0] = '\0';
}

/* The UID is the same whenever the same turn is exported, also of one that has begun. */
static void ics_turn(FILE *to, const struct wire_val *turn, struct span name)
{
    struct span schedule = wire_find_str(turn, "schedule");
    char from[32], until[32], line[400];

    ics_time(wire_find_int(turn, "since_at", wire_find_int(turn, "from_at", 0)), from);
    ics_time(wire_find_int(turn, "until_at", 0), until);
    ics_line(to, "BEGIN:VEVENT");
    (void)snprintf(line, sizeof line, "UID:%.*s-%s-%.*s@docket", (int)schedule.len, schedule.p, from,
                   (int)name.len, name.p);
    ics_line(to, line);
    (void)snprintf(line, sizeof line, "DTSTAMP:%s", from);
    ics_line(to, line);
    (void)snprintf(line, sizeof line, "DTSTART:%s", from);
    ics_line(to, line);
    (void)snprintf(line, sizeof line, "DTEND:%s", until);
    ics_line(to, line);
    (void)snprintf(line, sizeof line, "SUMMARY:%.*s", (int)name.len, name.p);
    ics_line(to, line);
    ics_line(to, "END:VEVENT");
}

static const char *const ics_head[] = {"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//docket//on call//EN"};

static void ics_turns(FILE *to, const struct wire_val *turns)
{
    for (size_t i = 0; i < wire_count(turns); i++) {
        const struct wire_val *turn = wire_at(turns, i), *staff = wire_find(turn, "staff");
        struct span name;
        for (size_t k = 0; k < wire_count(staff); k++)
            if (wire_get_str(wire_at(staff, k), &name))
                ics_turn(to, turn, name);
    }
}

/* One page of turns, from cursor on ("": the beginning). */
static bool export_page(struct cli *cli, const struct cli_args *args, const char *cursor,
                        struct docket_answer **ret_answer, const struct wire_val **ret_body,
                        enum cli_exit *ret_exit)
{
    struct docket_body *body = docket_body_new();
    struct err err = {0};
    bool ok = cli_body_build(cli, args, body, &err);

    if (!cli_args_has(args, "limit"))
        docket_body_int(body, "limit", PAGE);
    if (cursor[0] != '\0')
        docket_body_text(body, "cursor", cursor);
    if (!ok)
        *ret_exit = cli_usage_error(args, "%s", err.msg);
    else
        ok = cli_ask(cli, args->command->op, body, ret_answer, ret_body, ret_exit);
    docket_body_free(body);
    return ok;
}

/* All turns, page by page: what would be left out unsaid nobody misses before the night it is about. */
enum cli_exit cli_run_oncall_export(struct cli *cli, const struct cli_args *args)
{
    enum cli_exit status = CLI_DONE;
    char cursor[256] = "";
    bool is_first = true;

    do {
        struct docket_answer *answer = NULL;
        const struct wire_val *body = NULL;
        bool ok = export_page(cli, args, cursor, &answer, &body, &status);
        if (ok && cli->json) {
            cli_print_json(cli, body);
        } else if (ok) {
            for (size_t i = 0; is_first && i < COUNT(ics_head); i++)
                ics_line(cli->out, ics_head[i]);
            ics_turns(cli->out, wire_find(body, "turns"));
        }
        struct span next = ok ? wire_find_str(body, "cursor") : span_of("");
        (void)snprintf(cursor, sizeof cursor, "%.*s", (int)next.len, next.len == 0 ? "" : next.p);
        docket_answer_free(answer);
        is_first = false;
    } while (cursor[0] != '\0' && !cli_args_has(args, "limit") && cli_interrupted == 0);
    if (status == CLI_DONE && cli_interrupted != 0)
        status = CLI_INTERRUPTED;
    if (status != CLI_DONE)
        return status;
    if (cursor[0] != '\0')
        (void)fputs("docket: there are more turns than --limit says; without it all are printed\n", stderr);
    if (!cli->json)
        ics_line(cli->out, "END:VCALENDAR");
    return status;
}

/* ---- absences ---- */

struct handing {
    const char *from, *to;
    size_t done, refused; /* refused: of the page looked at last */
};

/* A page of open tickets, each with its result. */
static void count_handed(struct cli *cli, const struct wire_val *results, struct handing *handing)
{
    handing->refused = 0;
    for (size_t i = 0; i < wire_count(results); i++) {
        const struct wire_val *result = wire_at(results, i), *error = wire_find(result, "error");
        struct span tracking = wire_find_str(result, "tracking"), why = wire_find_str(error, "message");
        if (wire_type(error) == WIRE_NIL) {
            handing->done++;
            if (!cli->json)
                (void)fprintf(cli->out, "%.*s is %s's\n", (int)tracking.len, tracking.p, handing->to);
            continue;
        }
        handing->refused++;
        (void)fprintf(stderr, "%.*s stays %s's: %.*s\n", (int)tracking.len, tracking.p, handing->from,
                      (int)why.len, why.p == NULL ? "" : why.p);
    }
}

/* One op for a whole page: what is refused for one ticket is done for the others. */
static enum cli_exit hand_over_page(struct cli *cli, const struct wire_val *tickets, struct handing *handing)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    const struct wire_val *val = NULL;
    enum cli_exit status = CLI_DONE;

    docket_body_open_list(body, "tracking");
    for (size_t i = 0; i < wire_count(tickets); i++) {
        struct span tracking = wire_find_str(wire_at(tickets, i), "tracking");
        docket_body_text_n(body, NULL, tracking.p, tracking.len);
    }
    docket_body_close(body);
    docket_body_text(body, "staff", handing->to);
    docket_body_text(body, "reason", "handed over for an absence");
    cli_body_put_as(cli, body);
    if (cli_ask(cli, "ticket.assign", body, &answer, &val, &status))
        count_handed(cli, wire_find(val, "results"), handing);
    docket_answer_free(answer);
    docket_body_free(body);
    return status;
}

/* Open tickets of one become the other's, page by page: what was assigned leaves the list, so that the same again goes on where it
 * ended. Ends at a page of which nothing could be handed over. */
static enum cli_exit hand_over_tickets(struct cli *cli, struct handing *handing)
{
    enum cli_exit status = CLI_DONE;
    size_t count = 1, before;

    do {
        struct docket_body *body = docket_body_new();
        struct docket_answer *answer = NULL;
        const struct wire_val *val = NULL;
        before = handing->done;
        docket_body_text(body, "assignee", handing->from);
        docket_body_text(body, "state", "open");
        docket_body_int(body, "limit", PAGE);
        if (cli_ask(cli, "ticket.list", body, &answer, &val, &status)) {
            count = wire_count(wire_find(val, "tickets"));
            if (count != 0)
                status = hand_over_page(cli, wire_find(val, "tickets"), handing);
        }
        docket_answer_free(answer);
        docket_body_free(body);
    } while (status == CLI_DONE && count != 0 && handing->done > before);
    return status == CLI_DONE && count != 0 && handing->refused != 0 ? CLI_REFUSED : status;
}

/* What came of it, in a line that stands also when the rest did not. */
static void print_handed(struct cli *cli, const struct handing *handing, enum cli_exit status)
{
    if (!cli->json)
        (void)fprintf(cli->out, "%zu open ticket%s of %s %s %s's now\n", handing->done,
                      handing->done == 1 ? "" : "s", handing->from, handing->done == 1 ? "is" : "are",
                      handing->to);
    if (status != CLI_DONE)
        (void)fprintf(
            stderr, "The absence stands, not all tickets are handed over. `docket staff away` again with the "
                    "same --key goes on with those that are left.\n");
}

enum cli_exit cli_run_staff_away(struct cli *cli, const struct cli_args *args)
{
    const char *to = cli_args_value(args, "to", NULL);
    struct docket_answer *answer = NULL;
    const struct wire_val *body = NULL;
    enum cli_exit status = CLI_DONE;

    if (cli_args_has(args, "tickets") && (to == NULL || strcmp(to, args->positional[0]) == 0))
        return cli_usage_error(args, "--tickets needs --to: somebody else who takes them");
    if (ask_command(cli, args, &answer, &body, &status)) {
        print_answer(cli, args, body);
        if (cli_args_has(args, "tickets")) {
            struct handing handing = {.from = args->positional[0], .to = to};
            status = hand_over_tickets(cli, &handing);
            print_handed(cli, &handing, status);
        }
    }
    docket_answer_free(answer);
    return status;
}
