/* A layer out of an iCalendar file: each event is a turn of the person its summary names. */
#include "oncall_internal.h"

#include "ics.h"
#include "mem.h"

#include <string.h>

enum { SHOWN_BYTES = 100 };

static bool turn_add(const struct oncall *oncall, struct oncall_layer *layer, const struct ics_span *span,
                     struct faults *faults)
{
    const struct fault_place place = {layer->plan->import, span->line, 1};
    const struct process_person *person = process_person_find(&oncall->process->people, span->summary);

    if (person == NULL) {
        struct span shown = span_cut(span_of(span->summary), SHOWN_BYTES);
        return faults_add(faults, place, "the event's SUMMARY: \"%.*s\" is none of the people in staff.yaml",
                          (int)shown.len, shown.p);
    }
    layer->turns[layer->turn_count++] =
        (struct oncall_turn){person->name, oncall_wall_first(layer->zone, span->from_s),
                             oncall_wall_last(layer->zone, span->until_s)};
    return true;
}

/* An event that comes again is many spans of one line: its fault is told once. */
static bool is_told(const struct faults *faults, const char *file, unsigned line)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->items[i].line == line && strcmp(faults->items[i].file, file) == 0)
            return true;
    return false;
}

/* Of a file that several layers name once. */
static void warn_of_idle(struct oncall *oncall, const struct oncall_layer *layer,
                         const struct ics_spans *spans)
{
    for (size_t i = 0; i < spans->idle_count; i++)
        if (!is_told(&oncall->warnings, layer->plan->import, spans->idle[i]))
            (void)faults_add(
                &oncall->warnings, (struct fault_place){layer->plan->import, spans->idle[i], 1},
                "VEVENT: takes no time, so it is nobody's turn, want a DTEND or DURATION after its DTSTART");
}

bool oncall_import(struct oncall *oncall, struct oncall_layer *layer, const char *zone_dir,
                   struct ics_budget *budget, struct faults *faults)
{
    const struct process_file *file = process_files_find(&oncall->process->files, layer->plan->import);
    const struct span bytes = {file->bytes, file->len};
    struct ics_spans spans = {.items = NULL};

    if (!ics_read(layer->plan->import, bytes, layer->zone, zone_dir, budget, &spans, faults))
        return false;
    layer->turns = mem_new(spans.count, sizeof *layer->turns);
    bool ok = true;
    for (size_t i = 0; i < spans.count; i++)
        if (!is_told(faults, layer->plan->import, spans.items[i].line))
            ok = turn_add(oncall, layer, &spans.items[i], faults) && ok;
    warn_of_idle(oncall, layer, &spans);
    ics_spans_clear(&spans);
    return ok;
}
