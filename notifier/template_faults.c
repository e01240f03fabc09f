/* Faults of templates, told to ops; see template_faults.h. */
#include "template_faults.h"
#include "clock.h"
#include "found.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "statements.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS_MAX = 40, CAUSE_BYTES = 60 };

struct template_faults {
    struct notifier *notifier;
    struct found items[KINDS_MAX];
    size_t count, told; /* known; of them written, or being written */
    bool ended;         /* those of the process before are to be ended */
    bool telling;       /* a statement is under way */
    bool telling_end;   /* it is that one */
    int64_t at_us;      /* monotonic: none before */
};

struct template_faults *template_faults_new(struct notifier *notifier)
{
    struct template_faults *faults = mem_new(1, sizeof *faults);
    faults->notifier = notifier;
    return faults;
}

void template_faults_free(struct template_faults *faults)
{
    free(faults);
}

void template_faults_note(struct template_faults *faults, const char *kind, const char *why)
{
    char cause[CAUSE_BYTES];

    (void)snprintf(cause, sizeof cause, "template:%.40s", kind);
    for (size_t i = 0; i < faults->count; i++)
        if (strcmp(faults->items[i].cause, cause) == 0)
            return;
    if (faults->count == KINDS_MAX)
        return;
    struct found *fault = &faults->items[faults->count++];
    (void)snprintf(fault->cause, sizeof fault->cause, "%s", cause);
    (void)snprintf(
        fault->text, sizeof fault->text,
        "The template for \"%.40s\" failed (%.300s): plain words went out. Mend it and apply the process.",
        kind, why);
}

void template_faults_end(struct template_faults *faults)
{
    faults->count = faults->told = 0;
    faults->ended = true;
}

static void on_written(void *arg, const struct pg_end *end)
{
    struct template_faults *faults = arg;

    faults->telling = false;
    if (end->outcome == PG_OK)
        return;
    log_event(LOG_ERROR, "template_faults_unwritten", "sqlstate=%s message=%s", end->sqlstate,
              log_quote(end->message));
    faults->ended = faults->ended || faults->telling_end;
    faults->told = 0; /* again: an alert that is open stays one */
    faults->at_us = clock_mono_us() + US_PER_S;
}

/* fault: NULL: ends all that are like the pattern. */
static void fault_send(struct template_faults *faults, const struct found *fault, const char *pattern)
{
    struct notifier *notifier = faults->notifier;

    faults->telling = true;
    faults->telling_end = fault == NULL;
    found_put(notifier->params, fault, fault != NULL, pattern, 3);
    (void)pg_send(notifier->tell, TELL_FOUND_ALERTS, notifier->params, NULL, NULL);
    pg_sync(notifier->tell, on_written, faults);
}

void template_faults_tick(struct template_faults *faults)
{
    if (faults->telling || clock_mono_us() < faults->at_us)
        return;
    if (faults->ended) {
        faults->ended = false;
        fault_send(faults, NULL, "template:%");
    } else if (faults->told < faults->count) {
        const struct found *fault = &faults->items[faults->told++];
        fault_send(faults, fault, fault->cause);
    }
}
