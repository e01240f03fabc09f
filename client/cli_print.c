/* Answers for people. Prints what is there: a field that an answer does not have is left out, so an older or
 * newer broker is no matter. */
#include "cli.h"

enum { PRINT_BYTES_MAX = 64 * 1024 * 1024 };

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct cli_style cli_style_of(const struct cli *cli)
{
    return (struct cli_style){cli->colour, cli->utc, cli->columns};
}

static void print_flush(struct cli *cli, struct buf *out)
{
    (void)fwrite(buf_text(out), 1, out->len, cli->out);
    buf_clear(out);
}

static void put_indent(struct buf *out, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++)
        (void)buf_add_text(out, "  ");
}

static bool val_is_nested(const struct wire_val *val)
{
    if (wire_type(val) == WIRE_MAP)
        return wire_count(val) != 0;
    if (wire_type(val) != WIRE_LIST)
        return false;
    for (size_t i = 0; i < wire_count(val); i++)
        if (wire_count(wire_at(val, i)) != 0)
            return true;
    return false;
}

/* name  value, nested ones below, aligned among their neighbours. */
static void put_tree(struct buf *out, const struct wire_val *map, unsigned indent, struct cli_style style)
{
    size_t widest = 0;

    for (size_t i = 0; i < wire_count(map); i++) {
        size_t width = cli_text_width(wire_key_at(map, i));
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < wire_count(map); i++) {
        struct span key = wire_key_at(map, i);
        const struct wire_val *val = wire_type(map) == WIRE_LIST ? wire_at(map, i) : wire_val_at(map, i);
        put_indent(out, indent);
        if (wire_type(map) == WIRE_LIST)
            (void)buf_add_text(out, "-");
        cli_text_put(out, key, false);
        if (val_is_nested(val) && indent < 12) {
            (void)buf_add_text(out, "\n");
            put_tree(out, val, indent + 1, style);
            continue;
        }
        for (size_t w = cli_text_width(key); w < widest + 2; w++)
            (void)buf_add_text(out, " ");
        cli_cell_put(out, val, cli_key_cell(key), style);
        (void)buf_add_text(out, "\n");
    }
}

void cli_print_any(struct cli *cli, const struct wire_val *body)
{
    struct buf out;

    buf_init(&out, PRINT_BYTES_MAX);
    put_tree(&out, body, 0, cli_style_of(cli));
    print_flush(cli, &out);
}

void cli_print_submitted(struct cli *cli, const struct wire_val *body)
{
    struct buf out;

    buf_init(&out, PRINT_BYTES_MAX);
    cli_cell_put(&out, wire_find(body, "tracking"), CLI_CELL_ANY, cli_style_of(cli));
    if (wire_find_bool(body, "merged", false))
        (void)buf_add_text(&out, "  (added to this open ticket)");
    else if (wire_find_bool(body, "duplicate", false))
        (void)buf_add_text(&out, "  (was posted already)");
    (void)buf_add_text(&out, "\n");
    print_flush(cli, &out);
}

/* Of a list of tickets: a line each, refusals with their reason. */
static void put_results(struct buf *out, const struct wire_val *results, struct cli_style style)
{
    for (size_t i = 0; i < wire_count(results); i++) {
        const struct wire_val *result = wire_at(results, i), *error = wire_find(result, "error");
        cli_cell_put(out, wire_find(result, "tracking"), CLI_CELL_ANY, style);
        if (error == NULL) {
            (void)buf_printf(out, "  version %lld%s\n", (long long)wire_find_int(result, "version", 0),
                             wire_find_bool(result, "duplicate", false) ? "  (was done already)" : "");
            continue;
        }
        (void)buf_add_text(out, "  ");
        cli_cell_put(out, wire_find(error, "code"), CLI_CELL_ANY, style);
        (void)buf_add_text(out, ": ");
        cli_cell_put(out, wire_find(error, "message"), CLI_CELL_ANY, style);
        (void)buf_add_text(out, "\n");
    }
}

