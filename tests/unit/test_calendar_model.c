/* Working time against a slow and obvious model: it walks the clock, minute by minute or second by second, and asks at each
 * step what the wall shows and whether that lies inside an interval of that date. Random calendars, zones, holidays, closed
 * hours, special days; half of the starts lie near a change of the clock. DOCKET_CASES: how many (default 20,000; `make fault` does 1,000,000).
 * DOCKET_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "calendar.h"
#include "clock.h"

#include <stdlib.h>
#include <string.h>

#define ZONES "tests/zones"

enum {
    DAY_S = 86400,
    CASES = 20000,
    CASES_A_CALENDAR = 60,
    HOURS_MAX = 3,
    SPECIALS_MAX = 24,
    CLOSURES_MAX = 6,
    STEPS_MAX = 30000
};

static const char *const zone_names[] = {"UTC",
                                         "Europe/Berlin",
                                         "Europe/Dublin",
                                         "Europe/Istanbul",
                                         "Australia/Lord_Howe",
                                         "America/St_Johns",
                                         "Asia/Kathmandu",
                                         "Pacific/Apia",
                                         "America/Sao_Paulo",
                                         "Africa/Monrovia"};
enum { ZONE_COUNT = sizeof zone_names / sizeof zone_names[0] };

/* ---- chance ---- */

static uint64_t seed, begun; /* begun: the seed of the calendar at hand, for the message of a failure */

static uint64_t chance(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % below;
}

/* ---- a random calendar ---- */

struct model {
    struct zone *zone;
    int32_t unit_s; /* all times are multiples of it: the step of the walk */
    struct calendar_hours hours[7][HOURS_MAX];
    struct calendar_hours special_hours[SPECIALS_MAX][HOURS_MAX];
    struct calendar_special specials[SPECIALS_MAX];
    struct calendar_closure closures[CLOSURES_MAX];
    struct calendar_spec spec;
    int64_t around_s; /* the specials and the starts lie here */
};

/* An interval; in a third of the cases a boundary near one of the hours in which clocks change. */
static struct calendar_hours random_hours(const struct model *m)
{
    static const int32_t near[] = {0, 60, 3600, 5400, 7200, 9000, 10800, 82800, DAY_S};
    int32_t from, until;

    do {
        from = (int32_t)chance((uint64_t)(DAY_S / m->unit_s)) * m->unit_s;
        until = (int32_t)chance((uint64_t)(DAY_S / m->unit_s) + 1) * m->unit_s;
        if (chance(3) == 0)
            from = near[chance(8)];
        if (chance(3) == 0)
            until = near[chance(9)];
    } while (from == until || from == DAY_S || (until < from && until == 0));
    return (struct calendar_hours){from, until};
}

static struct calendar_day random_day(const struct model *m, struct calendar_hours *room, size_t least)
{
    struct calendar_day day = {room, least + chance(HOURS_MAX + 1 - least)};

    for (size_t i = 0; i < day.count; i++)
        room[i] = random_hours(m);
    return day;
}

/* An instant between 1970 and 2100 whose neighbourhood is worth looking at. */
static int64_t random_around(const struct zone *zone)
{
    size_t spans = zone_spans(zone);
    const int64_t end_s = CALENDAR_END_US / US_PER_S - 40 * (int64_t)DAY_S;

    if (spans > 1 && chance(3) != 0) {
        int64_t at = zone_span_start(zone, 1 + chance(spans - 1));
        if (at > 20 * DAY_S && at < end_s)
            return at;
    }
    return 20 * DAY_S + (int64_t)chance((uint64_t)(end_s - 20 * DAY_S));
}

static void model_make(struct model *m, struct zone *const *zones)
{
    memset(m, 0, sizeof *m);
    m->zone = zones[chance(ZONE_COUNT)];
    m->unit_s = chance(4) == 0 ? 1 : 60;
    m->around_s = random_around(m->zone);
    for (size_t i = 0; i < 7; i++)
        m->spec.week[i] = random_day(m, m->hours[i], chance(4) == 0 ? 0 : 1);
    if (m->spec.week[0].count == 0)
        m->spec.week[0] = random_day(m, m->hours[0], 1);
    size_t count = chance(3) == 0 ? 0 : chance(SPECIALS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct calendar_special *s = &m->specials[i];
        s->date = (int32_t)(m->around_s / DAY_S + (int64_t)chance(24) - 8);
        s->holiday = chance(2) == 0;
        if (!s->holiday)
            s->day = random_day(m, m->special_hours[i], 0);
        for (size_t k = 0; k < i; k++) /* of two specials for one date nobody says which holds */
            if (m->specials[k].date == s->date && !m->specials[k].holiday && !s->holiday)
                s->holiday = true, s->day.count = 0;
    }
    m->spec.zone = m->zone;
    m->spec.specials = m->specials;
    m->spec.special_count = count;
    m->spec.closures = m->closures;
    m->spec.closure_count = chance(2) == 0 ? 0 : chance(CLOSURES_MAX + 1);
    for (size_t i = 0; i < m->spec.closure_count; i++) {
        struct calendar_closure *c = &m->closures[i];
        c->date = (int32_t)(m->around_s / DAY_S + (int64_t)chance(12) - 4);
        do
            c->hours = random_hours(m);
        while (c->hours.until_s <= c->hours.from_s);
    }
}

/* ---- the model ---- */

static const struct calendar_special *model_entry(const struct model *m, int64_t date)
{
    const struct calendar_special *found = NULL;

    for (size_t i = 0; i < m->spec.special_count; i++)
        if (m->specials[i].date == date && (found == NULL || !m->specials[i].holiday))
            found = &m->specials[i];
    return found;
}

