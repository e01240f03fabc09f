/* Clocks against a slow, obvious model: thousands of random histories of one ticket (what people do, pauses, priorities,
 * packages, versions of the process, restarts between any two), each decided as it goes, as in life, by the real decide.
 *
 * The model knows no table, no halving and no cycle kept from before: after each step it walks the whole history again in
 * steps of five minutes, counts, and says what each clock must show. Only verdicts and given warnings are remembered, for
 * they are never taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "clock.h"
#include "decide.h"
#include "engine_of.h"
#include "instant.h"
#include "trial.h"

#define STEP_S INT64_C(300)
#define DAY_S INT64_C(86400)

enum { HISTORIES = 1500, STEPS_MAX = 24, SLOTS = 40000, KINDS = 3, CYCLES_MAX = 64 };

/* ---- the processes ---- */

/* Times are multiples of 50 minutes, so that warnings at 50 and 80 % fall on the model's steps. */
static const char *const calendars = "office:\n"
                                     "  zone: Europe/Berlin\n"
                                     "  hours: {mon-fri: [09:00-12:00, 13:00-17:00]}\n"
                                     "  holidays: [2026-03-25]\n";
static const char *const policies[2] = {
    "zone: UTC\ncalendar: office\npackage: a\napproval_reminders: []\nreopen_within: 2d\ngrace: 5m\n"
    "warnings: [{at: 50%, tell: boards}, {at: 80%}]\n",
    "zone: UTC\ncalendar: office\npackage: a\napproval_reminders: []\nreopen_within: 2d\ngrace: 10m\n"
    "warnings: [{at: 50%, tell: boards}, {at: 80%}]\n"};
static const char *const packages[2] = {
    "a: {targets: {1: {response: 0m, update: 50m, resolution: 250m}, 2: {response: 50m, update: 100m},\n"
    "  3: {response: 300m working, update: 500m working, resolution: ~}, 4: {response: 1000m working, "
    "update: ~}}}\n"
    "b: {targets: {1: {response: 0m, update: 100m, resolution: 500m}, 2: {response: 100m working, update: "
    "200m},\n"
    "  3: {response: 150m working, update: 250m working, resolution: 1000m working},\n"
    "  4: {response: 500m working, update: 500m working, resolution: 1000m}}}\n",
    "a: {targets: {1: {response: 0m, update: 100m, resolution: ~}, 2: {response: 100m, update: 100m, "
    "resolution: 300m},\n"
    "  3: {response: 200m working, update: ~}, 4: {response: 500m working, update: 1000m working}}}\n"
    "b: {targets: {1: {response: 50m, update: 50m}, 2: {response: 50m, update: 150m working},\n"
    "  3: {response: 300m working, update: 500m working}, 4: {response: 1000m working, update: 1000m "
    "working}}}\n"};

/* The same promises once more, in minutes: the model must not get them from the code it checks. -1: not promised. */
struct term {
    int minutes;
    bool working;
};
static const struct term terms[2][2][5][KINDS] = {{{{{0}},
                                                    {{0, 0}, {50, 0}, {250, 0}},
                                                    {{50, 0}, {100, 0}, {-1, 0}},
                                                    {{300, 1}, {500, 1}, {-1, 0}},
                                                    {{1000, 1}, {-1, 0}, {-1, 0}}},
                                                   {{{0}},
                                                    {{0, 0}, {100, 0}, {500, 0}},
                                                    {{100, 1}, {200, 0}, {-1, 0}},
                                                    {{150, 1}, {250, 1}, {1000, 1}},
                                                    {{500, 1}, {500, 1}, {1000, 0}}}},
                                                  {{{{0}},
                                                    {{0, 0}, {100, 0}, {-1, 0}},
                                                    {{100, 0}, {100, 0}, {300, 0}},
                                                    {{200, 1}, {-1, 0}, {-1, 0}},
                                                    {{500, 1}, {1000, 1}, {-1, 0}}},
                                                   {{{0}},
                                                    {{50, 0}, {50, 0}, {-1, 0}},
                                                    {{50, 0}, {150, 1}, {-1, 0}},
                                                    {{300, 1}, {500, 1}, {-1, 0}},
                                                    {{1000, 1}, {1000, 1}, {-1, 0}}}}};
static const int grace_minutes[2] = {5, 10};

/* ---- the model ---- */

enum act {
    TAKE,
    COMMENT,
    NOTE,
    MACHINE,
    REPLY,
    WAIT,
    WAIT_UNTIL,
    VENDOR,
    CANNOT,
    RESUME,
    MEET,
    RESOLVE,
    APPROVE,
    REJECT,
    AGREE,
    CLOSE,
    REOPEN,
    ACTS
};