void cli_print_version(struct cli *cli, const struct wire_val *body)
{
    struct buf out;

    buf_init(&out, PRINT_BYTES_MAX);
    if (wire_find(body, "results") != NULL) {
        put_results(&out, wire_find(body, "results"), cli_style_of(cli));
    } else if (wire_find(body, "version") == NULL) {
        put_tree(&out, body, 0, cli_style_of(cli));
    } else {
        struct span meeting = wire_find_str(body, "meeting");
        (void)buf_printf(&out, "%s  version %lld%s%.*s%s\n",
                         cli->args->positional_count != 0 ? cli->args->positional[0] : "",
                         (long long)wire_find_int(body, "version", 0), meeting.len == 0 ? "" : "  meeting ",
                         (int)meeting.len, meeting.len == 0 ? "" : meeting.p,
                         wire_find_bool(body, "duplicate", false) ? "  (was done already)" : "");
        if (wire_count(wire_find(body, "open_duplicates")) != 0) {
            (void)buf_add_text(&out, "duplicates of it that are open: ");
            cli_cell_put(&out, wire_find(body, "open_duplicates"), CLI_CELL_ANY, cli_style_of(cli));
            (void)buf_add_text(&out, "\n");
        }
    }
    print_flush(cli, &out);
}

/* ---- a ticket ---- */

static const struct cli_column clock_columns[] = {
    {"clock", "CLOCK", CLI_CELL_ANY, 0},         {"state", "STATE", CLI_CELL_ANY, 0},
    {"started_at", "STARTED", CLI_CELL_TIME, 0}, {"due_at", "DUE", CLI_CELL_TIME, 0},
    {"met_at", "MET", CLI_CELL_TIME, 0},         {"worked_s", "WORKED", CLI_CELL_SPAN, 0},
    {"paused_s", "PAUSED", CLI_CELL_SPAN, 0},    {"left_s", "LEFT", CLI_CELL_SPAN, 0},
    {"as_of_at", "AS OF", CLI_CELL_TIME, 0},     {"calendar", "CALENDAR", CLI_CELL_ANY, 0},
};

static const struct cli_column task_columns[] = {
    {"task", "TASK", CLI_CELL_ANY, 0},      {"what", "WHAT", CLI_CELL_ANY, 60},
    {"vendor", "VENDOR", CLI_CELL_ANY, 20}, {"agreed_at", "AGREED", CLI_CELL_TIME, 0},
    {"agreed_by", "BY", CLI_CELL_ANY, 20},  {"done_at", "DONE", CLI_CELL_TIME, 0},
    {"done_by", "BY", CLI_CELL_ANY, 20},
};

/* What was promised and is over, with the excuse that a lead gave for a miss. */
static const struct cli_column verdict_columns[] = {
    {"clock", "CLOCK", CLI_CELL_ANY, 0},         {"cycle", "CYCLE", CLI_CELL_ANY, 0},
    {"verdict", "VERDICT", CLI_CELL_ANY, 0},     {"cause", "CAUSE", CLI_CELL_ANY, 12},
    {"due_at", "DUE", CLI_CELL_TIME, 0},         {"met_at", "MET", CLI_CELL_TIME, 0},
    {"excused", "EXCUSED", CLI_CELL_FIELDS, 80},
};

static void put_heading(struct buf *out, struct cli_style style, const char *title)
{
    (void)buf_add_text(out, "\n");
    cli_colour_put(out, style, "1", title);
    (void)buf_add_text(out, "\n");
}

/* What stands elsewhere (the problem in the ticket's head, words below the event) or is for machines. */
static bool is_left_out(struct span key, const struct wire_val *val)
{
    static const char *const keys[] = {"text", "trace", "clocks", "problem"};

    for (size_t i = 0; i < COUNT(keys); i++)
        if (span_is(key, keys[i]))
            return true;
    return wire_type(val) == WIRE_NIL;
}

/* A list of {name, text}, such as the questions that were asked: a line each. */
static bool put_named_texts(struct buf *out, const struct wire_val *list)
{
    if (wire_type(list) != WIRE_LIST || wire_find(wire_at(list, 0), "text") == NULL)
        return false;
    for (size_t i = 0; i < wire_count(list); i++) {
        (void)buf_add_text(out, "\n        ");
        cli_text_put(out, wire_find_str(wire_at(list, i), "name"), false);
        (void)buf_add_text(out, ": ");
        cli_text_put(out, wire_find_str(wire_at(list, i), "text"), false);
    }
    return true;
}

