/* From content lines to events. Each property of an event is read by libical alone, so that a fault has its line. */
#include "ics_internal.h"

#include "date.h"
#include "mem.h"
#include "zone_windows.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libical/ical.h>

enum { DEPTH_MAX = 8, NAME_BYTES = 32, RULE_DIGITS_MAX = 8, ZONES_MAX = 50 };

/* ---- values ---- */

/* The value of a content line: behind the first colon that is not inside quotes. */
static struct span line_value(const struct ics_line *line)
{
    bool quoted = false;

    for (size_t i = 0; i < line->len; i++) {
        if (line->text[i] == '"')
            quoted = !quoted;
        else if (line->text[i] == ':' && !quoted)
            return (struct span){line->text + i + 1, line->len - i - 1};
    }
    return SPAN_NONE;
}

/* Programs put their own path before a zone's name: "/freeassociation.sourceforge.net/Europe/Vienna". The last three, then two words of it are
 * tried, then what Windows may mean. err: what is wrong with the name as it stands */
static bool zone_open_named(const struct ics_reader *reader, const char *name, struct zone **ret,
                            struct err *err)
{
    const char *windows = zone_of_windows(name);
    size_t slashes = 0, at = strlen(name);
    struct err ignored;

    if (zone_open(reader->zone_dir, name, ret, err))
        return true;
    if (windows != NULL)
        return zone_open(reader->zone_dir, windows, ret, err);
    const char *tails[4] = {NULL};
    for (; name[0] == '/' && at-- > 0 && slashes < 3;)
        if (name[at] == '/')
            tails[++slashes] = name + at + 1;
    for (; slashes > 1; slashes--)
        if (zone_open(reader->zone_dir, tails[slashes], ret, &ignored))
            return true;
    return false;
}

/* The zone of a TZID, opened once a file. */
static const struct zone *zone_find(struct ics_reader *reader, const char *name, unsigned line)
{
    struct zone *zone = NULL;
    struct err err = {0};

    for (size_t i = 0; i < reader->zone_count; i++)
        if (strcmp(reader->zone_names[i], name) == 0)
            return reader->zones[i];
    if (reader->zone_count == ZONES_MAX) {
        (void)ics_fault(reader, line, "TZID: more than %d zones in a file", ZONES_MAX);
        return NULL;
    }
    if (!zone_open_named(reader, name, &zone, &err)) {
        (void)ics_fault(reader, line, "TZID: %s", err.msg);
        return NULL;
    }
    reader->zones = mem_grow(reader->zones, reader->zone_count + 1, sizeof(struct zone *));
    reader->zone_names = mem_grow(reader->zone_names, reader->zone_count + 1, sizeof(char *));
    reader->zones[reader->zone_count] = zone;
    reader->zone_names[reader->zone_count++] = mem_strdup(name);
    return zone;
}

/* Whether the line says VALUE=DATE. Asked of the text, because libical corrects the parameter by the value. */
static bool line_says_date(const char *text, const char *value)
{
    static const char says[] = ";VALUE=DATE";

    for (const char *p = text; p + sizeof says - 1 < value; p++)
        if (strncasecmp(p, says, sizeof says - 1) == 0 &&
            (p[sizeof says - 1] == ':' || p[sizeof says - 1] == ';'))
            return true;
    return false;
}

/* ---- properties ---- */

struct property {
    struct ics_reader *reader;
    struct ics_event *event;
    icalproperty *parsed;
    const char *text; /* the whole line */
    struct span value;
    unsigned line;
};