static const struct {
    const char *op, *body;
    enum desk_role role;
} acts[ACTS] = {
    [TAKE] = {"take", "{}", ROLE_STAFF},
    [COMMENT] = {"comment", "{\"text\":\"x\",\"public\":true}", ROLE_STAFF},
    [NOTE] = {"comment", "{\"text\":\"x\",\"public\":false}", ROLE_STAFF},
    [MACHINE] = {"comment", "{\"text\":\"x\",\"public\":true}", ROLE_SYSTEM},
    [REPLY] = {"reply", "{\"text\":\"x\"}", ROLE_CUSTOMER},
    [WAIT] = {"wait", "{\"on\":\"customer\",\"reason\":\"x\"}", ROLE_STAFF},
    [WAIT_UNTIL] = {"wait", NULL, ROLE_STAFF},
    [VENDOR] = {"wait", "{\"on\":\"vendor\",\"reason\":\"x\"}", ROLE_STAFF},
    [CANNOT] = {"cannot_resolve", "{\"reason\":\"x\"}", ROLE_STAFF},
    [RESUME] = {"resume", "{}", ROLE_STAFF},
    [MEET] = {"meeting", "{}", ROLE_STAFF},
    [RESOLVE] = {"resolve", "{\"text\":\"x\"}", ROLE_STAFF},
    [APPROVE] = {"approve", "{}", ROLE_CUSTOMER},
    [REJECT] = {"reject", "{}", ROLE_CUSTOMER},
    [AGREE] = {"agree", "{}", ROLE_CUSTOMER},
    [CLOSE] = {"close", "{\"reason\":\"spam\",\"text\":\"x\"}", ROLE_STAFF},
    [REOPEN] = {"reopen", "{\"reason\":\"x\"}", ROLE_STAFF},
};

struct happened {
    int64_t at_s, until_s; /* until_s 0: none */
    enum act act;
};

/* One clock as the walk goes. */
struct tally {
    bool open, paused;
    int cycle;
    int64_t started_s, used_s, paused_s, due_s, met_s; /* -1: none */
};

enum phase { OPEN, WAITS, RESOLVED, CLOSED };

struct judged {
    bool there, missed;
    int64_t due_s, met_s;
    int warned;
    bool known; /* the clock stood in the last decision's list */
};

struct model {
    int version, package, priority;
    int64_t posted_s;
    struct happened history[STEPS_MAX];
    size_t count;
    struct judged judged[KINDS][CYCLES_MAX];
    bool promised[KINDS]; /* at the last decision */
    size_t since[KINDS];  /* and after how many events it began to be */
    bool history_begun;
    int loud; /* warnings that people got */
    /* of the walk under way */
    struct tally tallies[KINDS];
    enum phase phase;
    int64_t phase_s, until_s;
    struct {
        int kind, cycle;
        int64_t due_s, met_s;
        size_t event; /* which of the history ended it */
        bool kept;
    } ended[KINDS * CYCLES_MAX];
    size_t ended_count, walked;
};

static int64_t
    base_s; /* Monday, 2026-03-23T00:00:00Z: the week of a holiday, and before a change of the clock */
static bool is_open[SLOTS];

/* Berlin is UTC+1 until 2026-03-29T01:00Z, then UTC+2. */
static void open_fill(void)
{
    for (int i = 0; i < SLOTS; i++) {
        int64_t at = i * STEP_S, local = at + (at < 6 * DAY_S + 3600 ? 3600 : 7200);
        int64_t day = local / DAY_S, minute = local % DAY_S / 60;
        is_open[i] = day % 7 < 5 && day != 2 && minute >= 9 * 60 && minute < 17 * 60 && minute / 60 != 12;
    }
}

static const struct term *term_of(const struct model *m, int kind)
{
    return &terms[m->version][m->package][m->priority][kind];
}

static bool counts(const struct model *m, int kind, int64_t at_s)
{
    return !term_of(m, kind)->working || is_open[(at_s - base_s) / STEP_S];
}

static void tally_start(const struct model *m, int kind, struct tally *t, int64_t at_s)
{
    int minutes = term_of(m, kind)->minutes;
    *t = (struct tally){
        .open = minutes >= 0, .cycle = t->cycle + 1, .started_s = at_s, .due_s = -1, .met_s = -1};
    if (minutes == 0)
        t->due_s = at_s + grace_minutes[m->version] * 60;
}

