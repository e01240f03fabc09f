/* From a parent to its children: public words, waiting and resolving of a ticket become an event of each child.
 *
 * The parent's own commit leaves a row (fanouts); from it the children are changed in the background, a few at a time between the changes
 * of others, each once (its key is derived from parent, event and child). Who dies over it leaves the row: the next broker begins again and
 * finds what is done. Each person is told once, whatever number of children they have. */
#ifndef DOCKET_FAN_H
#define DOCKET_FAN_H

struct broker;
struct fan;

/* Looks for work, unless it is under way. After a commit that left some, and now and then. */
void fan_kick(struct broker *broker);
void fan_tick(struct broker *broker);

/* At the end, once the writer is gone. */
void fan_free(struct fan *fan);

#endif
