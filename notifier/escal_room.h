/* The room of escalations: takes alerts whose next step is due, lets escal.h decide, and commits each step with its pages in
 * one transaction. Any number of notifiers: an alert is leased for a step, and the step is nothing when the alert was
 * acknowledged, resolved or stepped meanwhile. Holds no state that matters: everything is in the alert's row. */
#ifndef DOCKET_ESCAL_ROOM_H
#define DOCKET_ESCAL_ROOM_H

#include "buf.h"

#include <stdint.h>

struct escal_room;
struct process;
struct notifier;

struct escal_room *escal_room_new(struct notifier *notifier);
void escal_room_free(struct escal_room *room); /* accepts NULL */

/* Takes over the people of a process version (processes.files); one that cannot be read leaves the ones before. */
void escal_room_process(struct escal_room *room, struct span files);

/* The process they are of; NULL before the first. */
const struct process *escal_room_process_of(const struct escal_room *room);

/* Looks for what is due. */
void escal_room_run(struct escal_room *room);

/* Looks when the next step is due, by the answer of the last look. Each tick of the loop. */
void escal_room_tick(struct escal_room *room);

/* Whom a notice to staff that is no alert ("warning", "task") tells: the first of its list in escalation.yaml that reaches anybody.
 * in: assignee, queue  of the ticket; SPAN_NONE: none */
struct pages;
void escal_room_notice(const struct escal_room *room, const char *kind, struct span assignee,
                       struct span queue, int64_t now, struct pages *ret);

/* Who owns a webhook, by webhooks.yaml: the pages of the person or team, or an address of e-mail; else neither, and NULL. */
const char *escal_room_owner(const struct escal_room *room, const char *url, int64_t now, struct pages *ret);

/* A new session: what was under way is forgotten. */
void escal_room_on_up(struct escal_room *room);

#endif
