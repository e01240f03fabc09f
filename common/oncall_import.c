/* A layer out of an iCalendar file: each event is a turn of the person its summary names. */
#include "oncall_internal.h"

#include "ics.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = PROCESS_NAME_MAX + 1 };

/* The next line of the file; false at its end. Folded parts are not joined: no summary of ours is that long. */
static bool line_next(const char **at, const char *end, struct span *ret)
{
    if (*at >= end)
        return false;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    const char *next = stop == NULL ? end : stop + 1;
    size_t len = (size_t)((stop == NULL ? end : stop) - *at);
    if (len > 0 && (*at)[len - 1] == '\r')
        len--;
    *ret = (struct span){*at, len};
    *at = next;
    return true;
}

/* "SUMMARY:ada", "SUMMARY;LANGUAGE=en:ada": what follows the first colon. */
static bool line_is_summary(struct span line, char ret[NAME_BYTES])
{
    static const char name[] = "SUMMARY";
    size_t len = sizeof name - 1;

    if (line.len <= len || strncmp(line.p, name, len) != 0 || (line.p[len] != ':' && line.p[len] != ';'))
        return false;
    const char *colon = memchr(line.p, ':', line.len);
    if (colon == NULL)
        return false;
    (void)snprintf(ret, NAME_BYTES, "%.*s", (int)(line.len - (size_t)(colon + 1 - line.p)), colon + 1);
    return true;
}

/* The summary of the event whose BEGIN stands in a line, "" for none. */
static void summary_of(struct span bytes, unsigned line, char ret[NAME_BYTES])
{
    const char *at = bytes.p, *end = bytes.p + bytes.len;
    struct span text;
    unsigned number = 0;

    ret[0] = '\0';
    while (line_next(&at, end, &text)) {
        number++;
        if (number > line && (line_is_summary(text, ret) || span_is(text, "END:VEVENT")))
            return;
    }
}

static bool turn_add(const struct oncall *oncall, struct oncall_layer *layer, struct span bytes,
                     const struct ics_span *span, struct faults *faults)
{
    const struct fault_place place = {layer->plan->import, span->line, 1};
    char name[NAME_BYTES];

    summary_of(bytes, span->line, name);
    const struct process_person *person = process_person_find(&oncall->process->people, name);
    if (person == NULL)
        return faults_add(faults, place, "the event's SUMMARY: \"%s\" is none of the people in staff.yaml",
                          name);
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

bool oncall_import(const struct oncall *oncall, struct oncall_layer *layer, const char *zone_dir,
                   struct ics_budget *budget, struct faults *faults)
{
    const struct process_file *file = process_files_find(&oncall->process->files, layer->plan->import);
    const struct span bytes = {file->bytes, file->len};
    struct ics_spans spans = {NULL, 0};

    if (!ics_read(layer->plan->import, bytes, layer->zone, zone_dir, budget, &spans, faults))
        return false;
    layer->turns = mem_new(spans.count, sizeof *layer->turns);
    bool ok = true;
    for (size_t i = 0; i < spans.count; i++)
        if (!is_told(faults, layer->plan->import, spans.items[i].line))
            ok = turn_add(oncall, layer, bytes, &spans.items[i], faults) && ok;
    ics_spans_clear(&spans);
    return ok;
}
