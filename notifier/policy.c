/* Whether a message waits; see policy.h. */
#include "policy.h"
#include "date.h"
#include "instant.h"
#include "process.h"

#include <stdio.h>
#include <string.h>

enum { QUIET_DAYS_MAX = 10 };

static bool names_have(const struct process_names *names, struct span name)
{
    for (size_t i = 0; i < names->count; i++)
        if (span_is(name, names->items[i]))
            return true;
    return false;
}

/* Only these may wait at all. */
static bool may_wait(const struct policy_message *message)
{
    static const char *const never[] = {"alert",      "alert_over", "alert_reminder", "missed", "undelivered",
                                        "mute_ended", "handover",   "receipts",       "digest", "meeting"};

    /* Whose network is down does not sleep. */
    if (message->priority == 1 || message->priority == 2)
        return false;
    if (message->audience == AUDIENCE_CUSTOMER)
        return strcmp(message->kind, "update") == 0 || strcmp(message->kind, "tell") == 0;
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (strcmp(message->kind, never[i]) == 0)
            return false;
    return true;
}

static bool hold_fits(const struct process_hold *hold, const struct policy_message *message)
{
    if (hold->to_customers != (message->audience == AUDIENCE_CUSTOMER))
        return false;
    if (hold->kinds.count != 0 && !names_have(&hold->kinds, span_of(message->kind)))
        return false;
    return hold->packages.count == 0 || names_have(&hold->packages, message->package);
}

/* Seconds on the wall clock since 1970 at an instant, and the instant of such seconds. */
static int64_t wall_of(const struct zone *zone, int64_t at_s)
{
    return at_s + (zone == NULL ? 0 : zone_offset(zone, at_s));
}

static int64_t instant_of(const struct zone *zone, int64_t wall_s)
{
    int64_t at = wall_s - (zone == NULL ? 0 : zone_offset(zone, wall_s));
    return wall_s - (zone == NULL ? 0 : zone_offset(zone, at));
}

/* The end of the quiet interval that a wall time lies in; the same time when it lies in none. One that begins the day before may reach
 * over midnight. */
static int64_t quiet_end(const struct process_day week[7], int64_t wall_s)
{
    int64_t today = date_of_wall(wall_s);

    for (int64_t day = today - 1; day <= today; day++) {
        const struct process_day *hours = &week[date_weekday(day)];
        for (size_t i = 0; i < hours->count; i++) {
            int64_t from = day * DAY_S + hours->intervals[i].from_s,
                    until = day * DAY_S + hours->intervals[i].until_s;
            if (until <= from)
                until += DAY_S;
            if (wall_s >= from && wall_s < until)
                return until;
        }
    }
    return wall_s;
}

/* Intervals may follow one another: Friday evening, Saturday, Sunday. */
static int64_t quiet_until(const struct process_hold *hold, const struct zone *zone, int64_t at_s)
{
    int64_t wall = wall_of(zone, at_s), end;

    for (int i = 0; i < QUIET_DAYS_MAX && (end = quiet_end(hold->quiet, wall)) != wall; i++)
        wall = end;
    return wall == wall_of(zone, at_s) ? at_s : instant_of(zone, wall);
}

bool policy_holds(const struct process_notify *notify, const struct policy_message *message,
                  policy_zone_fn *zone, void *arg, int64_t *ret_until, char ret_why[POLICY_WHY_BYTES])
{
    int64_t at_s = message->now / US_PER_S, until_s = at_s;
    const struct process_hold *by = NULL;
    char until[INSTANT_BYTES];

    if (!may_wait(message))
        return false;
    for (size_t i = 0; i < notify->hold_count; i++) {
        const struct process_hold *hold = &notify->holds[i];
        int64_t end_s;
        if (!hold_fits(hold, message))
            continue;
        if (hold->quiet != NULL)
            end_s =
                quiet_until(hold, hold->zone == NULL ? message->reader_zone : zone(arg, hold->zone), at_s);
        else
            end_s = (at_s / hold->every_s + 1) * hold->every_s;
        if (end_s > until_s) {
            until_s = end_s;
            by = hold;
        }
    }
    if (by == NULL)
        return false;
    *ret_until = until_s * US_PER_S;
    (void)instant_format(*ret_until, until);
    (void)snprintf(ret_why, POLICY_WHY_BYTES, "waits until %s: %s", until, by->name);
    return true;
}

struct policy_rate policy_rate_of(const struct process_limits *limits, enum policy_limit limit)
{
    if (limit == POLICY_LIMIT_PHONE)
        return (struct policy_rate){.short_us = 15 * 60 * US_PER_S,
                                    .long_us = 3600 * US_PER_S,
                                    .customer_short = limits->phone_quarter_hour,
                                    .customer_long = limits->phone_hour,
                                    .staff_short = limits->phone_quarter_hour,
                                    .staff_long = limits->phone_hour};
    if (limit == POLICY_LIMIT_CHAT)
        return (struct policy_rate){.short_us = 5 * 60 * US_PER_S,
                                    .long_us = 3600 * US_PER_S,
                                    .customer_short = limits->chat_five_minutes,
                                    .customer_long = limits->chat_hour,
                                    .staff_short = limits->chat_five_minutes,
                                    .staff_long = limits->chat_hour};
    return (struct policy_rate){.short_us = 60 * US_PER_S,
                                .long_us = 3600 * US_PER_S,
                                .customer_short = limits->customer_minute,
                                .customer_long = limits->customer_hour,
                                .staff_short = limits->staff_minute,
                                .staff_long = limits->staff_hour};
}
