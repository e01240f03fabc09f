/* docket-worker whatif; see offline.h. */
#include "offline.h"

#include "instant.h"
#include "json_line.h"
#include "whatif.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 8 << 20, DEPTH_MAX = 32, NAMES = 3, STATUS_REFUSED = 1 };

static const char usage[] = "whatif DIR NEWDIR TICKETS.jsonl|- [--json]";

struct run {
    struct whatif whatif;
    struct engine *is, *would;
    bool json;
    size_t looked, moved, late, wrong;
    struct json_line *line;
    struct buf body, row;
};

static void print_time(const char *word, const struct wire_val *clock, const char *state, const char *due)
{
    char at[INSTANT_BYTES];
    int64_t due_at = wire_find_int(clock, due, CLOCK_NO_INSTANT);
    struct span name = wire_find_str(clock, state);

    printf(" %s %.*s", word, name.len == 0 ? 12 : (int)name.len, name.len == 0 ? "not promised" : name.p);
    if (due_at == CLOCK_NO_INSTANT)
        return;
    (void)instant_format(due_at, at);
    printf(" due %s", at);
}

static void row_print(const struct run *run, const struct wire_val *row)
{
    struct span tracking = wire_find_str(row, "tracking");
    const struct wire_val *clocks = wire_find(row, "clocks");
    long long is = wire_find_int(row, "priority", 0), would = wire_find_int(row, "would_priority", 0);
    struct buf line;

    if (run->json) {
        buf_init(&line, BYTES_MAX);
        wire_to_json(&line, row);
        printf("%s\n", buf_text(&line));
        buf_clear(&line);
        return;
    }
    if (is != would)
        printf("%.*s  priority %lld would be %lld\n", (int)tracking.len, tracking.p, is, would);
    for (size_t i = 0; i < wire_count(clocks); i++) {
        const struct wire_val *clock = wire_at(clocks, i);
        struct span name = wire_find_str(clock, "clock");
        printf("%.*s  %.*s %lld:", (int)tracking.len, tracking.p, (int)name.len, name.p,
               (long long)wire_find_int(clock, "cycle", 0));
        print_time("is", clock, "state", "due_at");
        print_time("would be", clock, "would_state", "would_due_at");
        printf("%s\n", wire_find_bool(clock, "late", false) ? "  LATE" : "");
    }
}

/* faults: what of the ticket a broker would refuse, of that place */
static bool line_run(struct run *run, const char *text, size_t len, struct fault_place place,
                     struct faults *faults, struct err *err)
{
    const struct wire_val *given = NULL;
    struct wire_doc *work = NULL, *row = NULL;
    bool moves = false, late = false;

    buf_reset(&run->body);
    buf_reset(&run->row);
    bool ok = json_line_parse(run->line, text, len, DEPTH_MAX, &given, err);
    if (ok && wire_type(given) != WIRE_MAP)
        ok = err_set(err, ERR_INVALID, "want one ticket a line, a JSON object");
    ok = ok && offline_ticket_check(run->is, given, NULL, place, faults);
    if (ok) {
        offline_work_make(given, &run->body);
        ok = wire_parse(run->body.p, run->body.len, DEPTH_MAX, &work, err) &&
             whatif_put(&run->whatif, run->is, run->would, wire_root(work), &run->row, &moves, &late, err);
    }
    if (ok && moves && wire_parse(run->row.p, run->row.len, DEPTH_MAX, &row, err))
        row_print(run, wire_root(row));
    run->looked += ok;
    run->moved += moves;
    run->late += late;
    wire_doc_free(work);
    wire_doc_free(row);
    return ok;
}

/* Whether the file was read to its end. */
static bool file_run(struct run *run, const char *name, FILE *file)
{
    char *text = NULL;
    size_t room = 0, number = 0;
    ssize_t len;

    errno = 0;
    while ((len = getline(&text, &room, file)) >= 0) {
        struct faults faults = {0};
        struct fault_place place = {name, (unsigned)++number, 0};
        struct err err = {0};
        if (strspn(text, " \t\r\n") == (size_t)len || line_run(run, text, (size_t)len, place, &faults, &err))
            continue;
        if (err.code != ERR_NONE) {
            place.column = json_line_column(run->line);
            (void)faults_add(&faults, place, "%s", err.msg);
        }
        for (size_t i = 0; i < faults.count; i++)
            (void)fprintf(stderr, "%s\n", faults.items[i].text);
        faults_clear(&faults);
        run->wrong++;
    }
    bool whole = !ferror(file);
    if (!whole)
        (void)fprintf(stderr, "docket-worker: %s: %s\n", name, strerror(errno));
    free(text);
    if (!run->json)
        printf("%zu tickets looked at, %zu would move, %zu would be late\n", run->looked, run->moved,
               run->late);
    return whole;
}

static int whatif_run(const char *const *names, const char *zoneinfo, bool json)
{
    FILE *file = strcmp(names[2], "-") == 0 ? stdin : fopen(names[2], "re");
    struct run run = {.json = json};

    if (file == NULL) {
        (void)fprintf(stderr, "docket-worker: %s: %s\n", names[2], strerror(errno));
        return STATUS_REFUSED;
    }
    bool ok = offline_engine_open(names[0], zoneinfo, &run.is) &&
              offline_engine_open(names[1], zoneinfo, &run.would);
    if (ok) {
        whatif_init(&run.whatif);
        run.line = json_line_new();
        buf_init(&run.body, BYTES_MAX);
        buf_init(&run.row, BYTES_MAX);
        ok = file_run(&run, names[2], file);
        json_line_free(run.line);
        buf_clear(&run.body);
        buf_clear(&run.row);
        whatif_clear(&run.whatif);
    }
    engine_free(run.is);
    engine_free(run.would);
    if (file != stdin)
        (void)fclose(file);
    return ok && run.wrong == 0 ? 0 : STATUS_REFUSED;
}

int offline_whatif(int argc, char **argv)
{
    const char *names[NAMES] = {NULL}, *zoneinfo = OFFLINE_ZONEINFO;
    bool json = false;
    int got = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--zoneinfo") == 0 && i + 1 < argc)
            zoneinfo = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (got < NAMES && (argv[i][0] != '-' || argv[i][1] == '\0'))
            names[got++] = argv[i];
        else
            return offline_usage(usage);
    }
    return got == NAMES ? whatif_run(names, zoneinfo, json) : offline_usage(usage);
}
