/* How many dead letters lie, in the whole desk: looked at every second, for the metrics. */
#ifndef DOCKET_DEAD_COUNT_H
#define DOCKET_DEAD_COUNT_H

struct broker;

void dead_count_tick(struct broker *broker);

#endif
