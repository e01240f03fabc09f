/* docket-worker due: one due time, or a stream of questions. */
#include "offline.h"

#include "clock.h"
#include "due_book.h"
#include "instant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { LINE_BYTES_MAX = 64 * 1024, STATUS_REFUSED = 1, STATUS_USAGE = 2 };

struct due_options {
    const char *process, *calendars, *calendar, *start, *work, *zoneinfo;
    bool batch;
};

static bool usage_options(int argc, char **argv, struct due_options *ret)
{
    const struct {
        const char *name;
        const char **place;
    } texts[] = {{"--process", &ret->process},   {"--calendars", &ret->calendars},
                 {"--calendar", &ret->calendar}, {"--start", &ret->start},
                 {"--work", &ret->work},         {"--zoneinfo", &ret->zoneinfo}};
    for (int i = 0; i < argc; i++) {
        bool known = strcmp(argv[i], "--batch") == 0;
        ret->batch = ret->batch || known;
        for (size_t k = 0; k < sizeof texts / sizeof texts[0] && !known; k++)
            if (strcmp(argv[i], texts[k].name) == 0 && i + 1 < argc) {
                *texts[k].place = argv[++i];
                known = true;
            }
        if (!known)
            return false;
    }
    bool has_source = (ret->process != NULL) != (ret->calendars != NULL);
    bool is_single = ret->calendar != NULL && ret->start != NULL && ret->work != NULL;
    return has_source && ret->batch != is_single;
}

/* The calendars' file has a name of its own outside of a process. */
static void faults_print_here(const struct faults *faults, const char *calendars)
{
    static const char inside[] = "calendars.yaml:";

    for (size_t i = 0; i < faults->count; i++) {
        const char *text = faults->items[i].text;
        bool renamed = calendars != NULL && strncmp(text, inside, sizeof inside - 1) == 0;
        fprintf(stderr, "%s%s%s\n", renamed ? calendars : "", renamed ? ":" : "",
                renamed ? text + sizeof inside - 1 : text);
    }
    if (faults->dropped > 0)
        fprintf(stderr, "… and %zu more\n", faults->dropped);
}

/* ---- single ---- */

static int due_single(const struct due_book *book, const struct due_options *options)
{
    const struct calendar *calendar = due_book_find(book, span_of(options->calendar));
    struct err err = {0};
    int64_t start, seconds, due;
    bool working;
    char text[INSTANT_BYTES];

    if (calendar == NULL)
        fprintf(stderr, "docket-worker: --calendar %s: there is no calendar of that name\n",
                options->calendar);
    else if (!instant_parse(span_of(options->start), &start))
        fprintf(stderr, "docket-worker: --start %s: want an instant like 2026-03-27T15:30:00Z\n",
                options->start);
    else if (!process_duration_parse(options->work, &seconds, &working))
        fprintf(stderr, "docket-worker: --work %s: want a duration like 30s, 15m, 6h\n", options->work);
    else if (!calendar_due(calendar, start, seconds * US_PER_S, &due, &err))
        fprintf(stderr, "docket-worker: %s\n", err.msg);
    else {
        (void)instant_format(due, text);
        printf("%s\n", text);
        return 0;
    }
    return STATUS_REFUSED;
}

/* ---- batch ---- */

/* One question. Texts point into the line or the JSON tree. */
struct question {
    struct span cal, start, a, b;
    int64_t work_us;
    bool has_work;
};

static bool seconds_to_us(double seconds, int64_t *ret_us)
{
    if (!(seconds >= 0 && seconds <= 4.2e9))
        return false;
    *ret_us = (int64_t)(seconds * (double)US_PER_S + 0.5);
    return true;
}

static struct span *question_text(struct question *q, struct span key)
{
    const struct {
        const char *name;
        struct span *place;
    } texts[] = {{"cal", &q->cal}, {"start", &q->start}, {"a", &q->a}, {"b", &q->b}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (span_is(key, texts[i].name))
            return texts[i].place;
    return NULL;
}

static const char *skip_blank(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* A plain text without escapes, at its opening quote; NULL when it is anything else. */
static const char *plain_text(const char *p, struct span *ret)
{
    if (*p != '"')
        return NULL;
    const char *end = p + 1;
    while (*end != '"' && *end != '\\' && (unsigned char)*end >= 0x20)
        end++;
    if (*end != '"')
        return NULL;
    *ret = (struct span){p + 1, (size_t)(end - p - 1)};
    return end + 1;
}

/* The usual line, read without building a tree. False: read it as JSON in general. */
static bool question_scan(const char *line, struct question *q)
{
    const char *p = skip_blank(line);

    if (*p++ != '{')
        return false;
    for (;;) {
        struct span key, *place;
        p = plain_text(skip_blank(p), &key);
        if (p == NULL || *(p = skip_blank(p)) != ':')
            return false;
        p = skip_blank(p + 1);
        if (span_is(key, "work_seconds") && !q->has_work) {
            int64_t value = 0;
            const char *first = p;
            while (*p >= '0' && *p <= '9' && p - first < 10)
                value = value * 10 + (*p++ - '0');
            q->work_us = value * US_PER_S;
            q->has_work = p != first && (*first != '0' || p - first == 1);
            if (!q->has_work)
                return false;
        } else {
            place = question_text(q, key);
            if (place == NULL || place->p != NULL || (p = plain_text(p, place)) == NULL)
                return false;
        }
        p = skip_blank(p);
        if (*p == '}')
            return *skip_blank(p + 1) == '\0';
        if (*p++ != ',')
            return false;
    }
}

static bool question_read(json_t *tree, struct question *q, struct err *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(tree))
        return err_set(err, ERR_INVALID, "not a JSON object");
    json_object_foreach(tree, key, value)
    {
        struct span *place = question_text(q, span_of(key));
        if (strcmp(key, "work_seconds") == 0) {
            q->has_work = json_is_number(value) && seconds_to_us(json_number_value(value), &q->work_us);
            if (!q->has_work)
                return err_set(err, ERR_INVALID, "work_seconds: want a number of seconds, 0 or more");
        } else if (place == NULL) {
            return err_set(err, ERR_INVALID, "%.60s: not known, want cal, start, work_seconds, a, b", key);
        } else if (!json_is_string(value)) {
            return err_set(err, ERR_INVALID, "%.60s: want text", key);
        } else {
            *place = (struct span){json_string_value(value), json_string_length(value)};
        }
    }
    return true;
}

static bool question_answer(const struct due_book *book, const struct question *q, char *ret, size_t size,
                            struct err *err)
{
    const struct calendar *calendar = due_book_find(book, q->cal);
    int64_t a, b, due;
    char text[INSTANT_BYTES];

