/* What a case expects to be said in a step: whom the desk told what, what it asked the customer, of which clocks it warned; see cases.h.
 *
 * Each list is all of it, in order. A name that there is none of would never be said, and the case say so of the process: it is told where it
 * stands. */
#include "cases_internal.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { SAID_BYTES = 2048, PERCENTS = 100, WARNING_BYTES = 20 };

/* ---- names ---- */

static bool is_among(struct case_state *run, const struct yaml_node *name, const char *key,
                     const char *const *names, size_t count)
{
    char hint[FAULTS_HINT_BYTES];

    for (size_t i = 0; i < count; i++)
        if (strcmp(name->text, names[i]) == 0)
            return true;
    faults_hint(name->text, names, count, hint, sizeof hint);
    return faults_add(run->faults, name->place, "%s: \"%s\" is none%s", key, name->text, hint);
}

static bool asked_is_known(struct case_state *run, const struct yaml_node *want)
{
    const struct process_policy *policy = &engine_process(run->engine)->policy;
    const char **names = mem_new(policy->question_count + 1, sizeof *names);
    bool ok = true;

    for (size_t i = 0; i < policy->question_count; i++)
        names[i] = policy->questions[i].name;
    for (size_t i = 0; i < case_texts_count(want); i++)
        ok = is_among(run, case_text_at(want, i), "asked", names, policy->question_count) && ok;
    free(names);
    return ok;
}

/* At which parts of its time some package and priority warns of a clock. */
struct warnings {
    bool there[CLOCK_KINDS][PERCENTS];
};

static void warnings_of(const struct engine *engine, const struct process_package *package, int priority,
                        struct warnings *ret)
{
    struct clock_terms terms;

    engine_terms(engine, package, priority, SPAN_NONE, &terms);
    for (size_t k = 0; k < CLOCK_KINDS; k++) {
        const struct clock_promise *promise = &terms.promises[k];
        for (size_t i = 0; promise->promised && i < promise->warning_count; i++)
            ret->there[k][promise->warnings[i].used_us * PERCENTS / promise->promise_us] = true;
    }
}

static bool warned_is_known(struct case_state *run, const struct yaml_node *want)
{
    const struct process *process = engine_process(run->engine);
    char texts[CLOCK_KINDS * PERCENTS][WARNING_BYTES];
    const char *names[CLOCK_KINDS * PERCENTS];
    struct warnings warnings = {0};
    size_t count = 0;
    bool ok = true;

    for (size_t i = 0; i < process->package_count; i++)
        for (int priority = 1; priority <= PROCESS_PRIORITIES; priority++)
            warnings_of(run->engine, &process->packages[i], priority, &warnings);
    for (size_t k = 0; k < CLOCK_KINDS; k++)
        for (int percent = 0; percent < PERCENTS; percent++)
            if (warnings.there[k][percent]) {
                (void)snprintf(texts[count], sizeof texts[count], "%s %d%%",
                               clock_kind_name((enum clock_kind)k), percent);
                names[count] = texts[count];
                count++;
            }
    for (size_t i = 0; i < case_texts_count(want); i++)
        ok = is_among(run, case_text_at(want, i), "warned", names, count) && ok;
    return ok;
}

/* ---- lists ---- */

static void list_add(char text[SAID_BYTES], const char *item)
{
    size_t len = strlen(text);

    (void)snprintf(text + len, SAID_BYTES - len, "%s%s", len == 0 ? "" : ", ", item);
}

static const struct row {
    const char *key, *form;
    enum trial_list list;
    bool (*is_known)(struct case_state *run, const struct yaml_node *want);
} rows[] = {{"told", "[customer received, staff alert p1]", TRIAL_TOLD, NULL},
            {"asked", "[equipment, details]", TRIAL_ASKED, asked_is_known},
            {"warned", "[response 50%, response 80%]", TRIAL_WARNED, warned_is_known}};

static void expect_list(struct case_state *run, const struct row *row, const struct yaml_node *want)
{
    char got[SAID_BYTES] = "", wanted[SAID_BYTES] = "";

    if (!case_is_texts(run, want, row->key, row->form) ||
        (row->is_known != NULL && !row->is_known(run, want)))
        return;
    for (size_t i = run->seen[row->list]; i < trial_said_count(run->trial, row->list); i++)
        list_add(got, trial_said(run->trial, row->list, i));
    for (size_t i = 0; i < case_texts_count(want); i++)
        list_add(wanted, case_text_at(want, i)->text);
    if (strcmp(got, wanted) != 0)
        case_differ(run, row->key, wanted[0] == '\0' ? "nothing" : wanted, got[0] == '\0' ? "nothing" : got);
}

void case_expect_said(struct case_state *run, const struct yaml_node *want)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct yaml_node *node = yaml_node_find(want, rows[i].key);
        if (node != NULL)
            expect_list(run, &rows[i], node);
    }
}