static bool moment_read(const struct property *p, const char *name, struct span text, struct ics_moment *ret)
{
    icalparameter *tzid = icalproperty_get_first_parameter(p->parsed, ICAL_TZID_PARAMETER);
    struct ics_moment moment;

    if (!ics_moment_parse(text, &moment))
        return ics_fault(p->reader, p->line, "%s: \"%.*s\" is no date, want YYYYMMDD or YYYYMMDDTHHMMSS[Z]",
                         name, (int)(text.len < 60 ? text.len : 60), text.p);
    if (!moment.time.is_date && line_says_date(p->text, p->value.p))
        return ics_fault(p->reader, p->line, "%s: says VALUE=DATE and has a time", name);
    if (tzid != NULL && !moment.time.is_date && moment.frame != ICS_UTC) {
        moment.frame = ICS_ZONE;
        moment.zone = zone_find(p->reader, icalparameter_get_tzid(tzid), p->line);
        if (moment.zone == NULL)
            return false;
    }
    *ret = moment;
    return true;
}

/* A list of dates with commas between. */
static bool moments_read(const struct property *p, const char *name, struct ics_moments *list)
{
    struct span text = p->value;
    size_t at = 0;

    while (at <= text.len) {
        const char *comma = at < text.len ? memchr(text.p + at, ',', text.len - at) : NULL;
        size_t end = comma == NULL ? text.len : (size_t)(comma - text.p);
        struct span item = {text.p + at, end - at};
        if (list->count == ICS_DATES_MAX)
            return ics_fault(p->reader, p->line, "%s: more than %d dates", name, ICS_DATES_MAX);
        if ((list->count & (list->count + 1)) == 0) /* grows to the next power of two */
            list->items = mem_grow(list->items, 2 * list->count + 2, sizeof *list->items);
        if (!moment_read(p, name, item, &list->items[list->count]))
            return false;
        list->count++;
        at = end + 1;
    }
    return true;
}

static bool once(const struct property *p, const char *name, bool *has)
{
    if (*has)
        return ics_fault(p->reader, p->line, "%s: a second one in this event", name);
    *has = true;
    return true;
}

static bool read_start(const struct property *p)
{
    return once(p, "DTSTART", &p->event->has_start) && moment_read(p, "DTSTART", p->value, &p->event->start);
}

static bool read_end(const struct property *p)
{
    return once(p, "DTEND", &p->event->has_end) && moment_read(p, "DTEND", p->value, &p->event->end);
}

static bool read_duration(const struct property *p)
{
    struct icaldurationtype duration = icalproperty_get_duration(p->parsed);

    if (icaldurationtype_is_bad_duration(duration) || duration.is_neg || duration.weeks > 100 ||
        duration.days > 1000 || duration.hours > 24000 || duration.minutes > 1000000 ||
        duration.seconds > 100000000)
        return ics_fault(p->reader, p->line,
                         "DURATION: \"%.*s\" is not allowed, want one such as P1D or PT4H",
                         (int)(p->value.len < 60 ? p->value.len : 60), p->value.p);
    p->event->exact_s =
        (int64_t)duration.hours * 3600 + (int64_t)duration.minutes * 60 + (int64_t)duration.seconds;
    p->event->duration_s =
        (int64_t)duration.weeks * 7 * DAY_S + (int64_t)duration.days * DAY_S + p->event->exact_s;
    return once(p, "DURATION", &p->event->has_duration);
}

static bool read_exdate(const struct property *p)
{
    return moments_read(p, "EXDATE", &p->event->exdates);
}

static bool read_rdate(const struct property *p)
{
    return moments_read(p, "RDATE", &p->event->rdates);
}

static bool read_recurrence_id(const struct property *p)
{
    if (icalproperty_get_first_parameter(p->parsed, ICAL_RANGE_PARAMETER) != NULL)
        return ics_fault(p->reader, p->line, "RECURRENCE-ID: RANGE is not allowed, want one instance");
    return once(p, "RECURRENCE-ID", &p->event->has_recurrence_id) &&
           moment_read(p, "RECURRENCE-ID", p->value, &p->event->recurrence_id);
}

static bool read_uid(const struct property *p)
{
    bool has = p->event->uid != NULL;

    if (!once(p, "UID", &has))
        return false;
    p->event->uid = mem_strndup(p->value.p, p->value.len);
    return true;
}

