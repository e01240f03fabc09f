/* Who is told: the people of the current process, as this notifier can reach them. Decides no step and writes nothing. */
#ifndef DOCKET_ESCAL_WHO_H
#define DOCKET_ESCAL_WHO_H

#include "buf.h"
#include "escal_targets.h"

#include <stdint.h>

struct notifier;

/* The people as they are at an instant; assignee, queue and acker are the caller's. */
struct escal_scene escal_who_scene(const struct notifier *notifier, int64_t at);

/* Whom a notice to staff that is no alert ("warning", "task") tells: the first of its list in escalation.yaml that reaches anybody.
 * in: assignee, queue  of the ticket; SPAN_NONE: none */
void escal_who_notice(const struct notifier *notifier, const char *kind, struct span assignee,
                      struct span queue, int64_t now, struct pages *ret);

/* Counts and logs what found no room among the pages of one step; nothing of none.
 * in: list  what names them: a policy, a notice      what  the alert's cause, or the kind of the notice */
void escal_who_left_out(const struct notifier *notifier, size_t people, size_t ways, const char *list,
                        const char *what);

/* Who owns a webhook, by webhooks.yaml: the pages of the person or team, or an address of e-mail; else neither, and NULL. */
const char *escal_who_owner(const struct notifier *notifier, const char *url, int64_t now, struct pages *ret);

#endif
