/* docket-notifier check DIR: everything that is wrong in a process, with file, line and column, and who will not be on call. */
#include "clock.h"
#include "date.h"
#include "escal_people.h"
#include "instant.h"
#include "offline.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_REFUSED = 1, STATUS_USAGE = 2, GAP_DAYS = 90, GAPS_MAX = 1000 };

struct gaps {
    const struct process_schedule *schedule;
    size_t count;
};

static bool gaps_on_span(void *arg, int64_t from_us, int64_t until_us, const struct oncall_set *set)
{
    struct gaps *gaps = arg;
    char from[INSTANT_BYTES], until[INSTANT_BYTES];

    if (set->count != 0)
        return true;
    if (++gaps->count > GAPS_MAX)
        return true;
    (void)instant_format(from_us, from);
    (void)instant_format(until_us, until);
    (void)fprintf(stderr, "warning: %s:%u:%u: %s: nobody is on call from %s to %s\n",
                  gaps->schedule->place.file, gaps->schedule->place.line, gaps->schedule->place.column,
                  gaps->schedule->name, from, until);
    return true;
}

static void gaps_print(const struct oncall *oncall, int64_t from_at)
{
    static const struct oncall_overrides none = {NULL, 0};

    for (size_t i = 0; i < oncall_count(oncall); i++) {
        struct gaps gaps = {oncall_schedule(oncall, i), 0};
        if (!gaps.schedule->may_have_gaps)
            oncall_walk(oncall, i, none, from_at, from_at + GAP_DAYS * DAY_US, gaps_on_span, &gaps);
        if (gaps.count > GAPS_MAX)
            (void)fprintf(stderr, "warning: %s: … and %zu more\n", gaps.schedule->name,
                          gaps.count - GAPS_MAX);
    }
}

int offline_check(int argc, char **argv)
{
    struct process_files files = {NULL, 0};
    struct escal_people people = {.process = NULL};
    struct faults faults = {0};
    struct err err;
    const char *dir = NULL;
    int64_t from_at = clock_wall_us();

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--from") == 0 && i + 1 < argc && instant_parse(span_of(argv[i + 1]), &from_at))
            i++;
        else if (argv[i][0] != '-' && dir == NULL)
            dir = argv[i];
        else {
            (void)fprintf(stderr, "docket-notifier: %s: %s\n", argv[i],
                          strcmp(argv[i], "--from") == 0 ? "want an instant as 2026-12-24T23:00:00Z"
                                                         : "is not known here");
            dir = NULL;
            i = argc;
        }
    }
    if (dir == NULL) {
        (void)fputs("usage: docket-notifier check DIR [--from INSTANT]\n", stderr);
        return STATUS_USAGE;
    }
    bool ok = process_files_read(dir, &files, &err);
    if (!ok)
        (void)fprintf(stderr, "%s\n", err.msg);
    else
        ok = escal_people_load_files(&people, &files, &faults) && process_refuse(people.process, &faults);
    faults_print(stderr, "", &faults);
    if (ok) {
        faults_print(stderr, "warning: ", &people.process->warnings);
        gaps_print(people.oncall, from_at);
        (void)printf("ok %s\n", people.process->hash);
    }
    faults_clear(&faults);
    escal_people_clear(&people);
    process_files_clear(&files);
    return ok ? 0 : STATUS_REFUSED;
}
