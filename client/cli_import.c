/* import: a ticket for each line, many in flight, repeatable. */
#include "cli.h"
#include "cli_import.h"
#include "lib_internal.h"

#include "clock.h"
#include "mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WINDOW_MAX = 10000,
    ERRORS_KEPT = 100,
    LINE_BYTES_MAX = 4 * 1024 * 1024,
    PROGRESS_US = 100000,
    TRIES_MAX = 100
};

/* A line that is on its way, or waits to be repeated because the broker was busy. */
struct flight {
    struct docket_body *body; /* kept for reuse */
    uint64_t line;            /* 0: free */
    int64_t again_us;         /* 0: on its way */
    unsigned tries;
};

struct import {
    struct cli *cli;
    const char *path;
    FILE *file;
    struct import_seen seen;
    struct flight *flights;
    size_t window, flying;
    char *text; /* getline's */
    size_t text_size;
    uint64_t line, posted, duplicates, merged, refused;
    int64_t bytes, bytes_all, started_us, shown_us, heard_us;
    bool ended, lost, broken; /* broken: the file could not be read to its end */
    struct buf errors;        /* JSON, for --json */
};

/* ---- telling ---- */

static void import_refuse(struct import *im, uint64_t line, const char *code, const char *field,
                          const char *message)
{
    struct buf out;

    im->refused++;
    buf_init(&out, 65536);
    if (im->refused <= ERRORS_KEPT) {
        struct wire_doc *doc = NULL;
        struct err err;
        unsigned row, column;
        wire_json_place(message, &message, &row, &column);
        wire_put_map(&out, column == 0 ? 4 : 5);
        wire_put_key_int(&out, "line", (int64_t)line);
        if (column != 0)
            wire_put_key_int(&out, "column", column);
        wire_put_key_text(&out, "code", code);
        wire_put_key_text(&out, "field", *field != '\0' ? field : NULL);
        wire_put_key_text(&out, "message", message);
        if (!out.failed && wire_parse(out.p, out.len, 4, &doc, &err)) {
            (void)buf_add_text(&im->errors, im->refused == 1 ? "" : ", ");
            wire_to_json(&im->errors, wire_root(doc));
        }
        wire_doc_free(doc);
        buf_reset(&out);
        cli_text_put(&out, span_of(message), false);
        (void)fprintf(stderr, "%sdocket: %s: %s:%llu", im->shown_us != 0 ? "\r\033[K" : "", code, im->path,
                      (unsigned long long)line);
        if (column != 0)
            (void)fprintf(stderr, ":%u", column);
        (void)fprintf(stderr, ": %s\n", buf_text(&out));
    }
    buf_clear(&out);
}

static void import_progress(struct import *im, bool last)
{
    int64_t now_us = clock_mono_us();
    char bar[31];

    if (!isatty(fileno(stderr)) || (!last && now_us - im->shown_us < PROGRESS_US))
        return;
    im->shown_us = now_us;
    int64_t part = im->bytes_all > 0 ? im->bytes * 30 / im->bytes_all : 0;
    for (int i = 0; i < 30; i++)
        bar[i] = i < part ? '#' : '.';
    bar[30] = '\0';
    double seconds = (double)(now_us - im->started_us) / US_PER_S;
    uint64_t done = im->posted + im->duplicates + im->merged + im->refused;
    (void)fprintf(stderr, "\r[%s] %llu lines, %.0f/s\033[K%s", bar, (unsigned long long)done,
                  seconds > 0 ? (double)done / seconds : 0, last ? "\n" : "");
}

