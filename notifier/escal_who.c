/* Who is told; see escal_who.h. */
#include "escal_who.h"
#include "escal_people.h"
#include "lanes.h"
#include "log.h"
#include "notifier.h"

#include <stdio.h>

enum { NAME_BYTES = 130 };

static bool channel_is_open(void *arg, const char *channel)
{
    const struct notifier *notifier = arg;
    int i = channel_find(span_of(channel));
    return i >= 0 && lanes_is_open(notifier->lanes, i);
}

struct escal_scene escal_who_scene(const struct notifier *notifier, int64_t at)
{
    struct escal_scene scene = escal_people_scene(notifier->people, at);
    const struct settings_notifier *settings = &notifier->settings;

    scene.desk_address = settings->staff_address;
    scene.ops_address = settings_notifier_ops(settings);
    scene.is_open = channel_is_open;
    scene.arg = (void *)(uintptr_t)notifier;
    return scene;
}

void escal_who_notice(const struct notifier *notifier, const char *kind, struct span assignee,
                      struct span queue, int64_t now, struct pages *ret)
{
    static struct people_target default_items[] = {{TARGET_ASSIGNEE, NULL},
                                                   {TARGET_QUEUE, NULL},
                                                   {TARGET_DESK, NULL}};
    static const struct process_notice by_default = {.urgency = URGENCY_NORMAL, .first = {default_items, 3}};
    const struct process_notice *notice = process_notice_find(escal_people_plan(notifier->people), kind);
    struct escal_scene scene = escal_who_scene(notifier, now);
    char who[NAME_BYTES], where[NAME_BYTES];

    (void)snprintf(who, sizeof who, "%.*s", (int)assignee.len, assignee.len == 0 ? "" : assignee.p);
    (void)snprintf(where, sizeof where, "%.*s", (int)queue.len, queue.len == 0 ? "" : queue.p);
    scene.assignee = assignee.len == 0 ? NULL : who;
    scene.queue = queue.len == 0 ? NULL : where;
    notice = notice == NULL ? &by_default : notice;
    pages_clear(ret);
    (void)escal_targets_first(&scene, &notice->first, notice->urgency, ret);
    escal_who_left_out(notifier, ret->people_left_out, ret->ways_left_out, "notices", kind);
}

void escal_who_left_out(const struct notifier *notifier, size_t people, size_t ways, const char *list,
                        const char *what)
{
    if (people == 0 && ways == 0)
        return;
    metric_add(notifier->left_out, 0, (double)people);
    metric_add(notifier->left_out, 1, (double)ways);
    log_event(people != 0 ? LOG_ERROR : LOG_WARN, "pages_left_out",
              "list=%s what=%s people=%zu ways=%zu most=%d", list, log_quote(what), people, ways, PAGES_MAX);
}

const char *escal_who_owner(const struct notifier *notifier, const char *url, int64_t now, struct pages *ret)
{
    const struct process *process = notifier->people->process;
    const struct process_endpoint *endpoint =
        process == NULL ? NULL : process_endpoint_find(&process->notify, url);
    struct escal_scene scene = escal_who_scene(notifier, now);

    pages_clear(ret);
    if (endpoint == NULL || endpoint->email != NULL)
        return endpoint == NULL ? NULL : endpoint->email;
    struct people_target owner = endpoint->owner;
    const struct people_targets targets = {&owner, 1};
    (void)escal_targets_add(&scene, &targets, URGENCY_NORMAL, ret);
    return NULL;
}
