/* process whatif, process simulate: a version of the process tried on the tickets of the desk, page by page. */
#include "cli.h"
#include "cli_files.h"
#include "lib_internal.h"

#include "clock.h"

#include <string.h>

enum { PRIORITIES = 4, CLOCKS = 3, LINE_BYTES_MAX = 1 << 20 };

static const char *const clock_names[CLOCKS] = {"response", "update", "resolution"};

struct tally {
    int64_t tickets;
    struct {
        int64_t promised, met, missed, open, late_s;
    } clocks[CLOCKS];
};

struct trying {
    struct cli *cli;
    struct tally tallies[PRIORITIES + 1];
    int64_t moved[PRIORITIES + 1][PRIORITIES + 1]; /* priority: [was][is] */
    int64_t alike, worse, better;                  /* missed in life, and here */
    int64_t wake_in;                               /* whose rules `on: [due]` did not run */
    int64_t looked, rows, late;
};

/* Asks page after page; each row goes to the command. */
static enum cli_exit trying_run(struct trying *t, const char *op, const char *dir, int64_t from_at,
                                void (*on_row)(struct trying *t, const struct wire_val *row))
{
    struct cli_files files = {0};
    struct err err = {0};
    enum cli_exit status = CLI_DONE;
    char cursor[128] = "";
    bool more = true;

    if (!cli_files_read(dir, &files, &err))
        return cli_report_err(&err, CLI_REFUSED);
    while (more && cli_interrupted == 0) {
        struct docket_body *body = docket_body_new();
        struct docket_answer *answer = NULL;
        const struct wire_val *val = NULL;
        docket_body_open_map(body, "files");
        for (size_t i = 0; i < files.count; i++)
            docket_body_bytes(body, files.items[i].name, files.items[i].bytes, files.items[i].len);
        docket_body_close(body);
        if (from_at != 0)
            docket_body_int(body, "posted_from_at", from_at);
        if (cursor[0] != '\0')
            docket_body_text(body, "cursor", cursor);
        more = cli_ask(t->cli, op, body, &answer, &val, &status);
        if (more) {
            const struct wire_val *rows = wire_find(val, "rows");
            struct span next = wire_find_str(val, "cursor");
            t->looked += wire_find_int(val, "looked", 0);
            for (size_t i = 0; i < wire_count(rows); i++)
                on_row(t, wire_at(rows, i));
            more = next.len != 0 && next.len < sizeof cursor;
            (void)snprintf(cursor, sizeof cursor, "%.*s", more ? (int)next.len : 0, more ? next.p : "");
        }
        docket_answer_free(answer);
        docket_body_free(body);
    }
    cli_files_clear(&files);
    return cli_interrupted != 0 ? CLI_INTERRUPTED : status;
}

/* ---- whatif ---- */

static void print_side(struct cli *cli, const struct wire_val *clock, const char *state, const char *due)
{
    struct span name = wire_find_str(clock, state);
    int64_t due_at = wire_find_int(clock, due, 0);
    char at[CLI_TIME_BYTES];

    (void)fprintf(cli->out, "%.*s", name.len == 0 ? 12 : (int)name.len,
                  name.len == 0 ? "not promised" : name.p);
    if (due_at == 0)
        return;
    cli_time_format(due_at, cli->utc, at);
    (void)fprintf(cli->out, " due %s", at);
}

static void whatif_row(struct trying *t, const struct wire_val *row)
{
    struct cli *cli = t->cli;
    struct span tracking = wire_find_str(row, "tracking");
    const struct wire_val *clocks = wire_find(row, "clocks");
    bool late = false;

    t->rows++;
    for (size_t i = 0; i < wire_count(clocks); i++)
        late = late || wire_find_bool(wire_at(clocks, i), "late", false);
    t->late += late;
    if (cli->json) {
        cli_print_json(cli, row);
        return;
    }
    for (size_t i = 0; i < wire_count(clocks); i++) {
        const struct wire_val *clock = wire_at(clocks, i);
        struct span name = wire_find_str(clock, "clock");
        (void)fprintf(cli->out, "%.*s  P%lld  %-10.*s ", (int)tracking.len, tracking.p,
                      (long long)wire_find_int(row, "priority", 0), (int)name.len, name.p);
        print_side(cli, clock, "state", "due_at");
        (void)fputs("  →  ", cli->out);
        print_side(cli, clock, "would_state", "would_due_at");
        (void)fputs(wire_find_bool(clock, "late", false) ? "  LATE\n" : "\n", cli->out);
    }
}

enum cli_exit cli_run_process_whatif(struct cli *cli, const struct cli_args *args)
{
    struct trying t = {.cli = cli};
    enum cli_exit status = trying_run(&t, "process.whatif", args->positional[0], 0, whatif_row);

