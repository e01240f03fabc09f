/* notify.yaml: limits, quiet hours, windows. All of it may be left out. */
#include "process_internal.h"

#include "date.h"

enum { LIMIT_MOST = 100000, WINDOW_LEAST_S = 60, WINDOW_MOST_S = 86400 };

static const char *const file_keys[] = {"limits", "holds"};
static const char *const limit_keys[] = {"customer", "staff",          "ticket",       "phone",
                                         "chat",     "receipts_alone", "summary_after"};
static const char *const hold_keys[] = {"hold", "to", "kinds", "packages", "quiet", "zone", "every"};
static const char *const to_words[] = {"customer", "staff"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct process_limits default_limits = {.customer_minute = 30,
                                                     .customer_hour = 300,
                                                     .staff_minute = 1,
                                                     .staff_hour = 20,
                                                     .ticket_ten_minutes = 10,
                                                     .ticket_hour = 25,
                                                     .phone_quarter_hour = 3,
                                                     .phone_hour = 7,
                                                     .chat_five_minutes = 10,
                                                     .chat_hour = 120,
                                                     .receipts_alone = 10,
                                                     .summary_after_s = 120};

/* How many in a short time, named by its key, and in an hour. */
struct rate {
    const char *what, *short_key;
    int64_t *in_short, *in_hour;
};

static bool load_rate(struct load *load, const struct yaml_node *limits, const struct rate *rate)
{
    const struct yaml_node *map = yaml_node_find(limits, rate->what);
    const char *const keys[] = {rate->short_key, "hour"};
    int64_t *const values[] = {rate->in_short, rate->in_hour};
    char form[64];

    if (map == NULL)
        return true;
    (void)snprintf(form, sizeof form, "{%s: 3, hour: 7}", rate->short_key);
    if (!load_is_map(load, map, rate->what, form))
        return false;
    bool ok = yaml_node_check_keys(map, rate->what, keys, COUNT(keys), load->faults);
    for (size_t i = 0; i < COUNT(keys); i++) {
        const struct yaml_node *node = yaml_node_find(map, keys[i]);
        if (node != NULL)
            ok = yaml_node_int(node, keys[i], 1, LIMIT_MOST, values[i], load->faults) && ok;
    }
    return ok;
}

static bool load_limits(struct load *load, const struct yaml_node *map)
{
    struct process_limits *limits = &load->process->notify.limits;
    const struct rate rates[] = {
        {"customer", "minute", &limits->customer_minute, &limits->customer_hour},
        {"staff", "minute", &limits->staff_minute, &limits->staff_hour},
        {"ticket", "ten_minutes", &limits->ticket_ten_minutes, &limits->ticket_hour},
        {"phone", "quarter_hour", &limits->phone_quarter_hour, &limits->phone_hour},
        {"chat", "five_minutes", &limits->chat_five_minutes, &limits->chat_hour},
    };
    const struct yaml_node *alone = yaml_node_find(map, "receipts_alone"),
                           *after = yaml_node_find(map, "summary_after");

    if (!load_is_map(load, map, "limits", "{customer: {minute: 30, hour: 300}}"))
        return false;
    bool ok = yaml_node_check_keys(map, "limits", limit_keys, COUNT(limit_keys), load->faults);
    for (size_t i = 0; i < COUNT(rates); i++)
        ok = load_rate(load, map, &rates[i]) && ok;
    if (alone != NULL)
        ok = yaml_node_int(alone, "receipts_alone", 1, LIMIT_MOST, &limits->receipts_alone, load->faults) &&
             ok;
    if (after == NULL)
        return ok;
    if (!load_duration(load, after, "summary_after", &limits->summary_after_s, NULL))
        return false;
    if (limits->summary_after_s < 1 || limits->summary_after_s > DAY_S)
        (void)faults_add(&load->process->refusals, after->place, "summary_after: want 1s to 1d");
    return ok;
}

/* What it waits for: exactly one of quiet and every. */
static bool load_until(struct load *load, const struct yaml_node *map, struct process_hold *hold)
{
    const struct yaml_node *quiet = yaml_node_find(map, "quiet"), *every = yaml_node_find(map, "every");
    const struct yaml_node *zone = yaml_node_find(map, "zone");

    if ((quiet != NULL) == (every != NULL))
        return faults_add(load->faults, map->place,
                          "hold: want either quiet (hours of the week) or every (a window)");
    if (quiet != NULL) {
        struct process_day *week = process_alloc(load->process, 7, sizeof *week);
        hold->quiet = week;
        return load_week(load, quiet, week) && (zone == NULL || load_zone_name(load, zone, &hold->zone));
    }
    if (zone != NULL)
        return faults_add(load->faults, zone->place, "zone: belongs to quiet");
    if (!load_duration(load, every, "every", &hold->every_s, NULL))
        return false;
    if (hold->every_s < WINDOW_LEAST_S || hold->every_s > WINDOW_MOST_S)
        return faults_add(load->faults, every->place, "every: want 1m to 1d");
    return true;
}

static bool load_hold(struct load *load, const struct yaml_node *map, struct process_hold *hold)
{
    const struct yaml_node *name = yaml_node_find(map, "hold"), *to = yaml_node_find(map, "to");
    const struct yaml_node *kinds = yaml_node_find(map, "kinds"), *packages = yaml_node_find(map, "packages");
    size_t whom = 0;

    if (!load_is_map(load, map, "hold", "{hold: nights, to: customer, quiet: {mon-sun: [20:00-07:00]}}"))
        return false;
    bool ok = yaml_node_check_keys(map, "hold", hold_keys, COUNT(hold_keys), load->faults);
    if (name == NULL || to == NULL)
        return faults_add(load->faults, map->place, "hold: want a name (hold) and whom it is for (to)");
    ok = load_line(load, name, "hold", PROCESS_TEXT_MAX, &hold->name) && ok;
    ok = load_choice(load, to, "to", to_words, COUNT(to_words), &whom) && ok;
    hold->to_customers = whom == 0;
    if (kinds != NULL)
        ok = load_name_list(load, kinds, "kinds", load_name, &hold->kinds) && ok;
    if (packages != NULL)
        ok = load_name_list(load, packages, "packages", load_name, &hold->packages) && ok;
    for (size_t i = 0; i < hold->packages.count; i++)
        if (!load->packages_unread && !process_package_known(load->process, span_of(hold->packages.items[i])))
            ok = process_package_refuse(load->process, "packages", hold->packages.items[i],
                                        node_one(packages, i)->place, load->faults);
    return load_until(load, map, hold) && ok;
}

bool load_notify(struct load *load, const struct yaml_node *root)
{
    struct process_notify *notify = &load->process->notify;
    const struct yaml_node *limits = yaml_node_find(root, "limits"), *holds = yaml_node_find(root, "holds");
    bool ok = true;

    notify->limits = default_limits;
    if (root == NULL || yaml_node_is_null(root))
        return true;
    if (!load_is_map(load, root, "notify.yaml", "{limits: {…}, holds: […]}"))
        return false;
    ok = yaml_node_check_keys(root, "notify.yaml", file_keys, COUNT(file_keys), load->faults);
    if (limits != NULL)
        ok = load_limits(load, limits) && ok;
    if (holds == NULL)
        return ok;
    if (!load_is_list(load, holds, "holds",
                      "[{hold: nights, to: customer, quiet: {mon-sun: [20:00-07:00]}}]"))
        return false;
    if (!load_at_most(load, holds, "holds", NOTIFY_HOLDS_MAX))
        return false;
    notify->holds = process_alloc(load->process, holds->count, sizeof *notify->holds);
    notify->hold_count = holds->count;
    for (size_t i = 0; i < holds->count; i++)
        ok = load_hold(load, holds->items[i], &notify->holds[i]) && ok;
    return ok;
}