static void tally_end(struct model *m, int kind, int64_t at_s, bool kept)
{
    struct tally *t = &m->tallies[kind];
    if (!t->open)
        return;
    t->open = false;
    t->met_s = at_s;
    m->ended[m->ended_count].kind = kind;
    m->ended[m->ended_count].cycle = t->cycle;
    m->ended[m->ended_count].due_s = t->due_s;
    m->ended[m->ended_count].met_s = at_s;
    m->ended[m->ended_count].event = m->walked;
    m->ended[m->ended_count++].kept = kept;
}

/* The customer has heard from us: the next cycle, at rest while the customer owes the answer. */
static void heard(struct model *m, int64_t at_s)
{
    struct tally *t = &m->tallies[1];
    if (!t->open)
        return;
    tally_end(m, 1, at_s, true);
    tally_start(m, 1, t, at_s);
    t->paused = m->phase == WAITS || m->phase == RESOLVED;
}

static void go_on(struct model *m)
{
    m->tallies[1].paused = m->tallies[2].paused = false;
}

static void phase_set(struct model *m, enum phase phase, int64_t at_s, int64_t until_s)
{
    m->phase = phase;
    m->phase_s = at_s;
    m->until_s = until_s;
}

static void all_again(struct model *m, int64_t at_s)
{
    phase_set(m, OPEN, at_s, 0);
    for (int k = 0; k < KINDS; k++) {
        tally_end(m, k, at_s, false);
        tally_start(m, k, &m->tallies[k], at_s);
    }
}

static void customer_spoke(struct model *m, int64_t at_s)
{
    if (m->phase == WAITS) {
        phase_set(m, OPEN, at_s, 0);
        go_on(m);
    } else if (m->phase == RESOLVED) {
        m->tallies[1].paused = false;
    } else if (m->phase == CLOSED && at_s <= m->phase_s + 2 * DAY_S) {
        all_again(m, at_s);
    }
}

/* Back to work: solving goes on with what was left. */
static void rejected(struct model *m, int64_t at_s)
{
    struct tally *t = &m->tallies[2];
    phase_set(m, OPEN, at_s, 0);
    m->tallies[1].paused = false;
    if (t->open || t->met_s < 0 || term_of(m, 2)->minutes < 0)
        return;
    t->paused_s += t->paused ? 0 : at_s - t->met_s;
    t->open = true;
    t->paused = false;
    t->met_s = -1;
    t->cycle++;
}

static void event_do(struct model *m, const struct happened *h)
{
    switch (h->act) {
    case TAKE:
        phase_set(m, OPEN, h->at_s, 0);
        go_on(m);
        if (m->priority != 4)
            tally_end(m, 0, h->at_s, true);
        return;
    case COMMENT:
    case MEET:
        tally_end(m, 0, h->at_s, true);
        heard(m, h->at_s);
        return;
    case NOTE:
    case MACHINE:
        return;
    case REPLY:
        customer_spoke(m, h->at_s);
        return;
    case WAIT:
    case WAIT_UNTIL:
    case CANNOT:
        phase_set(m, WAITS, h->at_s, h->until_s);
        tally_end(m, 0, h->at_s, true);
        heard(m, h->at_s);
        m->tallies[2].paused = true;
        return;
    case VENDOR:
        phase_set(m, OPEN, h->at_s, 0);
        heard(m, h->at_s);
        go_on(m);
        return;
    case RESUME:
    case AGREE:
        phase_set(m, OPEN, h->at_s, 0);
        go_on(m);
        return;
    case RESOLVE:
        phase_set(m, RESOLVED, h->at_s, 0);
        tally_end(m, 0, h->at_s, true);
        heard(m, h->at_s);
        tally_end(m, 2, h->at_s, true);
        return;
    case REJECT:
        rejected(m, h->at_s);
        return;
    case APPROVE:
    case CLOSE:
        phase_set(m, CLOSED, h->at_s, 0);
        for (int k = 0; k < KINDS; k++)
            tally_end(m, k, h->at_s, false);
        return;
    default:
        all_again(m, h->at_s);
        return;
    }
}

static void tallies_count(struct model *m, int64_t at_s)
{
    for (int k = 0; k < KINDS; k++) {
        struct tally *t = &m->tallies[k];
        if (!t->open && k != 2)
            continue;
        if (!t->open) { /* met and waiting for a word: time with the customer, should it run on */
            t->paused_s += t->paused ? STEP_S : 0;
            continue;
        }
        if (t->paused)
            t->paused_s += STEP_S;
        else if (counts(m, k, at_s))
            t->used_s += STEP_S;
        if (t->due_s < 0 && !t->paused && t->used_s >= term_of(m, k)->minutes * 60 &&
            term_of(m, k)->minutes > 0)
            t->due_s = at_s + STEP_S;
    }
}

