/* docket-notifier simulate DIR: who would be told what and when of an alert that nobody answers, or that somebody acknowledges. The same
 * step function, the same targets, no database, nothing is sent. */
#include "clock.h"
#include "escal_people.h"
#include "instant.h"
#include "offline.h"
#include "wire.h"
#include "yaml_node.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_REFUSED = 1, STATUS_USAGE = 2, STEPS_MAX = 2000, LINE_BYTES_MAX = 1 << 20 };

static const char usage[] = "usage: docket-notifier simulate DIR [--priority 1] [--kind "
                            "alert|missed|dead|ops] [--cause p1] [--queue NAME]\n"
                            "                                    [--assignee NAME] [--at INSTANT] [--for "
                            "24h] [--ack NAME --ack-after 7m]\n"
                            "                                    [--resolve-after 2h] [--json]\n"
                            "\n"
                            "Who would be told of such an alert, when and how. Every channel is taken as "
                            "open; overrides are in the database and\n"
                            "not known here. INSTANT is RFC 3339, now by default.\n";

struct simulation {
    const char *dir, *kind, *cause, *queue, *assignee, *ack;
    int64_t priority, at, length_s, ack_after_s, resolve_after_s; /* -1: never */
    bool json;

    struct escal_people people;
    const struct process_escalation *policy;
    struct escal_state state;
    const char *acker; /* as the alert's row has it when the step begins: nobody unless it is acknowledged */
    struct escal_now now;
    /* when the first of those that were told hears of it: what is not urgent waits for their hours */
    int64_t told_at;
    struct escal_delay delay;
    struct buf line;
};

/* ---- arguments ---- */

enum argument_kind { ARG_TEXT, ARG_NUMBER, ARG_INSTANT, ARG_SPAN };

struct argument {
    const char *name;
    enum argument_kind kind;
    size_t place;
};

#define AT(field) offsetof(struct simulation, field)

static const struct argument arguments[] = {
    {"--kind", ARG_TEXT, AT(kind)},
    {"--cause", ARG_TEXT, AT(cause)},
    {"--queue", ARG_TEXT, AT(queue)},
    {"--assignee", ARG_TEXT, AT(assignee)},
    {"--ack", ARG_TEXT, AT(ack)},
    {"--priority", ARG_NUMBER, AT(priority)},
    {"--at", ARG_INSTANT, AT(at)},
    {"--for", ARG_SPAN, AT(length_s)},
    {"--ack-after", ARG_SPAN, AT(ack_after_s)},
    {"--resolve-after", ARG_SPAN, AT(resolve_after_s)},
};

static bool argument_take(struct simulation *s, const struct argument *argument, const char *value)
{
    void *place = (char *)s + argument->place;
    bool working = false;

    switch (argument->kind) {
    case ARG_TEXT:
        *(const char **)place = value;
        return true;
    case ARG_NUMBER:
        return decimal_parse(value, place) && s->priority >= 1 && s->priority <= PROCESS_PRIORITIES;
    case ARG_INSTANT:
        return instant_parse(span_of(value), place);
    case ARG_SPAN:
        return process_duration_parse(value, place, &working) && !working;
    }
    return false;
}

static bool refuse(const char *name, const char *why)
{
    (void)fprintf(stderr, "docket-notifier: %s: %s\n", name, why);
    return false;
}