/* Inside an interval; one over midnight has two parts, of which the second is asked for by tail. */
static bool inside(const struct calendar_day *day, int32_t second, bool tail)
{
    for (size_t i = 0; i < day->count; i++) {
        struct calendar_hours h = day->hours[i];
        bool over = h.until_s <= h.from_s;
        if (tail ? over && second < h.until_s : second >= h.from_s && second < (over ? DAY_S : h.until_s))
            return true;
    }
    return false;
}

static bool model_is_closed(const struct model *m, int64_t date, int32_t second)
{
    for (size_t i = 0; i < m->spec.closure_count; i++)
        if (m->closures[i].date == date && second >= m->closures[i].hours.from_s &&
            second < m->closures[i].hours.until_s)
            return true;
    return false;
}

static bool model_is_open(const struct model *m, int64_t at_s)
{
    int64_t local = at_s + zone_offset(m->zone, at_s);
    int64_t date = local >= 0 ? local / DAY_S : -((-local + DAY_S - 1) / DAY_S);
    int32_t second = (int32_t)(local - date * DAY_S);
    const struct calendar_special *own = model_entry(m, date), *before = model_entry(m, date - 1);
    size_t weekday = (size_t)(((date + 3) % 7 + 7) % 7);

    if (own != NULL && !own->holiday)
        return inside(&own->day, second, false);
    if (model_is_closed(m, date, second))
        return false;
    if (before != NULL && inside(&before->day, second, true))
        return true;
    if (own != NULL)
        return false;
    return inside(&m->spec.week[weekday], second, false) ||
           inside(&m->spec.week[(weekday + 6) % 7], second, true);
}

/* The wall clock's steps are whole minutes everywhere but in Monrovia; starts are whole steps, so each step is open or closed
 * as a whole. False: too far to walk. */
static bool model_due(const struct model *m, int64_t start_s, int32_t step_s, int64_t work_s, int64_t *ret_s)
{
    int64_t at = start_s;

    for (int64_t steps = 0; steps < STEPS_MAX; steps++, at += step_s) {
        if (!model_is_open(m, at))
            continue;
        if (work_s <= step_s) {
            *ret_s = at + work_s;
            return true;
        }
        work_s -= step_s;
    }
    return false;
}

static int64_t model_elapsed(const struct model *m, int64_t a_s, int64_t b_s, int32_t step_s)
{
    int64_t open = 0;

    for (int64_t at = a_s; at < b_s; at += step_s)
        open += model_is_open(m, at) ? step_s : 0;
    return open;
}

/* ---- the property ---- */

static bool check_one(const struct model *m, const struct calendar *calendar)
{
    bool by_second =
        m->unit_s == 1 || m->around_s < 800 * (int64_t)DAY_S; /* Monrovia had seconds until 1972 */
    int32_t step = by_second ? 1 : 60;
    int64_t start = m->around_s + ((int64_t)chance(8 * DAY_S) - 4 * DAY_S), want = 0, due = 0;
    int64_t work = (int64_t)chance(step == 1 ? 4 * 3600 : 60 * 3600);

    start -= step == 60 ? start % 60 : 0;
    if (chance(20) == 0)
        work = 0;
    if (!model_due(m, start, step, work, &want))
        return false;
    if (!calendar_due(calendar, start * US_PER_S, work * US_PER_S, &due, NULL) || due != want * US_PER_S)
        fail_msg("DOCKET_SEED=%llu due: start %lld work %lld got %lld want %lld", (unsigned long long)begun,
                 (long long)start, (long long)work, (long long)(due / US_PER_S), (long long)want);
    int64_t elapsed = calendar_elapsed(calendar, start * US_PER_S, due);
    if (elapsed != work * US_PER_S)
        fail_msg("DOCKET_SEED=%llu elapsed of due: start %lld work %lld got %lld", (unsigned long long)begun,
                 (long long)start, (long long)work, (long long)(elapsed / US_PER_S));
    int64_t until = start + (int64_t)chance(2000) * step;
    if (calendar_elapsed(calendar, start * US_PER_S, until * US_PER_S) !=
        model_elapsed(m, start, until, step) * US_PER_S)
        fail_msg("DOCKET_SEED=%llu elapsed: from %lld until %lld", (unsigned long long)begun,
                 (long long)start, (long long)until);
    if (calendar_is_open(calendar, until * US_PER_S) != model_is_open(m, until))
        fail_msg("DOCKET_SEED=%llu is open: %lld", (unsigned long long)begun, (long long)until);
    return true;
}

static void test_calendar_equals_the_model(void **state)
{
    const char *cases_text = getenv("DOCKET_CASES"), *seed_text = getenv("DOCKET_SEED");
    long cases = cases_text == NULL ? CASES : strtol(cases_text, NULL, 10), checked = 0;
    struct zone *zones[ZONE_COUNT];
    (void)state;

    seed = seed_text == NULL ? 20261125 : strtoull(seed_text, NULL, 10);
    for (size_t i = 0; i < ZONE_COUNT; i++)
        assert_true(zone_open(ZONES, zone_names[i], &zones[i], NULL));
    while (checked < cases) {
        struct model m;
        struct calendar *calendar = NULL;
        begun = seed;
        model_make(&m, zones);
        if (!calendar_new(&m.spec, &calendar, NULL))
            continue; /* never open: told by calendar_new, for a walk cannot */
        for (int i = 0; i < CASES_A_CALENDAR && checked < cases; i++)
            checked += check_one(&m, calendar);
        calendar_free(calendar);
    }
    print_message("%ld cases\n", checked);
    for (size_t i = 0; i < ZONE_COUNT; i++)
        zone_free(zones[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar_equals_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
