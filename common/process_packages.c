/* packages.yaml: what each support package has, and what it promises; and the promises of all packages, in
 * process.yaml. */
#include "process_internal.h"

#include <stdio.h>
#include <string.h>

enum { WEIGHT_MAX = 1000, PACKAGES_MAX = 200 };
#define GRACE_DEFAULT_S INT64_C(300)

static const char *const keys[] = {"channels", "meetings", "weight",   "calendar",
                                   "targets",  "grace",    "warnings", "close_unanswered_after"};
static const char *const clock_keys[] = {"response", "update", "resolution"};

/* At once can be promised of a response alone: words that are due again with each word, or a solution, nobody keeps. */
static void check_at_once(struct load *load, const struct yaml_node *node, int clock,
                          const struct process_target *target)
{
    if (target->seconds == 0 && clock != PROCESS_RESPONSE)
        (void)faults_add(&load->process->refusals, node->place,
                         "%s: \"%s\" is not allowed, want a time, or ~: not promised", clock_keys[clock],
                         node->text);
}

/* One priority's promises; a clock that is not named keeps what stands in ret. */
static bool load_promises(struct load *load, const struct yaml_node *map,
                          struct process_target ret[PROCESS_CLOCKS])
{
    if (!load_is_map(load, map, "targets", "{response: 1h, update: 2h}"))
        return false;
    bool ok = yaml_node_check_keys(map, "targets", clock_keys, PROCESS_CLOCKS, load->faults);
    for (int clock = 0; clock < PROCESS_CLOCKS; clock++) {
        const struct yaml_node *node = yaml_node_find(map, clock_keys[clock]);
        struct process_target target = {.promised = true};
        if (node == NULL)
            continue;
        if (yaml_node_is_null(node))
            ret[clock] = (struct process_target){.promised = false}; /* taken back for this package */
        else if (!load_duration(load, node, clock_keys[clock], &target.seconds, &target.working))
            ok = false;
        else
            check_at_once(load, node, clock, &target), ret[clock] = target;
    }
    return ok;
}

static bool load_targets(struct load *load, const struct yaml_node *map,
                         struct process_target ret[PROCESS_PRIORITIES + 1][PROCESS_CLOCKS])
{
    bool ok = load_is_map(load, map, "targets", "{1: {response: 0m}, 2: {response: 1h}}");
    for (size_t i = 0; i < map->count && map->kind == NODE_MAP; i++) {
        int64_t priority = 0;
        if (!yaml_node_int(map->keys[i], "targets", 1, PROCESS_PRIORITIES, &priority, load->faults) ||
            !load_promises(load, map->items[i], ret[priority]))
            ok = false;
    }
    return ok;
}

/* {at: 80%} or {before: 30m}, with tell: assignee or boards. */
static bool load_warning(struct load *load, const struct yaml_node *map, struct process_warning *ret)
{
    static const char *const warning_keys[] = {"at", "before", "tell"}, *const tells[] = {"assignee",
                                                                                          "boards"};
    size_t tell = 0;

    *ret = (struct process_warning){.place = map->place};
    if (!load_is_map(load, map, "warnings", "{at: 80%}"))
        return false;
    const struct yaml_node *at = yaml_node_find(map, "at"), *before = yaml_node_find(map, "before");
    const struct yaml_node *to = yaml_node_find(map, "tell");
    bool ok = yaml_node_check_keys(map, "warnings", warning_keys, 3, load->faults);
    if ((at == NULL) == (before == NULL))
        return faults_add(load->faults, map->place, "warnings: want either at or before, e.g. {at: 80%%}");
    if (at != NULL) {
        char end = '\0';
        int percent = 0;
        if (at->kind != NODE_SCALAR || sscanf(at->text, "%2d%c", &percent, &end) != 2 || end != '%' ||
            percent < 1 || at->text[percent < 10 ? 2 : 3] != '\0')
            return faults_add(load->faults, at->place, "at: want 1%% to 99%% of the promised time");
        ret->percent = percent;
    } else {
        ok = load_duration(load, before, "before", &ret->before_s, NULL) && ok;
        if (ok && ret->before_s == 0)
            ok = faults_add(load->faults, before->place, "before: 0 is not allowed: then it is missed");
    }
    ok = (to == NULL || load_choice(load, to, "tell", tells, 2, &tell)) && ok;
    ret->quiet = tell == 1;
    return ok;
}

/* Whom both tell hears of one moment twice. */
static void warn_of_another(struct load *load, const struct process_package *package)
{
    const struct process_warning *last = &package->warnings[package->warning_count];

    for (const struct process_warning *w = package->warnings; w < last; w++)
        if (w->percent == last->percent && w->before_s == last->before_s) {
            (void)faults_add(&load->process->warnings, last->place,
                             "warnings: comes at the same moment as the one at %u:%u", w->place.line,
                             w->place.column);
            return;
        }
}