/* The whole history again, up to and with now. */
static void walk(struct model *m, int64_t now_s)
{
    size_t next = 0;

    m->phase = OPEN;
    m->until_s = 0;
    m->ended_count = 0;
    for (int k = 0; k < KINDS; k++) {
        m->tallies[k] = (struct tally){0};
        tally_start(m, k, &m->tallies[k], m->posted_s);
    }
    for (int64_t at = m->posted_s;; at += STEP_S) {
        if (m->phase == WAITS && m->until_s != 0 && m->until_s <= at) {
            phase_set(m, OPEN, at, 0);
            go_on(m);
        }
        for (; next < m->count && m->history[next].at_s <= at; next++) {
            m->walked = next;
            event_do(m, &m->history[next]);
        }
        if (at >= now_s)
            return;
        tallies_count(m, at);
    }
}

/* When a running clock will be used up if nothing happens. */
static int64_t due_ahead(const struct model *m, int kind, int64_t now_s)
{
    const struct tally *t = &m->tallies[kind];
    int64_t used = t->used_s, at = now_s;
    if (t->due_s >= 0)
        return t->due_s;
    for (; used < term_of(m, kind)->minutes * 60; at += STEP_S)
        used += counts(m, kind, at) ? STEP_S : 0;
    return at;
}

/* Warnings whose time has come: of the two only the later one is loud. */
static void warn(struct model *m, int kind, struct judged *j)
{
    const struct tally *t = &m->tallies[kind];
    int64_t promise = term_of(m, kind)->minutes * 60;
    int passed = promise == 0 ? 0 : (t->used_s >= promise / 2) + (t->used_s >= promise / 10 * 8);
    if (passed > j->warned) {
        m->loud += passed == 2;
        j->warned = passed;
    }
}

/* What a decision at now makes of it. */
static void model_decide(struct model *m, int64_t now_s, bool single)
{
    walk(m, now_s);
    for (int k = 0; k < KINDS; k++) {
        if (!m->promised[k])
            m->since[k] = m->history_begun ? m->count : 0;
        m->promised[k] = term_of(m, k)->minutes >= 0;
    }
    m->history_begun = true;
    for (size_t i = 0; i < m->ended_count; i++) {
        int kind = m->ended[i].kind;
        struct judged *j = &m->judged[kind][m->ended[i].cycle];
        if (m->ended[i].event < m->since[kind])
            continue; /* nobody had promised it then */
        bool later = false;
        for (int c = m->ended[i].cycle + 1; c < CYCLES_MAX; c++)
            later = later || m->judged[kind][c].known;
        if (later)
            continue;
        if (!j->there)
            *j = (struct judged){true,
                                 m->ended[i].due_s >= 0 && m->ended[i].due_s < m->ended[i].met_s,
                                 m->ended[i].due_s,
                                 m->ended[i].met_s,
                                 j->warned,
                                 true};
        else if (j->missed && j->met_s < 0 && m->ended[i].kept)
            j->met_s = m->ended[i].met_s;
    }
    for (int k = 0; k < KINDS; k++) {
        const struct tally *t = &m->tallies[k];
        struct judged *j = &m->judged[k][t->cycle];
        if (!t->open)
            continue;
        if (!j->there && single) /* time passed, with a wake at each warning before the miss */
            warn(m, k, j);
        if (!j->there && t->due_s >= 0 && t->due_s <= now_s)
            *j = (struct judged){true, true, t->due_s, -1, j->warned, true};
        if (!j->there)
            warn(m, k, j);
        j->known = true;
    }
}

/* ---- comparing ---- */

static const char *const kind_names[KINDS] = {"response", "update", "resolution"};

static const struct wire_val *clock_find(const struct wire_val *ticket, int kind, int cycle)
{
    const struct wire_val *list = wire_find(ticket, "clocks");
    for (size_t i = 0; i < wire_count(list); i++)
        if (span_is(wire_find_str(wire_at(list, i), "clock"), kind_names[kind]) &&
            wire_find_int(wire_at(list, i), "cycle", 0) == cycle)
            return wire_at(list, i);
    return NULL;
}

static char story[8192]; /* the history so far, for the message of a failure */

static void story_add(int64_t at_s, const char *what)
{
    char at[INSTANT_BYTES];
    size_t len = strlen(story);
    (void)instant_format(at_s * US_PER_S, at);
    (void)snprintf(story + len, sizeof story - len, "  %s %s\n", at, what);
}