/* What became of each clock: "update 2 paused: worked 1h05m, paused 0s, left 6h55m, due …", a line each. */
static void put_clock_steps(struct buf *out, const struct wire_val *steps, struct cli_style style)
{
    static const char *const spans[] = {"worked", "paused", "left"};

    for (size_t i = 0; i < wire_count(steps); i++) {
        const struct wire_val *step = wire_at(steps, i);
        const struct wire_val *due = wire_find(step, "due_at");
        if (wire_find_str(step, "step").len == 0)
            continue;
        (void)buf_add_text(out, "\n        ");
        cli_cell_put(out, wire_find(step, "clock"), CLI_CELL_ANY, style);
        (void)buf_printf(out, " %lld ", (long long)wire_find_int(step, "cycle", 0));
        cli_cell_put(out, wire_find(step, "step"), CLI_CELL_ANY, style);
        for (size_t k = 0; k < COUNT(spans); k++) {
            char key[16];
            (void)snprintf(key, sizeof key, "%s_s", spans[k]);
            (void)buf_printf(out, "%s %s ", k == 0 ? ":" : ",", spans[k]);
            cli_cell_put(out, wire_find(step, key), CLI_CELL_SPAN, style);
        }
        if (wire_type(due) == WIRE_NIL)
            continue;
        (void)buf_add_text(out, ", due ");
        cli_cell_put(out, due, CLI_CELL_TIME, style);
    }
}

static void put_event(struct buf *out, const struct wire_val *event, struct cli_style style)
{
    const struct wire_val *as = wire_find(event, "as");
    const struct wire_val *body = wire_find(event, "body");
    struct span words = wire_find_str(body, "text");

    cli_cell_put(out, wire_find(event, "at"), CLI_CELL_TIME, style);
    (void)buf_printf(out, "  %3lld  ", (long long)wire_find_int(event, "version", 0));
    cli_cell_put(out, wire_find(event, "kind"), CLI_CELL_ANY, style);
    if (wire_type(as) == WIRE_MAP) {
        (void)buf_add_text(out, " by ");
        cli_cell_put(out, wire_find(as, "name"), CLI_CELL_ANY, style);
        if (!span_is(wire_find_str(as, "role"), "staff")) {
            (void)buf_add_text(out, " (");
            cli_cell_put(out, wire_find(as, "role"), CLI_CELL_ANY, style);
            (void)buf_add_text(out, ")");
        }
    }
    if (wire_find_bool(event, "public", false))
        (void)buf_add_text(out, ", public");
    for (size_t i = 0; i < wire_count(body); i++) {
        struct span key = wire_key_at(body, i);
        if (is_left_out(key, wire_val_at(body, i)) || put_named_texts(out, wire_val_at(body, i)))
            continue;
        (void)buf_add_text(out, "  ");
        cli_text_put(out, key, false);
        (void)buf_add_text(out, "=");
        cli_cell_put(out, wire_val_at(body, i), cli_key_cell(key), style);
    }
    put_clock_steps(out, wire_find(body, "clocks"), style);
    if (words.len != 0) {
        (void)buf_add_text(out, "\n        ");
        for (size_t i = 0, start = 0; i <= words.len; i++)
            if (i == words.len || words.p[i] == '\n') {
                cli_text_put(out, (struct span){words.p + start, i - start}, false);
                (void)buf_add_text(out, i == words.len ? "" : "\n        ");
                start = i + 1;
            }
    }
    (void)buf_add_text(out, "\n");
}

/* What a ticket says of itself, in an order for people. */
static void put_ticket_facts(struct buf *out, const struct wire_val *ticket, struct cli_style style)
{
    static const char *const names[] = {"customer",      "package",    "impact",    "kind",
                                        "state",         "priority",   "queue",     "assignee",
                                        "tags",          "channel",    "contact",   "equipment",
                                        "configuration", "attributes", "links",     "correlation",
                                        "reply_pending", "version",    "posted_at", "updated_at",
                                        "dead"};

    for (size_t i = 0; i < COUNT(names); i++) {
        const struct wire_val *val = wire_find(ticket, names[i]);
        enum wire_type type = wire_type(val);
        bool empty = (type == WIRE_LIST || type == WIRE_MAP) && wire_count(val) == 0;
        if (type == WIRE_NIL || empty || (type == WIRE_BOOL && !wire_find_bool(ticket, names[i], false)))
            continue;
        (void)buf_printf(out, "  %-14s ", names[i]);
        cli_cell_put(out, val, cli_key_cell(span_of(names[i])), style);
        (void)buf_add_text(out, "\n");
    }
}

static void put_section(struct buf *out, const struct wire_val *list, const char *title,
                        const struct cli_column *columns, size_t count, struct cli_style style)
{
    if (wire_count(list) == 0)
        return;
    put_heading(out, style, title);
    cli_table_put(out, list, columns, count, style);
}

