/* Looks ahead whether somebody will be on call: a schedule that has nobody in the next 14 days, overrides and absences counted, is an alert
 * "oncall:SCHEDULE" while it is so. Every notifier looks, each hour and when the process changes; the alert's cause makes it one. */
#ifndef DOCKET_ESCAL_GAPS_H
#define DOCKET_ESCAL_GAPS_H

struct notifier;

/* Looks at the people of the current process, and writes what it found. */
void escal_gaps_look(struct notifier *notifier);

#endif