    if (status == CLI_DONE && !cli->json)
        (void)fprintf(cli->out, "%lld open tickets looked at, %lld would move, %lld would be late\n",
                      (long long)t.looked, (long long)t.rows, (long long)t.late);
    return status;
}

/* ---- simulate ---- */

static int priority_of(const struct wire_val *row, const char *key)
{
    int64_t priority = wire_find_int(row, key, 0);
    return priority >= 1 && priority <= PRIORITIES ? (int)priority : 0;
}

static void simulate_row(struct trying *t, const struct wire_val *row)
{
    int is = priority_of(row, "priority"), was = priority_of(row, "was");
    struct tally *tally = &t->tallies[is];
    bool was_missed = false, missed = false;

    tally->tickets++;
    t->moved[was][is]++;
    for (size_t k = 0; k < CLOCKS; k++) {
        const struct wire_val *clock = wire_find(row, clock_names[k]);
        int64_t late_s = wire_find_int(clock, "late_s", 0);
        tally->clocks[k].promised += wire_find_int(clock, "promised", 0);
        tally->clocks[k].met += wire_find_int(clock, "met", 0);
        tally->clocks[k].missed += wire_find_int(clock, "missed", 0);
        tally->clocks[k].open += wire_find_int(clock, "open", 0);
        if (late_s > tally->clocks[k].late_s)
            tally->clocks[k].late_s = late_s;
        missed = missed || (k != 1 && wire_find_int(clock, "missed", 0) != 0);
    }
    if (wire_get_bool(wire_find(row, "was_missed"), &was_missed)) {
        t->alike += missed == was_missed;
        t->worse += missed && !was_missed;
        t->better += !missed && was_missed;
    }
    t->wake_in += wire_find_bool(row, "wake_in", false);
    if (t->cli->json)
        cli_print_json(t->cli, row);
}

static void simulate_print(const struct trying *t)
{
    FILE *out = t->cli->out;
    char late[40];

    (void)fputs("priority  tickets  clock       promised      met   missed     open  late by at most\n", out);
    for (int p = 1; p <= PRIORITIES; p++)
        for (size_t k = 0; k < CLOCKS; k++) {
            const struct tally *tally = &t->tallies[p];
            if (tally->clocks[k].promised == 0)
                continue;
            cli_span_format(tally->clocks[k].late_s, late, sizeof late);
            (void)fprintf(out, "%8d %8lld  %-10s %9lld %8lld %8lld %8lld  %15s\n", p,
                          (long long)tally->tickets, clock_names[k], (long long)tally->clocks[k].promised,
                          (long long)tally->clocks[k].met, (long long)tally->clocks[k].missed,
                          (long long)tally->clocks[k].open, late);
        }
    (void)fputs("\npriority as it was       1       2       3       4  as it would be\n", out);
    for (int was = 1; was <= PRIORITIES; was++) {
        (void)fprintf(out, "%17d  ", was);
        for (int is = 1; is <= PRIORITIES; is++)
            (void)fprintf(out, "%8lld", (long long)t->moved[was][is]);
        (void)fputs("\n", out);
    }
    (void)fprintf(
        out,
        "\n%lld tickets; response and resolution as in life: %lld alike, %lld missed here but not there, "
        "%lld there but not here\n",
        (long long)t->looked, (long long)t->alike, (long long)t->worse, (long long)t->better);
    if (t->wake_in != 0)
        (void)fprintf(
            out, "not in it: what rules on: [due] do; %lld tickets were to be looked at again by a wake_in\n",
            (long long)t->wake_in);
}

/* "30d": so long ago; else as every instant. */
static bool since_parse(const char *text, int64_t *ret_us, struct err *err)
{
    char ago[64];
    size_t len = strlen(text);

    if (len > 1 && len < sizeof ago - 1 && text[0] >= '0' && text[0] <= '9' &&
        strchr("smhd", text[len - 1]) != NULL) {
        (void)snprintf(ago, sizeof ago, "-%s", text);
        text = ago;
    }
    return cli_time_parse(text, clock_wall_us(), ret_us, err);
}

enum cli_exit cli_run_process_simulate(struct cli *cli, const struct cli_args *args)
{
    struct trying t = {.cli = cli};
    struct err err = {0};
    int64_t from_at = 0;

    if (!since_parse(cli_args_value(args, "since", "30d"), &from_at, &err))
        return cli_usage_error(args, "--since: %s", err.msg);
    enum cli_exit status = trying_run(&t, "process.simulate", args->positional[0], from_at, simulate_row);
    if (status == CLI_DONE && !cli->json)
        simulate_print(&t);
    return status;
}