static const struct cli_column meeting_columns[] = {
    {"meeting", "MEETING", CLI_CELL_ANY, 0},
    {"medium", "BY", CLI_CELL_ANY, 0},
    {"at", "AT", CLI_CELL_TIME, 0},
    {"duration_s", "FOR", CLI_CELL_SPAN, 0},
    {"reminder_s", "REMINDER", CLI_CELL_SPAN, 0},
    {"where", "WHERE", CLI_CELL_ANY, 40},
    {"cancelled", "CANCELLED", CLI_CELL_ANY, 0},
};

static const struct cli_column attendee_columns[] = {
    {"attendee", "INVITED", CLI_CELL_ANY, 60},
    {"answer", "ANSWER", CLI_CELL_ANY, 0},
    {"answered_at", "AT", CLI_CELL_TIME, 0},
};

/* Each meeting, and below it who is invited and what they answered. */
static void put_meetings(struct buf *out, const struct wire_val *list, struct cli_style style)
{
    put_section(out, list, "Meetings", meeting_columns, COUNT(meeting_columns), style);
    for (size_t i = 0; i < wire_count(list); i++) {
        if (wire_find_bool(wire_at(list, i), "cancelled", false))
            continue;
        (void)buf_add_text(out, "\n");
        cli_table_put(out, wire_find(wire_at(list, i), "attendees"), attendee_columns,
                      COUNT(attendee_columns), style);
    }
}

/* What became of a message, by its deliveries: one that was told off may still wait, or have reached nobody. */
static const char *message_word(const struct wire_val *message)
{
    static const char *const waiting[] = {"pending", "leased", "held"};
    const struct wire_val *deliveries = wire_find(message, "deliveries");
    size_t waits = 0, told = 0, joined = 0;

    if (!span_is(wire_find_str(message, "state"), "told") || wire_count(deliveries) == 0)
        return NULL;
    for (size_t i = 0; i < wire_count(deliveries); i++) {
        struct span state = wire_find_str(wire_at(deliveries, i), "state");
        for (size_t k = 0; k < COUNT(waiting); k++)
            waits += span_is(state, waiting[k]);
        told += span_is(state, "delivered") || span_is(state, "sent");
        joined += span_is(state, "merged");
    }
    return waits != 0 && told != 0 ? "told, and some of it waits"
           : waits != 0            ? "waits"
           : told != 0             ? "told"
           : joined != 0           ? "in another message"
                                   : "not told";
}

void cli_message_put(struct buf *out, const struct wire_val *message, struct cli_style style)
{
    static const char *const parts[] = {"channel", "recipient", "address", "state", "reason", "reply"};
    const struct wire_val *deliveries = wire_find(message, "deliveries");
    const char *word = message_word(message);

    cli_cell_put(out, wire_find(message, "created_at"), CLI_CELL_TIME, style);
    (void)buf_add_text(out, "  ");
    cli_cell_put(out, wire_find(message, "kind"), CLI_CELL_ANY, style);
    (void)buf_add_text(out, " to ");
    cli_cell_put(out, wire_find(message, "to"), CLI_CELL_ANY, style);
    (void)buf_add_text(out, ": ");
    if (word != NULL)
        (void)buf_add_text(out, word);
    else
        cli_cell_put(out, wire_find(message, "state"), CLI_CELL_ANY, style);
    if (wire_find_str(message, "reason").len != 0)
        (void)buf_add_text(out, ", ");
    cli_cell_put(out, wire_find(message, "reason"), CLI_CELL_ANY, style);
    (void)buf_add_text(out, "\n");
    for (size_t i = 0; i < wire_count(deliveries); i++) {
        const struct wire_val *delivery = wire_at(deliveries, i);
        (void)buf_add_text(out, "       ");
        for (size_t k = 0; k < COUNT(parts); k++) {
            if (wire_type(wire_find(delivery, parts[k])) == WIRE_NIL)
                continue;
            (void)buf_add_text(out, " ");
            cli_cell_put(out, wire_find(delivery, parts[k]), CLI_CELL_ANY, style);
        }
        (void)buf_printf(out, "  tries: %lld\n", (long long)wire_find_int(delivery, "attempts", 0));
    }
}

