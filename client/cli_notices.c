/* Messages to people: the list, one with its attempts, and why somebody was told or not. */
#include "cli.h"

enum { PRINT_BYTES = 16 << 20 };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

void cli_print_notifications(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"notification", "NUMBER", CLI_CELL_ANY, 0}, {"state", "STATE", CLI_CELL_ANY, 0},
        {"created_at", "CREATED", CLI_CELL_TIME, 0}, {"tracking", "TRACKING", CLI_CELL_ANY, 0},
        {"kind", "KIND", CLI_CELL_ANY, 0},           {"to", "TO", CLI_CELL_ANY, 0},
        {"channel", "OVER", CLI_CELL_ANY, 0},        {"address", "ADDRESS", CLI_CELL_ANY, 40},
        {"attempts", "TRIES", CLI_CELL_ANY, 0},      {"reason", "REASON", CLI_CELL_ANY, 40},
        {"reply", "REPLY", CLI_CELL_ANY, 60},
    };
    struct span reason = wire_find_str(body, "held_reason");

    cli_print_list(cli, body, "notifications", columns, COUNT(columns));
    if (wire_find_bool(body, "held", false))
        (void)fprintf(cli->out, "All messages are held (%.*s); %lld wait. See docket notification release.\n",
                      (int)reason.len, reason.len == 0 ? "" : reason.p,
                      (long long)wire_find_int(body, "waiting", 0));
}

static void put_fact(struct buf *out, const struct wire_val *map, const char *key, enum cli_cell kind,
                     struct cli_style style)
{
    if (wire_type(wire_find(map, key)) == WIRE_NIL)
        return;
    buf_printf(out, "  %-12s ", key);
    cli_cell_put(out, wire_find(map, key), kind, style);
    (void)buf_add_text(out, "\n");
}

void cli_print_notification(struct cli *cli, const struct wire_val *body)
{
    static const struct {
        const char *key;
        enum cli_cell kind;
    } facts[] = {{"state", CLI_CELL_ANY},    {"reason", CLI_CELL_ANY},    {"kind", CLI_CELL_ANY},
                 {"tracking", CLI_CELL_ANY}, {"to", CLI_CELL_ANY},        {"recipient", CLI_CELL_ANY},
                 {"channel", CLI_CELL_ANY},  {"address", CLI_CELL_ANY},   {"created_at", CLI_CELL_TIME},
                 {"next_at", CLI_CELL_TIME}, {"ended_at", CLI_CELL_TIME}, {"message_id", CLI_CELL_ANY},
                 {"within", CLI_CELL_ANY}};
    static const struct cli_column attempts[] = {
        {"n", "TRY", CLI_CELL_ANY, 0},           {"started_at", "STARTED", CLI_CELL_TIME, 0},
        {"ended_at", "ENDED", CLI_CELL_TIME, 0}, {"notifier", "BY", CLI_CELL_ANY, 0},
        {"result", "RESULT", CLI_CELL_ANY, 0},   {"reply", "REPLY", CLI_CELL_ANY, 80},
    };
    const struct wire_val *notification = wire_find(body, "notification");
    struct cli_style style = cli_style_of(cli);
    struct buf out;

    buf_init(&out, PRINT_BYTES);
    buf_printf(&out, "notification %lld\n", (long long)wire_find_int(notification, "notification", 0));
    for (size_t i = 0; i < COUNT(facts); i++)
        put_fact(&out, notification, facts[i].key, facts[i].kind, style);
    if (wire_count(wire_find(body, "attempts")) != 0)
        (void)buf_add_text(&out, "\n"),
            cli_table_put(&out, wire_find(body, "attempts"), attempts, COUNT(attempts), style);
    (void)fwrite(buf_text(&out), 1, out.len, cli->out);
    buf_clear(&out);
}

/* An alert that told nobody: when it was opened, and what keeps it quiet. */
static void put_quiet(struct buf *out, const struct wire_val *alert, struct cli_style style)
{
    struct span state = wire_find_str(alert, "state");

    cli_cell_put(out, wire_find(alert, "opened_at"), CLI_CELL_TIME, style);
    buf_printf(out, "  alert %lld to staff, %.*s: no step, ", (long long)wire_find_int(alert, "alert", 0),
               (int)state.len, state.len == 0 ? "" : state.p);
    cli_cell_put(out, wire_find(alert, "quiet"), CLI_CELL_ANY, style);
    (void)buf_add_text(out, "\n");
}

/* A message that waits, and what for. */
static void put_wait(struct buf *out, const struct wire_val *wait, struct cli_style style)
{
    (void)buf_add_text(out, "waits: ");
    cli_cell_put(out, wire_find(wait, "kind"), CLI_CELL_ANY, style);
    buf_printf(out, " (%lld) by ", (long long)wire_find_int(wait, "notification", 0));
    cli_cell_put(out, wire_find(wait, "channel"), CLI_CELL_ANY, style);
    (void)buf_add_text(out, " to ");
    cli_cell_put(out, wire_find(wait, "address"), CLI_CELL_ANY, style);
    (void)buf_add_text(out, ": ");
    cli_cell_put(out, wire_find(wait, "why"), CLI_CELL_ANY, style);
    if (wire_type(wire_find(wait, "next_at")) != WIRE_NIL) {
        (void)buf_add_text(out, ", at ");
        cli_cell_put(out, wire_find(wait, "next_at"), CLI_CELL_TIME, style);
    }
    (void)buf_add_text(out, "\n");
}

void cli_print_why(struct cli *cli, const struct wire_val *body)
{
    const struct wire_val *messages = wire_find(body, "messages"), *quiet = wire_find(body, "quiet"),
                          *waits = wire_find(body, "waits");
    struct cli_style style = cli_style_of(cli);
    struct buf out;

    buf_init(&out, PRINT_BYTES);
    for (size_t i = 0; i < wire_count(messages); i++)
        cli_message_put(&out, wire_at(messages, i), style);
    for (size_t i = 0; i < wire_count(quiet); i++)
        put_quiet(&out, wire_at(quiet, i), style);
    for (size_t i = 0; i < wire_count(waits); i++)
        put_wait(&out, wire_at(waits, i), style);
    (void)fwrite(buf_text(&out), 1, out.len, cli->out);
    buf_clear(&out);
}

void cli_print_mutes(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"mute", "MUTE", CLI_CELL_ANY, 0},
        {"from_at", "FROM", CLI_CELL_TIME, 0},
        {"until_at", "UNTIL", CLI_CELL_TIME, 0},
        {"ended_by", "ENDED BY", CLI_CELL_ANY, 0},
        {"owner", "OWNER", CLI_CELL_ANY, 16},
        {"customer", "CUSTOMER", CLI_CELL_ANY, 0},
        {"tracking", "TRACKING", CLI_CELL_ANY, 0},
        {"kind", "KIND", CLI_CELL_ANY, 0},
        {"priority", "PRIO", CLI_CELL_PRIORITY, 0},
        {"queue", "QUEUE", CLI_CELL_ANY, 0},
        {"tag", "TAG", CLI_CELL_ANY, 0},
        {"count", "ALERTS", CLI_CELL_ANY, 0},
        {"messages", "MESSAGES", CLI_CELL_ANY, 0},
        {"reason", "REASON", CLI_CELL_ANY, 60},
    };
    cli_print_list(cli, body, "mutes", columns, COUNT(columns));
}