static bool kind_is_known(const char *kind)
{
    static const char *const kinds[] = {"alert", "missed", "dead", "ops"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

/* What each has to do with the others; and the cause that an alert of this kind and priority has, unless one is named. */
static bool arguments_agree(struct simulation *s)
{
    if (s->dir == NULL)
        return refuse("DIR", "which process?");
    if (!kind_is_known(s->kind))
        return refuse("--kind", "want alert, missed, dead or ops");
    if ((s->ack == NULL) != (s->ack_after_s < 0))
        return refuse("--ack", "needs --ack-after, which needs --ack");
    if (s->cause == NULL)
        s->cause = strcmp(s->kind, "missed") == 0                      ? "missed"
                   : strcmp(s->kind, "alert") == 0 && s->priority == 1 ? "p1"
                   : strcmp(s->kind, "alert") == 0 && s->priority == 2 ? "p2"
                                                                       : "";
    return true;
}

static const char *argument_wants(enum argument_kind kind)
{
    static const char *const wants[] = {[ARG_TEXT] = "want a name",
                                        [ARG_NUMBER] = "want 1, 2, 3 or 4",
                                        [ARG_INSTANT] = "want an instant as 2026-12-24T23:00:00Z",
                                        [ARG_SPAN] = "want a span of time as 90s, 7m or 2h"};
    return wants[kind];
}

static bool arguments_take(struct simulation *s, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        size_t k = 0;
        while (k < sizeof arguments / sizeof arguments[0] && strcmp(argv[i], arguments[k].name) != 0)
            k++;
        if (k < sizeof arguments / sizeof arguments[0]) {
            if (i + 1 == argc || !argument_take(s, &arguments[k], argv[i + 1]))
                return refuse(argv[i], argument_wants(arguments[k].kind));
            i++;
        } else if (strcmp(argv[i], "--json") == 0) {
            s->json = true;
        } else if (argv[i][0] != '-' && s->dir == NULL) {
            s->dir = argv[i];
        } else {
            return refuse(argv[i], "is not known here");
        }
    }
    return arguments_agree(s);
}

/* ---- printing ---- */

static bool every_channel(void *arg, const char *channel)
{
    (void)arg;
    (void)channel;
    return true;
}

static struct escal_scene scene_of(const struct simulation *s)
{
    struct escal_scene scene = escal_people_scene(&s->people, s->now.at);
    scene.assignee = s->assignee;
    scene.queue = s->queue;
    scene.acker = s->acker;
    scene.desk_address = "staff_address";
    scene.ops_address = "ops_address";
    scene.is_open = every_channel;
    return scene;
}

static void step_pages(const struct simulation *s, const struct escal_step *step, struct pages *ret)
{
    struct escal_scene scene = scene_of(s);

    pages_clear(ret);
    escal_targets_step(&scene, s->policy, step, ret);
}

/* "ada by phone, then xmpp, email; ben by email from 2026-11-30T08:00:00Z; desk by email": from when their working hours begin. */
static void pages_format(const struct pages *pages, struct buf *out)
{
    for (size_t i = 0; i < pages->count; i++) {
        const struct page *page = &pages->items[i];
        if (page->way == 0)
            buf_printf(out, "%s%s by %s", i == 0 ? "" : "; ", page->recipient, page->channel);
        else
            buf_printf(out, "%s%s", page->way == 1 ? ", then " : ", ", page->channel);
        if (page->not_before != 0 && (i + 1 == pages->count || pages->items[i + 1].way == 0)) {
            char from[INSTANT_BYTES];
            (void)instant_format(page->not_before / US_PER_S * US_PER_S, from);
            buf_printf(out, " from %s", from);
        }
    }
}

static void step_print_json(struct simulation *s, const struct escal_step *step, const struct pages *pages)
{
    struct wire_doc *doc = NULL;
    struct buf bytes, text;
    struct err err;

    buf_init(&bytes, LINE_BYTES_MAX);
    buf_init(&text, LINE_BYTES_MAX);
    wire_put_map(&bytes, 6);
    wire_put_key_int(&bytes, "at", s->now.at);
    wire_put_key_text(&bytes, "what", escal_what_name(step->what));
    wire_put_key_int(&bytes, "generation", step->generation);
    wire_put_key_int(&bytes, "round", step->round);
    wire_put_key_int(&bytes, "level", step->level + 1);
    wire_put_text(&bytes, "told");
    wire_put_list(&bytes, pages->count);
    for (size_t i = 0; i < pages->count; i++) {
        wire_put_map(&bytes, 4);
        wire_put_key_text(&bytes, "recipient", pages->items[i].recipient);
        wire_put_key_text(&bytes, "channel", pages->items[i].channel);
        wire_put_key_int(&bytes, "way", pages->items[i].way);
        wire_put_key_int(&bytes, "not_before",
                         pages->items[i].not_before == 0 ? s->now.at : pages->items[i].not_before);
    }
    if (wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &err))
        wire_to_json(&text, wire_root(doc));
    (void)printf("%s\n", buf_text(&text));
    wire_doc_free(doc);
    buf_clear(&bytes);
    buf_clear(&text);
}

static void step_print(struct simulation *s, const struct escal_step *step)
{
    struct pages pages;
    char at[INSTANT_BYTES];
    int64_t minutes = (s->now.at - s->at) / (60 * US_PER_S);

    step_pages(s, step, &pages);
    if (s->json) {
        step_print_json(s, step, &pages);
        return;
    }
    buf_reset(&s->line);
    pages_format(&pages, &s->line);
    if (pages.people_left_out != 0)
        buf_printf(&s->line, "; %zu more find no room", pages.people_left_out);
    (void)instant_format(s->now.at / US_PER_S * US_PER_S, at);
    (void)printf("%3lld:%02lld  %s  %-11s ", (long long)(minutes / 60), (long long)(minutes % 60), at,
                 escal_what_name(step->what));
    if (step->what == ESCAL_PAGE)
        (void)printf("level %d%s  ", (int)step->level + 1, step->round > 0 ? ", again" : "");
    (void)printf("%s\n", step->what == ESCAL_OVER ? "everybody who had been told"
                         : pages.count == 0       ? "nobody can be reached"
                                                  : buf_text(&s->line));
}

/* ---- the play ---- */