void cli_print_ticket(struct cli *cli, const struct wire_val *body)
{
    struct cli_style style = cli_style_of(cli);
    const struct wire_val *ticket =
        wire_type(wire_find(body, "ticket")) == WIRE_MAP ? wire_find(body, "ticket") : body;
    const struct wire_val *events =
        wire_find(ticket, "events") != NULL ? wire_find(ticket, "events") : wire_find(body, "events");
    const struct wire_val *messages =
        wire_find(ticket, "messages") != NULL ? wire_find(ticket, "messages") : wire_find(body, "messages");
    struct buf out, head;

    buf_init(&out, PRINT_BYTES_MAX);
    buf_init(&head, PRINT_BYTES_MAX);
    cli_cell_put(&head, wire_find(ticket, "tracking"), CLI_CELL_ANY, style);
    (void)buf_add_text(&head, "  ");
    cli_cell_put(&head, wire_find(ticket, "title"), CLI_CELL_ANY, style);
    cli_colour_put(&out, style, "1", buf_text(&head));
    buf_clear(&head);
    (void)buf_add_text(&out, "\n");
    put_ticket_facts(&out, ticket, style);
    struct span problem = wire_find_str(ticket, "problem");
    if (problem.len != 0) {
        (void)buf_add_text(&out, "\n");
        cli_text_put(&out, problem, true);
        (void)buf_add_text(&out, "\n");
    }
    put_section(&out, wire_find(ticket, "clocks"), "Clocks", clock_columns, COUNT(clock_columns), style);
    put_section(&out, wire_find(ticket, "tasks"), "Agreed steps", task_columns, COUNT(task_columns), style);
    put_meetings(&out, wire_find(ticket, "meetings"), style);
    put_section(&out, wire_find(ticket, "deadlines"), "Promises judged", verdict_columns,
                COUNT(verdict_columns), style);
    if (wire_count(messages) != 0)
        put_heading(&out, style, "Messages");
    for (size_t i = 0; i < wire_count(messages); i++)
        cli_message_put(&out, wire_at(messages, i), style);
    if (wire_count(events) != 0)
        put_heading(&out, style, "History");
    for (size_t i = 0; i < wire_count(events); i++)
        put_event(&out, wire_at(events, i), style);
    if (wire_find_bool(body, "events_more", false) || wire_find_bool(ticket, "events_more", false))
        (void)buf_add_text(&out, "… more: --events-after with the last version\n");
    print_flush(cli, &out);
}

/* ---- lists ---- */

void cli_print_rows(struct cli *cli, const struct wire_val *list, const struct cli_column *columns,
                    size_t count)
{
    struct buf out;

    buf_init(&out, PRINT_BYTES_MAX);
    if (wire_count(list) != 0)
        cli_table_put(&out, list, columns, count, cli_style_of(cli));
    else if (cli->columns != 0) /* a person looks, who may think that it hangs */
        (void)fputs("docket: nothing to list\n", stderr);
    print_flush(cli, &out);
}

void cli_print_list(struct cli *cli, const struct wire_val *body, const char *key,
                    const struct cli_column *columns, size_t count)
{
    const struct wire_val *list = wire_find(body, key);
    struct span cursor = wire_find_str(body, "cursor");

    if (list == NULL) {
        cli_print_any(cli, body);
        return;
    }
    cli_print_rows(cli, list, columns, count);
    if (cursor.len != 0 && wire_count(list) != 0)
        (void)fprintf(stderr, "more: --cursor %.*s\n", (int)cursor.len, cursor.p);
}

void cli_print_tickets(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"tracking", "TRACKING", CLI_CELL_ANY, 0}, {"priority", "PRIO", CLI_CELL_PRIORITY, 0},
        {"state", "STATE", CLI_CELL_ANY, 0},       {"customer", "CUSTOMER", CLI_CELL_ANY, 20},
        {"queue", "QUEUE", CLI_CELL_ANY, 12},      {"assignee", "ASSIGNEE", CLI_CELL_ANY, 16},
        {"posted_at", "POSTED", CLI_CELL_TIME, 0}, {"title", "TITLE", CLI_CELL_ANY, 60},
    };
    cli_print_list(cli, body, "tickets", columns, COUNT(columns));
}

void cli_print_customers(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"id", "ID", CLI_CELL_ANY, 0},           {"name", "NAME", CLI_CELL_ANY, 40},
        {"package", "PACKAGE", CLI_CELL_ANY, 0}, {"locale", "LOCALE", CLI_CELL_ANY, 0},
        {"zone", "ZONE", CLI_CELL_ANY, 0},       {"contacts", "CONTACTS", CLI_CELL_ANY, 60},
    };
    cli_print_list(cli, body, "customers", columns, COUNT(columns));
}