static bool load_warnings(struct load *load, const struct yaml_node *list, struct process_package *package)
{
    if (!load_is_list(load, list, "warnings", "[{at: 50%, tell: boards}, {at: 80%}]"))
        return false;
    if (!load_at_most(load, list, "warnings", PROCESS_WARNINGS_MAX))
        return false;
    bool ok = true;
    package->warning_count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!load_warning(load, list->items[i], &package->warnings[package->warning_count]))
            ok = false;
        else
            warn_of_another(load, package), package->warning_count++;
    return ok;
}

static bool load_channels(struct load *load, const struct yaml_node *node, const char *what, unsigned allowed,
                          unsigned *ret)
{
    const char *want = (allowed & CHANNEL_TICKET) != 0 ? "ticket, im or phone" : "im or phone";
    unsigned bits = 0;
    bool ok = load_is_list(load, node, what, "[im, phone]");

    for (size_t i = 0; i < node->count && node->kind == NODE_LIST; i++) {
        const struct yaml_node *item = node->items[i];
        unsigned bit = item->kind == NODE_SCALAR ? process_channel_parse(span_of(item->text)) & allowed : 0;
        if (bit == 0)
            ok = faults_add(load->faults, item->place, "%s: \"%s\" is not allowed, want %s", what, item->text,
                            want);
        bits |= bit;
    }
    *ret = bits;
    return ok;
}

static bool load_package(struct load *load, const struct yaml_node *key, const struct yaml_node *map,
                         struct process_package *package)
{
    const struct yaml_node *node = NULL;

    package->place = key->place;
    if (!load_name(load, key, "a package", &package->name) ||
        !load_is_map(load, map, package->name, "{channels: [ticket, im], weight: 4}"))
        return false;
    bool ok = yaml_node_check_keys(map, package->name, keys, sizeof keys / sizeof keys[0], load->faults);
    if ((node = yaml_node_find(map, "channels")) != NULL)
        ok = load_channels(load, node, "channels", CHANNEL_TICKET | CHANNEL_IM | CHANNEL_PHONE,
                           &package->channels) &&
             ok;
    if (package->channels == 0)
        (void)faults_add(&load->process->warnings, key->place,
                         "%s: has no channels, so each of its tickets came by one it does not have",
                         package->name);
    if ((node = yaml_node_find(map, "meetings")) != NULL)
        ok = load_channels(load, node, "meetings", CHANNEL_IM | CHANNEL_PHONE, &package->meetings) && ok;
    if ((node = yaml_node_find(map, "weight")) != NULL)
        ok = yaml_node_int(node, "weight", 1, WEIGHT_MAX, &package->weight, load->faults) && ok;
    if ((node = yaml_node_find(map, "grace")) != NULL)
        ok = load_duration(load, node, "grace", &package->grace_s, NULL) && ok;
    if ((node = yaml_node_find(map, "close_unanswered_after")) != NULL)
        ok = load_close_after(load, node, &package->close_unanswered_after_s) && ok;
    if ((node = yaml_node_find(map, "calendar")) != NULL)
        ok = load_name(load, node, "calendar", &package->calendar) &&
             load_calendar_known(load, node, package->calendar) && ok;
    if ((node = yaml_node_find(map, "warnings")) != NULL)
        ok = load_warnings(load, node, package) && ok;
    if ((node = yaml_node_find(map, "targets")) != NULL)
        ok = load_targets(load, node, package->targets) && ok;
    return ok;
}