static bool read_status(const struct property *p)
{
    p->event->is_cancelled = p->value.len == 9 && strncasecmp(p->value.p, "CANCELLED", 9) == 0;
    return true;
}

/* Without the backslashes of text, and without blanks around it. */
static bool read_summary(const struct property *p)
{
    const char *text = icalproperty_get_summary(p->parsed);
    bool has = p->event->summary != NULL;

    if (!once(p, "SUMMARY", &has))
        return false;
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len != 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    p->event->summary = mem_strndup(text, len);
    return true;
}

/* ---- recurrence rules ---- */

static const char *const rule_parts[] = {"FREQ",     "INTERVAL", "COUNT",      "UNTIL",
                                         "BYDAY",    "BYMONTH",  "BYMONTHDAY", "BYYEARDAY",
                                         "BYWEEKNO", "BYSETPOS", "WKST"};
enum { RULE_PART_COUNT = sizeof rule_parts / sizeof rule_parts[0] };

static bool rule_fault(const struct property *p, struct span part, const char *want)
{
    return ics_fault(p->reader, p->line, "RRULE: \"%.*s\" is not allowed, want %s",
                     (int)(part.len < 60 ? part.len : 60), part.p, want);
}

/* libical wraps numbers that are too long. */
static bool rule_numbers_are_short(struct span value)
{
    size_t run = 0;

    for (size_t i = 0; i < value.len; i++) {
        run = value.p[i] >= '0' && value.p[i] <= '9' ? run + 1 : 0;
        if (run > RULE_DIGITS_MAX)
            return false;
    }
    return true;
}