void cli_print_processes(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"hash", "HASH", CLI_CELL_HASH, 0},
        {"current", "CURRENT", CLI_CELL_ANY, 0},
        {"applied_at", "APPLIED", CLI_CELL_TIME, 0},
        {"at", "APPLIED", CLI_CELL_TIME, 0},
        {"by", "BY", CLI_CELL_ANY, 30},
        {"workers", "WORKERS", CLI_CELL_ANY, 0},
        {"recomputed", "RECOMPUTED", CLI_CELL_ANY, 0},
        {"comment", "COMMENT", CLI_CELL_ANY, 60},
    };
    static const struct cli_column running[] = {
        {"worker", "WORKER", CLI_CELL_ANY, 40},
        {"process", "RUNS", CLI_CELL_HASH, 0},
        {"zones", "ZONES", CLI_CELL_ANY, 0},
        {"version", "VERSION", CLI_CELL_ANY, 0},
    };
    cli_print_list(cli, body, wire_find(body, "versions") != NULL ? "versions" : "processes", columns,
                   COUNT(columns));
    if (cli->json || wire_count(wire_find(body, "running")) == 0)
        return;
    (void)fputs("\n", cli->out);
    cli_print_list(cli, body, "running", running, COUNT(running));
}

void cli_print_deadlines(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"tracking", "TRACKING", CLI_CELL_ANY, 0},  {"priority", "PRIO", CLI_CELL_PRIORITY, 0},
        {"customer", "CUSTOMER", CLI_CELL_ANY, 20}, {"clock", "CLOCK", CLI_CELL_ANY, 0},
        {"cycle", "CYCLE", CLI_CELL_ANY, 0},        {"verdict", "VERDICT", CLI_CELL_ANY, 0},
        {"cause", "CAUSE", CLI_CELL_ANY, 12},       {"due_at", "DUE", CLI_CELL_TIME, 0},
        {"met_at", "MET", CLI_CELL_TIME, 0},        {"worked_s", "WORKED", CLI_CELL_SPAN, 0},
        {"paused_s", "PAUSED", CLI_CELL_SPAN, 0},   {"excused", "EXCUSED", CLI_CELL_FIELDS, 80},
    };
    cli_print_list(cli, body, "deadlines", columns, COUNT(columns));
}

void cli_print_dead(struct cli *cli, const struct wire_val *body)
{
    static const struct cli_column columns[] = {
        {"tracking", "TRACKING", CLI_CELL_ANY, 0}, {"at", "SINCE", CLI_CELL_TIME, 0},
        {"dead_at", "SINCE", CLI_CELL_TIME, 0},    {"failures", "FAILURES", CLI_CELL_ANY, 0},
        {"code", "CODE", CLI_CELL_ANY, 20},        {"reason", "REASON", CLI_CELL_ANY, 80},
        {"message", "MESSAGE", CLI_CELL_ANY, 80},
    };
    cli_print_list(cli, body, wire_find(body, "dead") != NULL ? "dead" : "tickets", columns, COUNT(columns));
}

void cli_print_explain(struct cli *cli, const struct wire_val *body)
{
    struct span text = wire_find_str(body, "text");
    struct buf out;

    if (text.len == 0) {
        cli_print_any(cli, body);
        return;
    }
    buf_init(&out, PRINT_BYTES_MAX);
    cli_text_put(&out, text, true);
    if (text.p[text.len - 1] != '\n')
        (void)buf_add_text(&out, "\n");
    print_flush(cli, &out);
}

void cli_print_event(struct cli *cli, const struct wire_val *event)
{
    struct buf out;

    buf_init(&out, PRINT_BYTES_MAX);
    cli_cell_put(&out, wire_find(event, "tracking"), CLI_CELL_ANY, cli_style_of(cli));
    (void)buf_add_text(&out, "  ");
    put_event(&out, event, cli_style_of(cli));
    print_flush(cli, &out);
}

void cli_print_warnings(const struct wire_val *warnings)
{
    struct span text = SPAN_NONE;

    for (size_t i = 0; i < wire_count(warnings); i++)
        if (wire_get_str(wire_at(warnings, i), &text))
            (void)fprintf(stderr, "warning: %.*s\n", (int)text.len, text.p);
}
