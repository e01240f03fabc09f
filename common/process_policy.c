/* process.yaml: priorities, defaults, policies, questions. The default targets are read with the packages. */
#include "process_internal.h"

#include "date.h"

#include <string.h>

static const char *const keys[] = {"zone",
                                   "package",
                                   "calendar",
                                   "unknown_customers",
                                   "on_reply_when_resolved",
                                   "reopen_within",
                                   "close_unanswered_after",
                                   "approval_reminders",
                                   "meeting_reminder",
                                   "priorities",
                                   "targets",
                                   "grace",
                                   "warnings",
                                   "questions"};

static const char *const default_names[PROCESS_PRIORITIES + 1] = {"", "Priority 1", "Priority 2",
                                                                  "Priority 3", "Priority 4"};

static bool load_reminders(struct load *load, const struct yaml_node *node)
{
    struct process_policy *policy = &load->process->policy;
    int64_t days = 0, last = 0;

    if (!load_is_list(load, node, "approval_reminders", "[2, 5, 10]"))
        return false;
    if (!load_at_most(load, node, "approval_reminders", PROCESS_REMINDERS_MAX))
        return false;
    policy->approval_reminder_count = 0;
    for (size_t i = 0; i < node->count; i++, last = days) {
        if (!yaml_node_int(node->items[i], "approval_reminders", 1, 365, &days, load->faults))
            return false;
        if (days <= last)
            return faults_add(load->faults, node->items[i]->place,
                              "approval_reminders: %s is not allowed, want working days that rise",
                              node->items[i]->text);
        policy->approval_reminders[policy->approval_reminder_count++] = (int)days;
    }
    return true;
}

static bool load_priorities(struct load *load, const struct yaml_node *node)
{
    bool ok = load_is_map(load, node, "priorities", "{1: Network down}");
    for (size_t i = 0; ok && i < node->count; i++) {
        int64_t priority = 0;
        if (!yaml_node_int(node->keys[i], "priorities", 1, PROCESS_PRIORITIES, &priority, load->faults) ||
            !load_line(load, node->items[i], "priorities", PROCESS_TEXT_MAX,
                       &load->process->policy.priority_names[priority]))
            ok = false;
    }
    return ok;
}

static bool load_questions(struct load *load, const struct yaml_node *node)
{
    struct process_policy *policy = &load->process->policy;
    bool ok = load_is_map(load, node, "questions", "{equipment: Which equipment is involved?}");

    if (!ok)
        return false;
    policy->questions = process_alloc(load->process, node->count, sizeof *policy->questions);
    for (size_t i = 0; i < node->count; i++) {
        struct process_question *question = &policy->questions[policy->question_count];
        if (!load_name(load, node->keys[i], "questions", &question->name) ||
            !load_text(load, node->items[i], question->name, &question->text))
            ok = false;
        else
            policy->question_count++;
    }
    return ok;
}

/* One of three words of policy each; the order is that of the enums. */
static bool load_choices(struct load *load, const struct yaml_node *root)
{
    static const char *const unknown[] = {"accept", "refuse"}, *const reply[] = {"ask", "reject", "keep"};
    struct process_policy *policy = &load->process->policy;
    const struct yaml_node *node = NULL;
    size_t choice = 0;
    bool ok = true;

    if ((node = yaml_node_find(root, "unknown_customers")) != NULL) {
        ok = load_choice(load, node, "unknown_customers", unknown, 2, &choice);
        policy->unknown_customer = ok ? (enum process_unknown)choice : UNKNOWN_ACCEPT;
    }
    if ((node = yaml_node_find(root, "on_reply_when_resolved")) != NULL) {
        bool known = load_choice(load, node, "on_reply_when_resolved", reply, 3, &choice);
        policy->on_reply_when_resolved = known ? (enum process_on_reply)choice : ON_REPLY_ASK;
        ok = ok && known;
    }
    return ok;
}

static bool load_zone(struct load *load, const struct yaml_node *root)
{
    const struct yaml_node *node = yaml_node_find(root, "zone");
    const char *text = NULL;

    if (node == NULL || yaml_node_is_null(node)) {
        (void)faults_add(&load->process->warnings, root->place,
                         "zone: is not set, so calendars without a zone of their own are in UTC");
        return true;
    }
    if (!yaml_node_text(node, "zone", PROCESS_NAME_MAX, &text, load->faults))
        return false;
    load->process->policy.zone = process_text(load->process, text);
    load->process->policy.zone_place = node->place;
    return true;
}

bool load_policy(struct load *load, const struct yaml_node *root)
{
    struct process_policy *policy = &load->process->policy;
    const struct yaml_node *node = NULL;

    *policy = (struct process_policy){.zone = "UTC",
                                      .package = "standard",
                                      .calendar = PROCESS_ALWAYS,
                                      .reopen_within_s = INT64_C(14) * DAY_S,
                                      .meeting_reminder_s = INT64_C(15) * 60,
                                      .approval_reminders = {2, 5, 10},
                                      .approval_reminder_count = 3};
    memcpy(policy->priority_names, default_names, sizeof default_names);
    if (!load_is_map(load, root, "the file", "{zone: Europe/Berlin, package: standard}"))
        return false;
    bool ok = yaml_node_check_keys(root, "process.yaml", keys, sizeof keys / sizeof keys[0], load->faults);
    ok = load_zone(load, root) && ok;
    ok = load_choices(load, root) && ok;
    if ((node = yaml_node_find(root, "package")) != NULL)
        ok = load_name(load, node, "package", &policy->package) && ok;
    if ((node = yaml_node_find(root, "calendar")) != NULL)
        ok = load_name(load, node, "calendar", &policy->calendar) && ok;
    if ((node = yaml_node_find(root, "reopen_within")) != NULL)
        ok = load_duration(load, node, "reopen_within", &policy->reopen_within_s, NULL) && ok;
    if ((node = yaml_node_find(root, "close_unanswered_after")) != NULL)
        ok = load_close_after(load, node, &policy->close_unanswered_after_s) && ok;
    if ((node = yaml_node_find(root, "approval_reminders")) != NULL)
        ok = load_reminders(load, node) && ok;
    if ((node = yaml_node_find(root, "meeting_reminder")) != NULL) {
        policy->meeting_reminder_s = 0;
        if (!yaml_node_is_null(node)) {
            ok = load_duration(load, node, "meeting_reminder", &policy->meeting_reminder_s, NULL) && ok;
            if (ok && policy->meeting_reminder_s == 0)
                (void)faults_add(&load->process->warnings, node->place,
                                 "meeting_reminder: \"%s\" is never, want a time, or ~ to say so",
                                 node->text);
        }
    }
    if ((node = yaml_node_find(root, "priorities")) != NULL)
        ok = load_priorities(load, node) && ok;
    if ((node = yaml_node_find(root, "questions")) != NULL)
        ok = load_questions(load, node) && ok;
    return ok;
}
