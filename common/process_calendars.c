/* calendars.yaml: opening hours, holidays, special days, as they are written. Zones and iCalendar files are
 * the worker's. */
#include "process_internal.h"

#include "date.h"
#include "instant.h"

#include <string.h>

enum {
    CALENDARS_MAX = 200,
    INTERVALS_MAX = 48,
    SPECIALS_MAX = 5000,
    HOLIDAY_FILES_MAX = 20,     /* of a calendar */
    HOLIDAY_READINGS_MAX = 400, /* of all calendars together: reading one takes time */
    YEAR_LEAST = 1970,
    YEAR_MOST = 2100
};

static const char *const keys[] = {"zone", "hours", "holidays", "holiday_files", "special"};
static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

#define INTERVAL_WANT "want HH:MM-HH:MM, such as 09:00-17:30, 22:00-06:00 or 00:00-24:00"

static bool two_digits(const char **at, int most, int32_t *ret)
{
    const char *p = *at;
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *ret = (p[0] - '0') * 10 + (p[1] - '0');
    *at = p + 2;
    return *ret <= most;
}

/* "09:00", "09:00:30", "24:00" to seconds of the day. */
static bool time_parse(const char **at, int32_t *ret)
{
    int32_t hour = 0, minute = 0, second = 0;
    if (!two_digits(at, 24, &hour) || *(*at)++ != ':' || !two_digits(at, 59, &minute))
        return false;
    if (**at == ':') {
        (*at)++;
        if (!two_digits(at, 59, &second))
            return false;
    }
    *ret = (hour * 60 + minute) * 60 + second;
    return *ret <= DAY_S;
}

static bool interval_parse(const char *text, struct process_interval *ret)
{
    struct process_interval got = {0, 0};
    const char *at = text;
    if (!time_parse(&at, &got.from_s) || *at++ != '-' || !time_parse(&at, &got.until_s) || *at != '\0')
        return false;
    if (got.from_s == got.until_s || got.from_s == DAY_S)
        return false;
    *ret = got;
    return true;
}

static bool load_day(struct load *load, const struct yaml_node *list, const char *what,
                     struct process_day *ret)
{
    bool ok = load_is_list(load, list, what, "[09:00-12:30, 13:30-18:00]");

    if (!ok)
        return false;
    if (list->count > INTERVALS_MAX)
        return faults_add(load->faults, list->place, "%s: has %zu intervals, want at most %d", what,
                          list->count, INTERVALS_MAX);
    ret->intervals = process_alloc(load->process, list->count, sizeof *ret->intervals);
    ret->count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = list->items[i];
        if (item->kind != NODE_SCALAR)
            ok = faults_add(load->faults, item->place, "%s: is %s, " INTERVAL_WANT, what,
                            yaml_node_kind_name(item));
        else if (!interval_parse(item->text, &ret->intervals[ret->count]))
            ok = faults_add(load->faults, item->place, "%s: \"%s\" is not allowed, " INTERVAL_WANT, what,
                            item->text);
        else
            ret->count++;
    }
    return ok;
}

static int day_find(const char *text, size_t len)
{
    for (int day = 0; day < 7; day++)
        if (len == 3 && strncmp(text, day_names[day], 3) == 0)
            return day;
    return -1;
}

/* "mon", "mon-thu", "sun-thu" (round the end of the week). */
static bool days_parse(const char *text, int *ret_first, int *ret_last)
{
    size_t len = strlen(text);
    *ret_first = day_find(text, len < 3 ? len : 3);
    *ret_last = *ret_first;
    if (len == 7 && text[3] == '-')
        *ret_last = day_find(text + 4, 3);
    else if (len != 3)
        return false;
    return *ret_first >= 0 && *ret_last >= 0;
}

bool load_time(struct load *load, const struct yaml_node *node, const char *what, int32_t *ret_s)
{
    const char *at = node->text;
    int32_t got = 0;

    if (node->kind != NODE_SCALAR || !time_parse(&at, &got) || *at != '\0' || got == DAY_S)
        return faults_add(load->faults, node->place,
                          "%s: \"%s\" is no time of the day, want HH:MM, such as 09:00", what, node->text);
    *ret_s = got;
    return true;
}