static void same(const char *what, int kind, int cycle, int64_t got, int64_t want)
{
    if (got != want)
        fail_msg("%s %d: %s is %lld, the model says %lld, after\n%s", kind_names[kind], cycle, what,
                 (long long)got, (long long)want, story);
}

static void check_clock(const struct model *m, const struct wire_val *ticket, int kind, int64_t now_s)
{
    const struct tally *t = &m->tallies[kind];
    const struct judged *j = &m->judged[kind][t->cycle];
    const struct wire_val *clock = clock_find(ticket, kind, t->cycle);
    enum clock_state state = CLOCK_STATES;

    if (!t->open)
        return;
    same("there", kind, t->cycle, clock != NULL, true);
    (void)clock_state_parse(wire_find_str(clock, "state"), &state);
    same("state", kind, t->cycle, (int64_t)state,
         j->there    ? (j->missed ? CLOCK_MISSED : CLOCK_MET)
         : t->paused ? CLOCK_PAUSED
                     : CLOCK_RUNNING);
    int64_t met = wire_find_int(clock, "met_at", -1);
    same("met_at", kind, t->cycle, met < 0 ? met : met / US_PER_S, j->met_s >= 0 && j->there ? j->met_s : -1);
    if (met >= 0)
        return; /* by what counted then; its verdict is compared below */
    bool as_of_now =
        wire_find_int(clock, "as_of_at", 0) == now_s * US_PER_S; /* else nothing was decided since */
    if (as_of_now)
        same("worked_s", kind, t->cycle, wire_find_int(clock, "worked_s", -1), t->used_s);
    if (as_of_now)
        same("paused_s", kind, t->cycle, wire_find_int(clock, "paused_s", -1), t->paused_s);
    same("started_at", kind, t->cycle, wire_find_int(clock, "started_at", -1) / US_PER_S, t->started_s);
    int64_t due = j->there ? j->due_s : t->paused && t->due_s < 0 ? -1 : due_ahead(m, kind, now_s);
    int64_t got = wire_find_int(clock, "due_at", -1);
    same("due_at", kind, t->cycle, got < 0 ? got : got / US_PER_S, due);
    same("warned", kind, t->cycle, wire_find_int(clock, "warned", 0), j->warned);
}

static void check_verdicts(const struct model *m, const struct trial *trial)
{
    size_t want = 0;
    for (int k = 0; k < KINDS; k++)
        for (int c = 0; c < CYCLES_MAX; c++)
            want += m->judged[k][c].there;
    for (size_t i = 0; i < trial_verdict_count(trial); i++) {
        const struct work_verdict *v = trial_verdict(trial, i);
        const struct judged *j = &m->judged[v->kind][v->cycle];
        same("a verdict", (int)v->kind, (int)v->cycle, j->there, true);
        same("missed", (int)v->kind, (int)v->cycle, v->missed, j->missed);
        same("met in the verdict", (int)v->kind, (int)v->cycle,
             v->met_at == CLOCK_NO_INSTANT ? -1 : v->met_at / US_PER_S, j->met_s);
        if (v->missed)
            same("due in the verdict", (int)v->kind, (int)v->cycle, v->due_at / US_PER_S, j->due_s);
    }
    same("the number of verdicts", 0, 0, (int64_t)trial_verdict_count(trial), (int64_t)want);
}

static int told(const struct trial *trial, const char *what)
{
    int count = 0;
    for (size_t i = 0; i < trial_said_count(trial, TRIAL_TOLD); i++)
        count += strncmp(trial_said(trial, TRIAL_TOLD, i), what, strlen(what)) == 0;
    return count;
}

static void check(const struct model *m, struct trial *trial, int64_t now_s)
{
    const struct wire_val *ticket = trial_ticket(trial);
    int missed = 0;

    for (int k = 0; k < KINDS; k++)
        check_clock(m, ticket, k, now_s);
    check_verdicts(m, trial);
    for (size_t i = 0; i < trial_verdict_count(trial); i++)
        missed += trial_verdict(trial, i)->missed;
    same("the number of alerts", 0, 0, told(trial, "staff missed"), missed);
    same("the number of warnings", 0, 0, told(trial, "staff warning"), m->loud);
}