static bool rule_check_part(const struct property *p, struct span part, bool *seen)
{
    const char *equals = memchr(part.p, '=', part.len);
    size_t len = equals == NULL ? 0 : (size_t)(equals - part.p), i = 0;
    struct span value = {part.p + len + 1, equals == NULL ? 0 : part.len - len - 1};
    struct ics_moment until;

    while (i < RULE_PART_COUNT &&
           (strlen(rule_parts[i]) != len || strncasecmp(rule_parts[i], part.p, len) != 0))
        i++;
    if (i == RULE_PART_COUNT)
        return rule_fault(p, part,
                          "FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTH, BYMONTHDAY, BYYEARDAY, BYWEEKNO, "
                          "BYSETPOS or WKST");
    if (seen[i])
        return rule_fault(p, part, "each part once");
    seen[i] = true;
    if (!rule_numbers_are_short(value))
        return rule_fault(p, part, "a number of at most 8 digits");
    if (i == 0) {
        static const char *const allowed[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
        size_t k = 0;
        while (k < 4 && (strlen(allowed[k]) != value.len || strncasecmp(allowed[k], value.p, value.len) != 0))
            k++;
        p->event->is_daily = k == 0;
        return k < 4 || rule_fault(p, part, "FREQ=DAILY, WEEKLY, MONTHLY or YEARLY");
    }
    return strcmp(rule_parts[i], "UNTIL") != 0 || ics_moment_parse(value, &until) ||
           rule_fault(p, part, "UNTIL=YYYYMMDD or YYYYMMDDTHHMMSSZ");
}

static bool read_rule(const struct property *p)
{
    bool seen[RULE_PART_COUNT] = {false}, has = p->event->rule != NULL;
    struct ics_reader *reader = p->reader;

    if (!once(p, "RRULE", &has))
        return false;
    for (size_t at = 0; at < p->value.len;) {
        const char *end = memchr(p->value.p + at, ';', p->value.len - at);
        size_t len = end == NULL ? p->value.len - at : (size_t)(end - p->value.p) - at;
        if (!rule_check_part(p, (struct span){p->value.p + at, len}, seen))
            return false;
        at += len + 1;
    }
    if (!seen[0])
        return ics_fault(reader, p->line, "RRULE: has no FREQ");
    if (++reader->rule_count > ICS_RULES_MAX)
        return ics_fault(reader, p->line, "RRULE: more than %d in a file", ICS_RULES_MAX);
    if (p->event->is_daily && ++reader->daily_count > ICS_DAILY_RULES_MAX)
        return ics_fault(reader, p->line, "RRULE: more than %d with FREQ=DAILY in a file",
                         ICS_DAILY_RULES_MAX);
    p->event->rule = mem_strndup(p->value.p, p->value.len);
    p->event->rule_line = p->line;
    return true;
}

static bool refuse_exrule(const struct property *p)
{
    return ics_fault(p->reader, p->line, "EXRULE: is not allowed, want EXDATE");
}

static const struct {
    const char *name;
    bool (*read)(const struct property *);
} properties[] = {{"DTSTART", read_start},     {"DTEND", read_end},
                  {"DURATION", read_duration}, {"RRULE", read_rule},
                  {"EXDATE", read_exdate},     {"RDATE", read_rdate},
                  {"UID", read_uid},           {"RECURRENCE-ID", read_recurrence_id},
                  {"STATUS", read_status},     {"EXRULE", refuse_exrule},
                  {"SUMMARY", read_summary}};
enum { PROPERTIES = sizeof properties / sizeof properties[0] };

static bool name_is(const char *text, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(text, name, len) == 0;
}

/* Google writes each that it knows, also when it says nothing. */
static bool says_nothing(const struct ics_line *line, size_t name_len)
{
    struct span value = line_value(line);
    bool means_nothing = value.p != NULL && value.len == 0;

    for (size_t i = 0; i < PROPERTIES; i++)
        means_nothing = means_nothing && (!name_is(line->text, name_len, properties[i].name) ||
                                          properties[i].read == read_summary);
    return means_nothing;
}

/* Any property of an event must be one for libical; those of the table mean something here. */
static bool property_read(struct ics_reader *reader, struct ics_event *event, const struct ics_line *line,
                          size_t name_len)
{
    struct property p = {reader,           event,       icalproperty_new_from_string(line->text), line->text,
                         line_value(line), line->number};
    bool ok = p.parsed != NULL && p.value.p != NULL;

    if (!ok)
        (void)ics_fault(reader, line->number, "%.*s: is not a property that can be read%s",
                        (int)(name_len < NAME_BYTES ? name_len : NAME_BYTES), line->text,
                        name_is(line->text, name_len, "RRULE")
                            ? ", want one such as FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25"
                            : "");
    for (size_t i = 0; ok && i < PROPERTIES; i++)
        if (name_is(line->text, name_len, properties[i].name)) {
            ok = properties[i].read(&p);
            break;
        }
    if (p.parsed != NULL)
        icalproperty_free(p.parsed);
    return ok;
}

/* ---- structure ---- */

struct nesting {
    char names[DEPTH_MAX][NAME_BYTES];
    size_t depth;
    struct ics_event *event; /* of the open VEVENT */
    size_t event_depth;
};

static bool event_begin(struct ics_reader *reader, struct nesting *n, const struct ics_line *line)
{
    if (reader->event_count == ICS_EVENTS_MAX)
        return ics_fault(reader, line->number, "more than %d events", ICS_EVENTS_MAX);
    if (reader->event_count == reader->event_room) {
        reader->event_room = reader->event_room == 0 ? 64 : 2 * reader->event_room;
        reader->events = mem_grow(reader->events, reader->event_room, sizeof *reader->events);
    }
    n->event = &reader->events[reader->event_count++];
    *n->event = (struct ics_event){.line = line->number};
    n->event_depth = n->depth;
    return true;
}

static bool event_end(struct ics_reader *reader, const struct ics_event *event)
{
    if (!event->has_start)
        return ics_fault(reader, event->line, "VEVENT: has no DTSTART");
    if (event->has_end && event->has_duration)
        return ics_fault(reader, event->line, "VEVENT: has both DTEND and DURATION, want one");
    if (event->has_end && event->end.time.is_date != event->start.time.is_date)
        return ics_fault(reader, event->line, "VEVENT: one of DTSTART and DTEND is a date, the other a time");
    if (event->has_recurrence_id && event->rule != NULL)
        return ics_fault(reader, event->line, "VEVENT: has both RECURRENCE-ID and RRULE");
    return true;
}

static bool nesting_begin(struct ics_reader *reader, struct nesting *n, const struct ics_line *line,
                          struct span name)
{
    if (n->depth == DEPTH_MAX || name.len == 0 || name.len >= NAME_BYTES)
        return ics_fault(reader, line->number, "BEGIN: nested too deep, or of no name");
    if ((n->depth == 0) != name_is(name.p, name.len, "VCALENDAR"))
        return ics_fault(reader, line->number, "BEGIN: want VCALENDAR outermost, and nowhere else");
    memcpy(n->names[n->depth], name.p, name.len);
    n->names[n->depth++][name.len] = '\0';
    return !name_is(name.p, name.len, "VEVENT") || n->event != NULL || event_begin(reader, n, line);
}

static bool nesting_end(struct ics_reader *reader, struct nesting *n, const struct ics_line *line,
                        struct span name)
{
    if (n->depth == 0 || !name_is(name.p, name.len, n->names[n->depth - 1]))
        return ics_fault(reader, line->number, "END: closes what is not open");
    bool closes_event = n->event != NULL && n->depth == n->event_depth;
    n->depth--;
    if (!closes_event)
        return true;
    const struct ics_event *event = n->event;
    n->event = NULL;
    return event_end(reader, event);
}

static bool line_read(struct ics_reader *reader, struct nesting *n, const struct ics_line *line)
{
    struct span value = line_value(line);
    size_t name_len = strcspn(line->text, ";:");

    if (value.p == NULL || name_len == 0)
        return ics_fault(reader, line->number, "is no line of iCalendar, want NAME:VALUE");
    if (name_is(line->text, name_len, "BEGIN"))
        return nesting_begin(reader, n, line, value);
    if (name_is(line->text, name_len, "END"))
        return nesting_end(reader, n, line, value);
    if (n->depth == 0)
        return ics_fault(reader, line->number, "is outside of BEGIN:VCALENDAR");
    if (n->event == NULL || n->depth != n->event_depth)
        return true; /* of the calendar, a time zone, an alarm */
    if (says_nothing(line, name_len))
        return true;
    return property_read(reader, n->event, line, name_len);
}

bool ics_events_read(struct ics_reader *reader, const struct ics_lines *lines)
{
    struct nesting n = {.depth = 0};
    bool ok = true;

    icalerror_set_errors_are_fatal(0);
    for (size_t i = 0; i < lines->count; i++)
        ok = line_read(reader, &n, &lines->items[i]) && ok;
    if (lines->count == 0)
        return ics_fault(reader, 0, "is empty, want BEGIN:VCALENDAR");
    if (n.depth != 0)
        ok = ics_fault(reader, lines->items[lines->count - 1].number, "ends before END:%s",
                       n.names[n.depth - 1]);
    return ok;
}

void ics_events_clear(struct ics_reader *reader)
{
    for (size_t i = 0; i < reader->event_count; i++) {
        free(reader->events[i].uid);
        free(reader->events[i].rule);
        free(reader->events[i].summary);
        free(reader->events[i].exdates.items);
        free(reader->events[i].rdates.items);
    }
    for (size_t i = 0; i < reader->zone_count; i++) {
        zone_free(reader->zones[i]);
        free(reader->zone_names[i]);
    }
    free(reader->events);
    free(reader->zones);
    free(reader->zone_names);
}