static void note_told(struct simulation *s, const struct escal_step *step)
{
    struct pages pages;

    step_pages(s, step, &pages);
    for (size_t i = 0; i < pages.count; i++) {
        int64_t at = pages.items[i].not_before == 0 ? s->now.at : pages.items[i].not_before;
        s->told_at = at < s->told_at ? at : s->told_at;
    }
}

static void step(struct simulation *s)
{
    struct escal_result result;
    struct escal_scene scene;

    s->acker = s->state.is == ESCAL_ACKED ? s->ack : NULL;
    s->now.was_told = s->told_at <= s->now.at;
    scene = scene_of(s);
    escal_targets_reach(&scene, s->policy, s->now.reach);
    escal_run(s->policy, &s->state, &s->now, &result);
    s->state = result.state;
    for (size_t i = 0; i < result.count; i++) {
        note_told(s, &result.steps[i]);
        step_print(s, &result.steps[i]);
    }
}

/* What people do, at its time. */
static int64_t next_event(const struct simulation *s)
{
    int64_t at = ESCAL_NEVER;
    if (s->ack != NULL && s->ack_after_s >= 0 && s->state.is == ESCAL_OPEN && s->state.generation == 1)
        at = s->at + s->ack_after_s * US_PER_S;
    if (s->resolve_after_s >= 0 && s->state.is != ESCAL_RESOLVED &&
        s->at + s->resolve_after_s * US_PER_S < at)
        at = s->at + s->resolve_after_s * US_PER_S;
    return at;
}

static void do_event(struct simulation *s)
{
    if (s->resolve_after_s >= 0 && s->now.at >= s->at + s->resolve_after_s * US_PER_S) {
        s->state.is = ESCAL_RESOLVED;
        s->state.next_at = s->now.at;
        return;
    }
    s->state.is = ESCAL_ACKED;
    s->state.acked_at = s->now.at;
    s->state.next_at = s->now.at;
    if (!s->json)
        (void)printf("%3lld:%02lld  %s acknowledges\n", (long long)(s->ack_after_s / 3600),
                     (long long)(s->ack_after_s / 60 % 60), s->ack);
}

/* What comes after the time that was asked for, so that nothing looks like the end that is none. */
static void print_rest(const struct simulation *s)
{
    char at[INSTANT_BYTES];

    if (s->json || s->state.next_at == ESCAL_NEVER)
        return;
    (void)instant_format(s->state.next_at / US_PER_S * US_PER_S, at);
    (void)printf("goes on at %s (--for shows more)\n", at);
}

static void play(struct simulation *s)
{
    int64_t until_at = s->at + s->length_s * US_PER_S;

    s->delay = (struct escal_delay){&s->people, s->policy};
    s->state = (struct escal_state){.generation = 1, .since_at = s->at};
    s->told_at = ESCAL_NEVER;
    s->now = (struct escal_now){.at = s->at, .due = escal_people_due, .due_arg = &s->delay};
    for (int steps = 0; steps < STEPS_MAX; steps++) {
        step(s);
        int64_t event_at = next_event(s), next_at = s->state.next_at;
        bool is_event = event_at < next_at;
        next_at = is_event ? event_at : next_at;
        if (next_at == ESCAL_NEVER || next_at > until_at)
            break;
        s->now.at = next_at > s->now.at ? next_at : s->now.at;
        if (is_event)
            do_event(s);
    }
    print_rest(s);
}

static bool load(struct simulation *s)
{
    struct process_files files = {NULL, 0};
    struct faults faults = {0};
    struct err err;
    bool ok = process_files_read(s->dir, &files, &err);

    if (!ok)
        (void)fprintf(stderr, "%s\n", err.msg);
    ok = ok && escal_people_load_files(&s->people, &files, &faults);
    faults_print(stderr, "", &faults);
    faults_clear(&faults);
    process_files_clear(&files);
    return ok;
}

int offline_simulate(int argc, char **argv)
{
    struct simulation s = {.kind = "alert",
                           .priority = 1,
                           .at = clock_wall_us(),
                           .length_s = 86400,
                           .ack_after_s = -1,
                           .resolve_after_s = -1};

    if (!arguments_take(&s, argc, argv)) {
        (void)fputs(usage, stderr);
        return STATUS_USAGE;
    }
    if (!load(&s)) {
        escal_people_clear(&s.people);
        return STATUS_REFUSED;
    }
    const struct process_alert_facts facts = {s.kind, s.cause, s.queue, (int)s.priority};
    s.policy = process_escalation_of(escal_people_plan(&s.people), &facts);
    buf_init(&s.line, LINE_BYTES_MAX);
    if (!s.json)
        (void)printf("policy %s, %s\n", s.policy->name, process_urgency_name(s.policy->urgency));
    play(&s);
    buf_clear(&s.line);
    escal_people_clear(&s.people);
    return 0;
}