    if (calendar == NULL)
        return err_set(err, ERR_INVALID, "cal: there is no calendar of that name");
    if (q->start.p != NULL && q->has_work && q->a.p == NULL && q->b.p == NULL) {
        if (!instant_parse(q->start, &a))
            return err_set(err, ERR_INVALID,
                           "start: want an instant like 2026-03-27T15:30:00Z, 1970 to 2100");
        if (!calendar_due(calendar, a, q->work_us, &due, err))
            return false;
        unsigned len = instant_format(due, text);
        memcpy(ret, "{\"due\": \"", 9);
        memcpy(ret + 9, text, len);
        memcpy(ret + 9 + len, "\"}", 3);
        return true;
    }
    if (q->a.p == NULL || q->b.p == NULL || q->start.p != NULL || q->has_work)
        return err_set(err, ERR_INVALID, "want cal, start and work_seconds, or cal, a and b");
    if (!instant_parse(q->a, &a) || !instant_parse(q->b, &b))
        return err_set(err, ERR_INVALID, "a, b: want instants like 2026-03-27T15:30:00Z, 1970 to 2100");
    int64_t elapsed = calendar_elapsed(calendar, a, b);
    if (elapsed % US_PER_S == 0)
        (void)snprintf(ret, size, "{\"elapsed\": %lld}", (long long)(elapsed / US_PER_S));
    else
        (void)snprintf(ret, size, "{\"elapsed\": %.6f}", (double)elapsed / (double)US_PER_S);
    return true;
}

static void answer_error(const struct err *err)
{
    json_t *text = json_string(err->msg);
    char *line = text == NULL ? NULL : json_dumps(text, JSON_ENCODE_ANY);

    printf("{\"error\": %s}\n", line == NULL ? "\"not text\"" : line);
    free(line);
    json_decref(text);
}

static void due_line(const struct due_book *book, char *line)
{
    struct question q = {.work_us = 0};
    struct err err = {0};
    json_t *tree = NULL;
    char answer[128];
    bool ok = question_scan(line, &q);

    if (!ok) {
        json_error_t why;
        q = (struct question){.work_us = 0};
        tree = json_loads(line, JSON_REJECT_DUPLICATES, &why);
        ok = tree != NULL ? question_read(tree, &q, &err)
                          : err_set(&err, ERR_INVALID, "not JSON: %s", why.text);
    }
    if (ok && question_answer(book, &q, answer, sizeof answer, &err)) {
        fputs(answer, stdout);
        putchar('\n');
    } else {
        answer_error(&err);
    }
    json_decref(tree);
}

static int due_batch(const struct due_book *book)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    errno = 0;
    while ((len = getline(&line, &room, stdin)) > 0) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            line[--len] = '\0';
        if (len != 0 && len <= LINE_BYTES_MAX && strlen(line) == (size_t)len)
            due_line(book, line);
        else if (len != 0)
            answer_error(&(struct err){.msg = "the line is too long or holds a NUL"});
    }
    bool whole = !ferror(stdin);
    if (!whole)
        (void)fprintf(stderr, "docket-worker: -: %s\n", strerror(errno));
    free(line);
    return fflush(stdout) == 0 && whole ? 0 : STATUS_REFUSED;
}

int offline_due(int argc, char **argv)
{
    struct due_options options = {.zoneinfo = OFFLINE_ZONEINFO};
    struct due_book book = {NULL, NULL, 0};
    struct faults faults = {0};
    int status = STATUS_REFUSED;

    if (!usage_options(argc, argv, &options)) {
        fputs("usage: docket-worker due (--process DIR | --calendars FILE) --calendar NAME --start INSTANT "
              "--work DURATION\n"
              "       docket-worker due (--process DIR | --calendars FILE) --batch [--zoneinfo DIR]\n",
              stderr);
        return STATUS_USAGE;
    }
    if (due_book_open(options.process, options.calendars, options.zoneinfo, &book, &faults))
        status = options.batch ? due_batch(&book) : due_single(&book, &options);
    faults_print_here(&faults, options.calendars);
    faults_clear(&faults);
    due_book_close(&book);
    return status;
}