/* What every package begins with: process.yaml's targets and grace over the built-in ones. */
static bool load_base(struct load *load, const struct yaml_node *policy_root, struct process_package *ret)
{
    enum { M = 60, H = 3600 };
    /* The definitions of the support process; updates are a default of ours. */
    static const struct process_target built_in[PROCESS_PRIORITIES + 1][PROCESS_CLOCKS] = {
        [1] = {{true, 0, false}, {true, 30 * M, false}, {false, 0, false}},
        [2] = {{true, 1 * H, false}, {true, 2 * H, false}, {false, 0, false}},
        [3] = {{true, 6 * H, true}, {true, 8 * H, true}, {false, 0, false}},
        [4] = {{true, 24 * H, true}, {true, 24 * H, true}, {false, 0, false}},
    };
    const struct yaml_node *targets = yaml_node_find(policy_root, "targets");
    const struct yaml_node *grace = yaml_node_find(policy_root, "grace");
    const struct yaml_node *calendar = yaml_node_find(policy_root, "calendar");
    const struct yaml_node *warnings = yaml_node_find(policy_root, "warnings");
    bool ok = true;

    *ret =
        (struct process_package){.channels = CHANNEL_TICKET,
                                 .weight = 1,
                                 .calendar = load->process->policy.calendar,
                                 .grace_s = GRACE_DEFAULT_S,
                                 .close_unanswered_after_s = load->process->policy.close_unanswered_after_s,
                                 .warnings = {{.percent = 50, .quiet = true}, {.percent = 80}},
                                 .warning_count = 2};
    memcpy(ret->targets, built_in, sizeof built_in);
    if (targets != NULL)
        ok = load_targets(load, targets, ret->targets);
    if (grace != NULL)
        ok = load_duration(load, grace, "grace", &ret->grace_s, NULL) && ok;
    if (warnings != NULL)
        ok = load_warnings(load, warnings, ret) && ok;
    if (calendar != NULL && calendar->kind == NODE_SCALAR)
        ok = load_calendar_known(load, calendar, calendar->text) && ok;
    return ok;
}

/* Whether one of a package's promises is longer than what is to be left of it. */
static bool warning_comes(const struct process_package *package, const struct process_warning *warning)
{
    for (int priority = 1; priority <= PROCESS_PRIORITIES; priority++)
        for (int clock = 0; clock < PROCESS_CLOCKS; clock++) {
            const struct process_target *target = &package->targets[priority][clock];
            if (target->promised && target->seconds > warning->before_s)
                return true;
        }
    return false;
}

/* in any of the packages that have it, written once for all of them or for one */
static bool warning_comes_somewhere(const struct process *process, const struct process_warning *warning)
{
    for (size_t i = 0; i < process->package_count; i++) {
        const struct process_package *package = &process->packages[i];
        for (size_t k = 0; k < package->warning_count; k++)
            if (fault_place_same(package->warnings[k].place, warning->place) &&
                warning_comes(package, warning))
                return true;
    }
    return false;
}

static void warn_of_warnings(struct load *load)
{
    const struct process *process = load->process;

    for (size_t i = 0; i < process->package_count; i++)
        for (size_t k = 0; k < process->packages[i].warning_count; k++) {
            const struct process_warning *warning = &process->packages[i].warnings[k];
            if (warning->before_s != 0 && !warning_comes_somewhere(process, warning))
                (void)faults_add(&load->process->warnings, warning->place,
                                 "before: never comes, no promise is longer than that");
        }
}

/* What is promised at once is judged against the grace. */
static void warn_of_grace(struct load *load)
{
    const struct process *process = load->process;

    for (size_t i = 0; i < process->package_count; i++)
        for (int priority = 1; priority <= PROCESS_PRIORITIES; priority++) {
            const struct process_package *package = &process->packages[i];
            const struct process_target *response = &package->targets[priority][PROCESS_RESPONSE];
            if (package->grace_s == 0 && response->promised && response->seconds == 0)
                (void)faults_add(&load->process->warnings, package->place,
                                 "%s: promises a response at once, with a grace of 0: each of priority %d is "
                                 "missed when it is posted",
                                 package->name, priority);
        }
}

bool process_package_refuse(const struct process *process, const char *what, const char *name,
                            struct fault_place place, struct faults *faults)
{
    char hint[FAULTS_HINT_BYTES];

    NAMES_HINT(process->packages, process->package_count, name, hint);
    return faults_add(faults, place, "%s: \"%s\" is not in packages.yaml%s", what, name, hint);
}

bool load_packages(struct load *load, const struct yaml_node *root, const struct yaml_node *policy_root)
{
    struct process *process = load->process;
    struct process_package base;
    bool ok = load_base(load, policy_root, &base);

    if (!load_is_map(load, root, "the file", "{standard: {channels: [ticket]}}"))
        return false;
    if (!load_at_most(load, root, "the file", PACKAGES_MAX))
        return false;
    process->packages = process_alloc(process, root->count, sizeof *process->packages);
    for (size_t i = 0; i < root->count; i++) {
        struct process_package *package = &process->packages[process->package_count];
        *package = base;
        if (load_package(load, root->keys[i], root->items[i], package))
            process->package_count++;
        else
            ok = false;
    }
    warn_of_warnings(load);
    warn_of_grace(load);
    if (policy_root != NULL && ok && !process_package_known(process, span_of(process->policy.package))) {
        const struct yaml_node *named = yaml_node_find(policy_root, "package");
        ok = process_package_refuse(process, "package", process->policy.package,
                                    named != NULL ? named->place : root->place, load->faults);
    }
    return ok;
}