bool load_week(struct load *load, const struct yaml_node *map, struct process_day week[7])
{
    bool given[7] = {false};
    bool ok = load_is_map(load, map, "hours", "{mon-thu: [09:00-17:00], fri: [09:00-12:00]}");

    for (size_t i = 0; i < map->count && map->kind == NODE_MAP; i++) {
        const struct yaml_node *key = map->keys[i];
        struct process_day day = {NULL, 0};
        int first = 0, last = 0;
        if (!days_parse(key->text, &first, &last)) {
            ok = faults_add(load->faults, key->place,
                            "hours: \"%s\" is not allowed, want a day or a range, such as mon or mon-thu",
                            key->text);
            continue;
        }
        ok = load_day(load, map->items[i], key->text, &day) && ok;
        for (int d = first;; d = (d + 1) % 7) {
            if (given[d])
                ok = faults_add(load->faults, key->place, "hours: %s is given twice", day_names[d]);
            given[d] = true;
            week[d] = day;
            if (d == last)
                break;
        }
    }
    return ok;
}

static bool date_parse(const char *text, int32_t *ret)
{
    int year, month, day;

    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' ||
        !instant_digits(text, 4, YEAR_LEAST, YEAR_MOST, &year) ||
        !instant_digits(text + 5, 2, 1, 12, &month) || !instant_digits(text + 8, 2, 1, 31, &day) ||
        !date_is(year, month, day))
        return false;
    *ret = (int32_t)date_days(year, month, day);
    return true;
}

bool load_date(struct load *load, const struct yaml_node *node, const char *what, int32_t *ret)
{
    if (node->kind == NODE_SCALAR && date_parse(node->text, ret))
        return true;
    return faults_add(load->faults, node->place, "%s: \"%s\" is no date, want YYYY-MM-DD from %d to %d", what,
                      node->text, YEAR_LEAST, YEAR_MOST);
}

static bool load_dates(struct load *load, const struct yaml_node *holidays, const struct yaml_node *special,
                       struct process_calendar *calendar)
{
    size_t holiday_count = holidays != NULL ? holidays->count : 0,
           special_count = special != NULL ? special->count : 0;
    bool ok = true;

    if (holidays != NULL && !load_is_list(load, holidays, "holidays", "[2026-12-25, 2026-12-26]"))
        return false;
    if (special != NULL &&
        !load_is_map(load, special, "special", "{2026-12-24: [09:00-12:00], 2026-12-31: []}"))
        return false;
    if (holiday_count + special_count > SPECIALS_MAX)
        return faults_add(load->faults, calendar->place,
                          "%s: has %zu holidays and special days, want at most %d", calendar->name,
                          holiday_count + special_count, SPECIALS_MAX);
    calendar->specials =
        process_alloc(load->process, holiday_count + special_count, sizeof *calendar->specials);
    for (size_t i = 0; i < holiday_count; i++) {
        struct process_special *day = &calendar->specials[calendar->special_count];
        day->holiday = true;
        if (load_date(load, holidays->items[i], "holidays", &day->date))
            calendar->special_count++;
        else
            ok = false;
    }
    for (size_t i = 0; i < special_count; i++) {
        struct process_special *day = &calendar->specials[calendar->special_count];
        day->holiday = false;
        if (load_date(load, special->keys[i], "special", &day->date) &&
            load_day(load, special->items[i], special->keys[i]->text, &day->day))
            calendar->special_count++;
        else
            ok = false;
    }
    return ok;
}

static bool holiday_file_add(struct load *load, const struct yaml_node *node,
                             struct process_calendar *calendar)
{
    const struct process_files *files = &load->process->files;
    const char *names[PROCESS_FILES_MAX], *text = NULL;
    size_t count = 0;

    if (!yaml_node_text(node, "holiday_files", PROCESS_FILE_NAME_MAX, &text, load->faults))
        return false;
    for (size_t i = 0; i < files->count && count < PROCESS_FILES_MAX; i++) {
        const char *name = files->items[i].name;
        if (strncmp(name, "holidays/", strlen("holidays/")) != 0)
            continue;
        names[count++] = name;
        if (strcmp(name, text) != 0)
            continue;
        for (size_t k = 0; k < calendar->holiday_file_count; k++)
            if (calendar->holiday_files[k] == name)
                return faults_add(load->faults, node->place, "holiday_files: \"%s\" is given twice", text);
        calendar->holiday_files[calendar->holiday_file_count++] = name;
        return true;
    }
    char hint[FAULTS_HINT_BYTES];
    faults_hint(text, names, count, hint, sizeof hint);
    return faults_add(load->faults, node->place, "holiday_files: \"%s\" is no file of this process%s", text,
                      count == 0 ? ", want one such as holidays/de.ics" : hint);
}

