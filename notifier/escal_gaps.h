/* Looks ahead whether somebody will be on call: a schedule that has nobody in the next 14 days, overrides and absences counted, is an alert
 * "oncall:SCHEDULE" while it is so. Every notifier looks, each hour and when the process changes; the alert's cause makes it one. */
#ifndef DOCKET_ESCAL_GAPS_H
#define DOCKET_ESCAL_GAPS_H

struct escal_people;
struct notifier;

/* people must live until the look came back: as long as the notifier does. */
void escal_gaps_look(struct notifier *notifier, const struct escal_people *people);

#endif