static void import_summary(struct import *im)
{
    double seconds = (double)(clock_mono_us() - im->started_us) / US_PER_S;

    import_progress(im, true);
    if (im->cli->json)
        (void)fprintf(
            im->cli->out,
            "{\"lines\": %llu, \"posted\": %llu, \"duplicate\": %llu, \"merged\": %llu, \"refused\": %llu, "
            "\"unanswered\": %zu, \"seconds\": %.3f, \"errors\": [%s]}\n",
            (unsigned long long)im->line, (unsigned long long)im->posted, (unsigned long long)im->duplicates,
            (unsigned long long)im->merged, (unsigned long long)im->refused, im->flying, seconds,
            buf_text(&im->errors));
    else
        (void)fprintf(im->cli->out,
                      "%llu posted, %llu were in already, %llu added to open tickets, %llu refused, %.1f s\n",
                      (unsigned long long)im->posted, (unsigned long long)im->duplicates,
                      (unsigned long long)im->merged, (unsigned long long)im->refused, seconds);
    if (im->refused > ERRORS_KEPT)
        (void)fprintf(stderr, "docket: %llu more lines were refused\n",
                      (unsigned long long)(im->refused - ERRORS_KEPT));
}

/* ---- lines ---- */

/* Fills the flight's body from a line. False: the line was refused. */
static bool import_read_body(struct import *im, const char *text, struct flight *flight)
{
    struct docket_error error;
    char key[IMPORT_KEY_BYTES];
    struct span bytes;
    struct wire_doc *doc = NULL;
    struct err err;

    docket_body_reset(flight->body);
    if (!docket_body_merge_json(flight->body, text, &error)) {
        import_refuse(im, im->line, error.name, error.field, error.message);
        return false;
    }
    if (flight->body->has_key)
        return true;
    if (!lib_body_finish(flight->body, &bytes, &error) ||
        !wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &err)) {
        import_refuse(im, im->line, "invalid", "", "the line cannot be read");
        return false;
    }
    import_key(&im->seen, wire_root(doc), key);
    wire_doc_free(doc);
    docket_body_text(flight->body, "key", key);
    return true;
}

static bool import_send(struct import *im, size_t slot)
{
    struct flight *flight = &im->flights[slot];
    struct docket_error error;

    flight->again_us = 0;
    if (docket_send(im->cli->client, "ticket.submit", flight->body, slot, NULL, &error))
        return true;
    import_refuse(im, flight->line, error.name, error.field, error.message);
    flight->line = 0;
    im->flying--;
    return false;
}

/* Reads lines until a request could be sent; false at the end of the file. */
static bool import_next(struct import *im, size_t slot)
{
    struct flight *flight = &im->flights[slot];
    ssize_t len;

    while ((len = getline(&im->text, &im->text_size, im->file)) >= 0) {
        im->line++;
        im->bytes += len;
        if (strspn(im->text, " \t\r\n") == (size_t)len)
            continue;
        if (len > LINE_BYTES_MAX || memchr(im->text, '\0', (size_t)len) != NULL) {
            import_refuse(im, im->line, "invalid", "", "a line with a NUL, or of more than 4 MiB");
            continue;
        }
        /* Some programs put a mark of the byte order in front of UTF-8. */
        bool marked = im->line == 1 && len >= 3 && memcmp(im->text, "\xef\xbb\xbf", 3) == 0;
        if (!import_read_body(im, im->text + (marked ? 3 : 0), flight))
            continue;
        *flight = (struct flight){flight->body, im->line, 0, 0};
        im->flying++;
        if (import_send(im, slot))
            return true;
    }
    im->ended = true;
    if (ferror(im->file)) {
        im->broken = true;
        (void)fprintf(stderr, "docket: io: %s, after line %llu: %s\n", im->cli->args->positional[0],
                      (unsigned long long)im->line, strerror(errno));
    }
    return false;
}

/* Starts what can be started: free places get lines, those that waited long enough go again. */
static void import_fill(struct import *im)
{
    int64_t now_us = clock_mono_us();

    for (size_t i = 0; i < im->window && !cli_interrupted; i++) {
        if (im->flights[i].line == 0 && !im->ended)
            (void)import_next(im, i);
        else if (im->flights[i].line != 0 && im->flights[i].again_us != 0 &&
                 now_us >= im->flights[i].again_us)
            (void)import_send(im, i);
    }
}