static bool load_holiday_files(struct load *load, const struct yaml_node *list,
                               struct process_calendar *calendar)
{
    bool ok = load_is_list(load, list, "holiday_files", "[holidays/de.ics]");
    size_t readings = list->count;

    if (!ok)
        return false;
    for (size_t i = 0; i < load->process->calendar_count; i++)
        readings += load->process->calendars[i].holiday_file_count;
    if (list->count > HOLIDAY_FILES_MAX || readings > HOLIDAY_READINGS_MAX)
        return faults_add(load->faults, list->place,
                          "holiday_files: %zu here and %zu in all calendars, want at most %d and %d",
                          list->count, readings, HOLIDAY_FILES_MAX, HOLIDAY_READINGS_MAX);
    calendar->holiday_files = process_alloc(load->process, list->count, sizeof *calendar->holiday_files);
    for (size_t i = 0; i < list->count; i++)
        ok = holiday_file_add(load, list->items[i], calendar) && ok;
    return ok;
}

static bool calendar_has_hours(const struct process_calendar *calendar)
{
    for (int day = 0; day < 7; day++)
        if (calendar->week[day].count > 0)
            return true;
    return false;
}

static bool load_calendar(struct load *load, const struct yaml_node *map, struct process_calendar *calendar)
{
    const struct yaml_node *zone = yaml_node_find(map, "zone"), *hours = yaml_node_find(map, "hours"),
                           *files = yaml_node_find(map, "holiday_files");
    const char *text = NULL;
    bool ok =
        load_is_map(load, map, calendar->name, "{zone: Europe/Berlin, hours: {mon-fri: [09:00-17:00]}}");

    if (!ok)
        return false;
    ok = yaml_node_check_keys(map, calendar->name, keys, sizeof keys / sizeof keys[0], load->faults);
    calendar->zone = load->process->policy.zone;
    calendar->zone_place =
        load->process->policy.zone_place.line != 0 ? load->process->policy.zone_place : map->place;
    if (zone != NULL && !yaml_node_text(zone, "zone", PROCESS_NAME_MAX, &text, load->faults))
        ok = false;
    else if (zone != NULL)
        calendar->zone = process_text(load->process, text), calendar->zone_place = zone->place;
    if (hours != NULL)
        ok = load_week(load, hours, calendar->week) && ok;
    if (ok && !calendar_has_hours(calendar))
        ok = faults_add(load->faults, calendar->place,
                        "%s: has no hours, so it would never be open, want hours", calendar->name);
    ok = load_dates(load, yaml_node_find(map, "holidays"), yaml_node_find(map, "special"), calendar) && ok;
    if (files != NULL)
        ok = load_holiday_files(load, files, calendar) && ok;
    return ok;
}

bool load_calendars(struct load *load, const struct yaml_node *root)
{
    struct process *process = load->process;
    bool ok = true;

    if (yaml_node_is_null(root))
        return true;
    if (!load_is_map(load, root, "the file", "{office: {hours: {mon-fri: [09:00-17:00]}}}"))
        return false;
    if (!load_at_most(load, root, "the file", CALENDARS_MAX))
        return false;
    process->calendars = process_alloc(process, root->count, sizeof *process->calendars);
    for (size_t i = 0; i < root->count; i++) {
        struct process_calendar *calendar = &process->calendars[process->calendar_count];
        calendar->place = root->keys[i]->place;
        if (!load_name(load, root->keys[i], "a calendar", &calendar->name)) {
            ok = false;
            continue;
        }
        process->calendar_count++; /* known by its name even when it is at fault: one fault is told once */
        if (strcmp(calendar->name, PROCESS_ALWAYS) == 0)
            ok = faults_add(load->faults, calendar->place, "%s: is built in, want another name",
                            PROCESS_ALWAYS);
        else
            ok = load_calendar(load, root->items[i], calendar) && ok;
    }
    return ok;
}