/* What explain tells of the ticket as it is stored: the same clocks from the events, and windows that add up. */
static void check_explained(struct trial *trial, const struct engine *engine, struct decider *decider,
                            int64_t now_s)
{
    struct buf body, out;
    struct wire_doc *work = NULL, *told = NULL;
    struct err err = {0};

    buf_init(&body, 1 << 20);
    buf_init(&out, 4 << 20);
    trial_put_work(trial, now_s * US_PER_S, &body);
    assert_true(wire_parse(body.p, body.len, 32, &work, &err));
    if (!decide_explain(decider, engine, wire_root(work), &out, &err) ||
        !wire_parse(out.p, out.len, 32, &told, &err))
        fail_msg("explain: %s, after\n%s", err.msg, story);
    const struct wire_val *verify = wire_find(wire_root(told), "verify");
    if (wire_find_str(verify, "unknown").len == 0 && !wire_find_bool(verify, "same", false)) {
        struct span first = SPAN_NONE;
        (void)wire_get_str(wire_at(wire_find(verify, "differences"), 0), &first);
        fail_msg("explain: %.*s, after\n%s", (int)first.len, first.p, story);
    }
    const struct wire_val *clocks = wire_find(wire_root(told), "clocks");
    for (size_t i = 0; i < wire_count(clocks); i++) {
        const struct wire_val *clock = wire_at(clocks, i), *windows = wire_find(clock, "windows");
        int64_t counted = 0, paused = 0, last = wire_find_int(clock, "started_at", 0);
        for (size_t k = 0; k < wire_count(windows); k++) {
            const struct wire_val *w = wire_at(windows, k);
            struct span what = wire_find_str(w, "what");
            int64_t seconds = wire_find_int(w, "seconds", 0);
            assert_int_equal(wire_find_int(w, "from_at", 0), last);
            last = wire_find_int(w, "until_at", 0);
            counted += span_is(what, "counted") || span_is(what, "vendor") ? seconds : 0;
            paused += span_is(what, "customer") ? seconds : 0;
        }
        if (wire_find_int(clock, "met_at", -1) >= 0)
            continue; /* its times are those of its verdict, under the promise of then */
        if (counted != wire_find_int(clock, "worked_s", 0) || paused != wire_find_int(clock, "paused_s", 0))
            fail_msg("the windows of clock %zu: counted %lld, paused %lld, after\n%s", i, (long long)counted,
                     (long long)paused, story);
    }
    wire_doc_free(work);
    wire_doc_free(told);
    buf_clear(&body);
    buf_clear(&out);
}

/* ---- the histories ---- */

static uint64_t seed;

static int64_t pick(int64_t count)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)count);
}

static struct wire_doc *doc_of(const char *json)
{
    struct buf bytes;
    struct wire_doc *doc = NULL;
    struct err err = {0};
    buf_init(&bytes, 1 << 16);
    assert_true(wire_from_json(&bytes, json, strlen(json), &err) &&
                wire_parse(bytes.p, bytes.len, 8, &doc, &err));
    buf_clear(&bytes);
    return doc;
}

static bool do_json(struct trial *trial, const char *op, enum desk_role role, const char *json, int64_t at)
{
    struct wire_doc *doc = doc_of(json);
    struct err err = {0};
    bool ok = trial_do(trial, op, (struct trial_as){role, "somebody"}, wire_root(doc), at, &err);
    if (!ok && err.code != ERR_CONFLICT)
        fail_msg("%s: %s, after\n%s", op, err.msg, story);
    wire_doc_free(doc);
    return ok;
}

static void random_act(struct model *m, struct trial *trial, int64_t at_s)
{
    struct happened h = {.at_s = at_s, .act = (enum act)pick(ACTS)};
    char until[128];

    if (h.act == WAIT_UNTIL) {
        h.until_s = at_s + (1 + pick(300)) * STEP_S;
        int64_t until_us = h.until_s * US_PER_S;
        (void)snprintf(until, sizeof until, "{\"on\":\"customer\",\"reason\":\"x\",\"until_at\":%lld}",
                       (long long)until_us);
    }
    if (do_json(trial, acts[h.act].op, acts[h.act].role, h.act == WAIT_UNTIL ? until : acts[h.act].body,
                at_s * US_PER_S)) {
        story_add(at_s, acts[h.act].op);
        m->history[m->count++] = h;
    }
}