static void import_take_answer(struct import *im, const struct lib_answer *answer)
{
    struct flight *flight = &im->flights[answer->tag];
    struct docket_error error;

    im->heard_us = clock_mono_us();
    if (!answer->ok) {
        lib_answer_error(answer, &error);
        if (error.retry && flight->tries++ < TRIES_MAX) {
            int64_t told_us = error.retry_after_ms * US_PER_MS;
            int64_t own_us = lib_backoff_us(flight->tries, (uint32_t)im->heard_us);
            flight->again_us = im->heard_us + (told_us > own_us ? told_us : own_us);
            return;
        }
        import_refuse(im, flight->line, error.name, error.field, error.message);
    } else if (wire_find_bool(answer->body, "merged", false)) {
        im->merged++;
    } else if (wire_find_bool(answer->body, "duplicate", false)) {
        im->duplicates++;
    } else {
        im->posted++;
    }
    flight->line = 0;
    im->flying--;
}

/* Until all lines are answered, or nobody answers any more. */
static enum cli_exit import_loop(struct import *im)
{
    struct lib_answer answer = {0};
    struct docket_error error;

    im->heard_us = clock_mono_us();
    for (import_fill(im); im->flying != 0 && !cli_interrupted; import_progress(im, false)) {
        if (!lib_client_receive(im->cli->client, 50, &answer, &error)) {
            if (error.code == DOCKET_INTERRUPTED)
                break;
            if (clock_mono_us() - im->heard_us > (int64_t)im->cli->timeout_ms * US_PER_MS &&
                docket_outstanding(im->cli->client) != 0) {
                im->lost = true;
                break;
            }
            import_fill(im);
            continue;
        }
        size_t slot = answer.tag;
        import_take_answer(im, &answer);
        if (im->flights[slot].line == 0 && !im->ended)
            (void)import_next(im, slot);
        else if (im->flights[slot].line != 0 && docket_outstanding(im->cli->client) == 0)
            (void)zmq_poll(NULL, 0, 10); /* all are waiting to be repeated */
    }
    lib_answer_clear(&answer);
    return cli_interrupted                  ? CLI_INTERRUPTED
           : im->lost                       ? CLI_NO_ANSWER
           : im->refused != 0 || im->broken ? CLI_REFUSED
                                            : CLI_DONE;
}

static bool import_open(struct import *im, const struct cli_args *args, enum cli_exit *ret_exit)
{
    const char *path = args->positional[0];
    struct stat st;
    int64_t window = 256;

    (void)cli_int_parse(cli_args_value(args, "window", "256"), &window);
    if (window < 1 || window > WINDOW_MAX) {
        *ret_exit = cli_usage_error(args, "--window: %lld is outside 1–%d", (long long)window, WINDOW_MAX);
        return false;
    }
    im->window = (size_t)window;
    im->path = path;
    im->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (im->file == NULL) {
        (void)fprintf(stderr, "docket: io: %s: %s\n", path, strerror(errno));
        *ret_exit = CLI_REFUSED;
        return false;
    }
    if (fstat(fileno(im->file), &st) == 0 && S_ISREG(st.st_mode))
        im->bytes_all = (int64_t)st.st_size;
    im->flights = mem_new(im->window, sizeof *im->flights);
    for (size_t i = 0; i < im->window; i++)
        im->flights[i].body = docket_body_new();
    buf_init(&im->errors, 1 << 20);
    im->started_us = clock_mono_us();
    return true;
}

static void import_close(struct import *im)
{
    for (size_t i = 0; i < im->window; i++)
        docket_body_free(im->flights[i].body);
    free(im->flights);
    free(im->text);
    import_seen_clear(&im->seen);
    buf_clear(&im->errors);
    if (im->file != stdin)
        (void)fclose(im->file);
}

enum cli_exit cli_run_import(struct cli *cli, const struct cli_args *args)
{
    struct import im = {.cli = cli};
    enum cli_exit status;

    if (!import_open(&im, args, &status))
        return status;
    status = import_loop(&im);
    import_summary(&im);
    if (status == CLI_NO_ANSWER || status == CLI_INTERRUPTED)
        (void)fprintf(
            stderr,
            "docket: %s: %zu lines are not answered; import the file again: what is in stays one ticket\n",
            status == CLI_NO_ANSWER ? "timeout" : "interrupted", im.flying);
    import_close(&im);
    return status;
}
