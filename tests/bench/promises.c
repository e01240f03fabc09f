/* How fast the pure part of a worker is, on one core: due times of a calendar, and decisions of a process.
 *
 *   promises due (plain | zone) COUNT          random starts 1970 to 2098, up to 2,000 hours of work
 *   promises decide PROCESS COUNT < TITLES     tickets just posted, one title a line, in turn; each parsed, decided, written
 *
 * One JSON object on stdout. */
#include "calendar.h"
#include "clock.h"
#include "date.h"
#include "decide.h"
#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONEINFO "/usr/share/zoneinfo"

enum { QUESTIONS = 1 << 16, TITLES_MAX = 1000, TITLE_BYTES = 512, BODY_BYTES = 1 << 20, HOLIDAYS = 131 * 11 };

static uint64_t chance(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed >> 11;
}

static void report(int64_t begun_us, long count, int64_t check)
{
    double seconds = (double)(clock_mono_us() - begun_us) / 1e6;
    printf("{\"count\": %ld, \"seconds\": %.3f, \"per_second\": %.0f, \"check\": %" PRId64 "}\n", count,
           seconds, (double)count / seconds, check);
}

/* ---- due times ---- */

static struct calendar *calendar_make(bool in_zone)
{
    static const struct calendar_hours plain[] = {{9 * 3600, 17 * 3600}};
    static const struct calendar_hours lunch[] = {{9 * 3600, 45000}, {48600, 18 * 3600}};
    struct calendar_special *holidays = mem_new(HOLIDAYS, sizeof *holidays);
    struct calendar_spec spec = {.specials = holidays};
    struct calendar *calendar = NULL;
    struct zone *zone = NULL;
    struct err err = {0};

    for (size_t i = 0; i < 5; i++)
        spec.week[i] = in_zone ? (struct calendar_day){lunch, 2} : (struct calendar_day){plain, 1};
    if (in_zone) {
        if (!zone_open(ZONEINFO, "Europe/Berlin", &zone, &err)) {
            (void)fprintf(stderr, "%s\n", err.msg);
            exit(1);
        }
        for (int i = 0; i < HOLIDAYS; i++) /* eleven a year */
            holidays[i] =
                (struct calendar_special){.date = (int32_t)date_days(1970 + i / 11, 1 + i % 11, 1 + i % 28),
                                          .holiday = true};
        spec.zone = zone;
        spec.special_count = HOLIDAYS;
    }
    if (!calendar_new(&spec, &calendar, &err)) {
        (void)fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    free(holidays);
    zone_free(zone);
    return calendar;
}

static int bench_due(bool in_zone, long count)
{
    struct calendar *calendar = calendar_make(in_zone);
    int64_t *starts = mem_new(QUESTIONS, sizeof *starts), *works = mem_new(QUESTIONS, sizeof *works),
            check = 0;
    uint64_t seed = 20261125;

    for (size_t i = 0; i < QUESTIONS; i++) {
        starts[i] = (int64_t)(chance(&seed) % (128 * INT64_C(365) * 86400)) * US_PER_S;
        works[i] = (int64_t)(chance(&seed) % (2000 * 3600)) * US_PER_S;
    }
    int64_t begun = clock_mono_us();
    for (long i = 0; i < count; i++) {
        int64_t due = 0;
        if (!calendar_due(calendar, starts[i % QUESTIONS], works[i % QUESTIONS], &due, NULL))
            return 1;
        check ^= due;
    }
    report(begun, count, check);
    free(starts);
    free(works);
    calendar_free(calendar);
    return 0;
}

/* ---- decisions ---- */

static void body_make(const char *title, int number, struct buf *ret)
{
    struct buf json;
    struct err err = {0};

    buf_init(ret, BODY_BYTES);
    buf_init(&json, BODY_BYTES);
    (void)buf_printf(
        &json,
        "{\"ticket\": {\"tracking\": \"DKT-0000-0000-0001-E\", \"customer\": \"c%d\", \"package\": "
        "\"standard\", "
        "\"title\": \"%s\", \"problem\": \"Seen since nine this morning on several phones of one site.\", "
        "\"channel\": \"ticket\", \"state\": \"new\", \"version\": 1, \"posted_at\": 1774625400000000, "
        "\"equipment\": {\"phone\": \"X1\"}, \"configuration\": {\"pbx\": \"2.4\"}}, \"customer\": {\"id\": "
        "\"c%d\", "
        "\"name\": \"Customer\", \"package\": \"standard\"}, \"events\": [], \"reasons\": [\"posted\"], "
        "\"now\": 1774625400000000}",
        number, title, number);
    if (!wire_from_json(ret, json.p, json.len, &err)) {
        (void)fprintf(stderr, "%s: %s\n", title, err.msg);
        exit(1);
    }
    buf_clear(&json);
}

static size_t bodies_read(struct buf *bodies)
{
    char line[TITLE_BYTES];
    size_t count = 0;

    while (count < TITLES_MAX && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\"\\\r\n")] = '\0';
        body_make(line, (int)count, &bodies[count]);
        count++;
    }
    return count;
}

static struct engine *engine_open(const char *dir)
{
    struct process *process = NULL;
    struct engine *engine = NULL;
    struct faults faults = {NULL, 0, 0};

    if (!process_load_dir(dir, &process, &faults) || !engine_new(process, ZONEINFO, &engine, &faults)) {
        (void)fprintf(stderr, "%s\n", faults.items[0].text);
        exit(1);
    }
    return engine;
}

static int bench_decide(const char *dir, long count)
{
    struct engine *engine = engine_open(dir);
    struct decider *decider = decider_new();
    struct buf *bodies = mem_new(TITLES_MAX, sizeof *bodies), out;
    size_t titles = bodies_read(bodies);
    int64_t check = 0, begun = clock_mono_us();

    buf_init(&out, BODY_BYTES);
    for (long i = 0; i < count && titles != 0; i++) {
        const struct buf *body = &bodies[(size_t)i % titles];
        struct wire_doc *doc = NULL;
        struct err err = {0};
        buf_reset(&out);
        if (!wire_parse(body->p, body->len, 32, &doc, &err) ||
            !decide(decider, engine, wire_root(doc), &out, &err)) {
            (void)fprintf(stderr, "%s\n", err.msg);
            return 1;
        }
        check += (int64_t)out.len;
        wire_doc_free(doc);
    }
    report(begun, count, check);
    for (size_t i = 0; i < titles; i++)
        buf_clear(&bodies[i]);
    free(bodies);
    buf_clear(&out);
    decider_free(decider);
    engine_free(engine);
    return 0;
}

int main(int argc, char **argv)
{
    long count = argc == 4 ? strtol(argv[3], NULL, 10) : 0;

    if (count > 0 && strcmp(argv[1], "due") == 0)
        return bench_due(strcmp(argv[2], "zone") == 0, count);
    if (count > 0 && strcmp(argv[1], "decide") == 0)
        return bench_decide(argv[2], count);
    (void)fputs("usage: promises due (plain | zone) COUNT\n       promises decide PROCESS COUNT < TITLES\n",
                stderr);
    return 2;
}