static void random_step(struct model *m, struct trial *trial, struct engine *const *engines, int64_t at_s)
{
    struct err err = {0};
    char body[64];

    switch (pick(12)) {
    case 0:
        (void)snprintf(body, sizeof body, "{\"priority\":%d}", 1 + (int)pick(4));
        if (do_json(trial, "prioritize", ROLE_STAFF, body, at_s * US_PER_S)) {
            m->priority = body[12] - '0';
            story_add(at_s, body);
        }
        return;
    case 1:
        m->package = (int)pick(2);
        story_add(at_s, m->package == 0 ? "package a" : "package b");
        assert_true(trial_set_package(trial, m->package == 0 ? "a" : "b", at_s * US_PER_S, &err));
        return;
    case 2:
        m->version = (int)pick(2);
        story_add(at_s, m->version == 0 ? "process 0" : "process 1");
        assert_true(trial_use(trial, engines[m->version], at_s * US_PER_S, &err));
        return;
    case 3:
        story_add(at_s, "restart");
        assert_true(trial_restart(trial, at_s * US_PER_S, &err));
        return;
    case 4:
        assert_true(trial_pass(trial, at_s * US_PER_S, &err));
        return;
    default:
        random_act(m, trial, at_s);
    }
}

static void history(struct engine *const *engines, struct decider *decider, uint64_t number)
{
    struct model m = {.priority = 3};
    struct trial *trial = NULL;
    struct wire_doc *ticket = doc_of("{\"title\":\"x\",\"problem\":\"y\"}");
    struct wire_doc *customer = doc_of("{\"id\":\"c\",\"name\":\"c\",\"package\":\"a\"}");
    struct err err = {0};

    seed = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
    (void)snprintf(story, sizeof story, "  history %llu\n", (unsigned long long)number);
    m.posted_s = base_s + pick(5 * DAY_S / STEP_S) * STEP_S;
    story_add(m.posted_s, "posted");
    assert_true(
        trial_new(engines[0], wire_root(ticket), wire_root(customer), m.posted_s * US_PER_S, &trial, &err));
    model_decide(&m, m.posted_s, false);
    check(&m, trial, m.posted_s);
    int64_t at = m.posted_s;
    for (int i = 0; i < STEPS_MAX; i++) {
        at += pick(3) == 0 ? 0 : pick(pick(4) == 0 ? 400 : 40) * STEP_S;
        model_decide(&m, at, true);
        random_step(&m, trial, engines, at);
        model_decide(&m, at, false);
        check(&m, trial, at);
        if (i % 4 == 3)
            check_explained(trial, engines[m.version], decider, at);
    }
    trial_free(trial);
    wire_doc_free(ticket);
    wire_doc_free(customer);
}

/* HISTORIES=n HISTORY=first: which of them */
static uint64_t number_of(const char *name, uint64_t or_else)
{
    const char *text = getenv(name);
    return text == NULL ? or_else : strtoull(text, NULL, 10);
}

static void test_clocks_any_history_as_the_model_says(void **state)
{
    struct engine *engines[2];
    (void)state;

    assert_true(instant_parse(span_of("2026-03-23T00:00:00Z"), &base_s));
    base_s /= US_PER_S;
    open_fill();
    for (int i = 0; i < 2; i++)
        assert_non_null(engines[i] =
                            engine_of((struct test_files){policies[i], calendars, packages[i], NULL}));
    struct decider *decider = decider_new();
    const uint64_t begin = number_of("HISTORY", 0), count = number_of("HISTORIES", HISTORIES);
    for (uint64_t i = 0; i < count; i++)
        history(engines, decider, begin + i);
    decider_free(decider);
    engine_free(engines[0]);
    engine_free(engines[1]);
}

/* ---- a late worker ---- */

enum { PRIORITIES = ACTS, MOVES }; /* what changes the terms */

/* Whether the op was taken. priority: of a move, which package */
static bool do_act(struct trial *trial, int act, int priority, int64_t at)
{
    struct err err = {0};
    char body[128];

    if (act == MOVES)
        return trial_set_package(trial, priority < 3 ? "a" : "b", at, &err);
    if (act == PRIORITIES) {
        (void)snprintf(body, sizeof body, "{\"priority\":%d}", priority);
        return do_json(trial, "prioritize", ROLE_STAFF, body, at);
    }
    if (act == WAIT_UNTIL)
        (void)snprintf(body, sizeof body, "{\"on\":\"customer\",\"reason\":\"x\",\"until_at\":%lld}",
                       (long long)(at + 40 * STEP_S * US_PER_S));
    return do_json(trial, acts[act].op, acts[act].role, act == WAIT_UNTIL ? body : acts[act].body, at);
}

static const struct work_verdict *verdict_like(const struct trial *trial, const struct work_verdict *like)
{
    for (size_t i = 0; i < trial_verdict_count(trial); i++)
        if (trial_verdict(trial, i)->kind == like->kind && trial_verdict(trial, i)->cycle == like->cycle)
            return trial_verdict(trial, i);
    return NULL;
}

/* The same verdicts, and each miss told once. */
static void same_verdicts(const struct trial *punctual, const struct trial *late)
{
    for (size_t i = 0; i < trial_verdict_count(punctual); i++) {
        const struct work_verdict *want = trial_verdict(punctual, i), *got = verdict_like(late, want);
        int kind = (int)want->kind, cycle = (int)want->cycle;
        same("a verdict of the late one", kind, cycle, got != NULL, true);
        same("late, missed", kind, cycle, got->missed, want->missed);
        same("late, met_at", kind, cycle, got->met_at, want->met_at);
        same("late, priority", kind, cycle, got->priority, want->priority);
        same("late, promise_s", kind, cycle, got->promise_s, want->promise_s);
        same("late, cause", kind, cycle, span_equal(got->cause, want->cause), true);
        same("late, due_at", kind, cycle, got->due_at, want->due_at);
    }
    same("late, the number of verdicts", 0, 0, (int64_t)trial_verdict_count(late),
         (int64_t)trial_verdict_count(punctual));
    same("late, the number of alerts", 0, 0, told(late, "staff missed"), told(punctual, "staff missed"));
}

/* Everything twice: decided at once, and only after each third event or so. */
static bool late_history(const struct engine *engine, uint64_t number)
{
    struct trial *punctual = NULL, *late = NULL;
    struct wire_doc *ticket = doc_of("{\"title\":\"x\",\"problem\":\"y\"}");
    struct wire_doc *customer = doc_of("{\"id\":\"c\",\"name\":\"c\",\"package\":\"a\"}");
    struct err err = {0};
    bool alike = true;

    seed = number * UINT64_C(0x9e3779b97f4a7c15) + 2;
    (void)snprintf(story, sizeof story, "  late history %llu\n", (unsigned long long)number);
    int64_t at = base_s + pick(5 * DAY_S / STEP_S) * STEP_S;
    story_add(at, "posted");
    for (int i = 0; i < 2; i++)
        assert_true(trial_new(engine, wire_root(ticket), wire_root(customer), at * US_PER_S,
                              i == 0 ? &punctual : &late, &err));
    for (int i = 0; i < STEPS_MAX && alike; i++) {
        int act = pick(3) == 0 ? PRIORITIES : pick(6) == 0 ? MOVES : (int)pick(ACTS);
        int priority = 1 + (int)pick(4);
        /* Never the very instant at which something is due: which of the two came first, the events do not tell. Due times lie whole seconds
         * after the posting, or after an event: each event has a part of a second of its own. */
        at += (1 + pick(pick(4) == 0 ? 400 : 40)) * STEP_S + pick(STEP_S);
        int64_t at_us = at * US_PER_S + 1 + pick(US_PER_S - 1);
        bool hold = i + 1 < STEPS_MAX && pick(3) != 0;
        trial_hold(late, hold);
        bool taken = do_act(punctual, act, priority, at_us);
        alike = do_act(late, act, priority, at_us) ==
                taken; /* else a state that the late one did not know yet forbade it */
        if (taken)
            story_add(at, act == MOVES        ? priority < 3 ? "package a" : "package b"
                          : act == PRIORITIES ? (const char *[]){"", "P1", "P2", "P3", "P4"}[priority]
                                              : acts[act].op);
        if (taken && hold)
            story_add(at, "  not decided yet");
    }
    if (alike) {
        trial_hold(late, false);
        assert_true(trial_pass(punctual, (at + 1) * US_PER_S, &err) &&
                    trial_restart(late, (at + 1) * US_PER_S, &err));
        same_verdicts(punctual, late);
    }
    trial_free(punctual);
    trial_free(late);
    wire_doc_free(ticket);
    wire_doc_free(customer);
    return alike;
}

static void test_clocks_a_late_worker_judges_as_a_punctual_one(void **state)
{
    const uint64_t begin = number_of("HISTORY", 0), count = number_of("HISTORIES", HISTORIES);
    uint64_t alike = 0;
    (void)state;

    assert_true(instant_parse(span_of("2026-03-23T00:00:00Z"), &base_s));
    base_s /= US_PER_S;
    for (int version = 0; version < 2; version++) {
        struct engine *engine =
            engine_of((struct test_files){policies[version], calendars, packages[version], NULL});
        assert_non_null(engine);
        for (uint64_t i = 0; i < count; i++)
            alike += late_history(engine, begin + i);
        engine_free(engine);
    }
    assert_true(alike > count / 10); /* it compared something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_any_history_as_the_model_says),
        cmocka_unit_test(test_clocks_a_late_worker_judges_as_a_punctual_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
