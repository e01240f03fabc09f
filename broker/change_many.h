/* One op for a list of tickets: a change of each, one result of each, one answer. */
#ifndef DOCKET_CHANGE_MANY_H
#define DOCKET_CHANGE_MANY_H

#include "change.h"

struct call;

/* Changes the tickets of the call's list and answers. Takes the call and a use of input. */
void change_many(struct broker *broker, struct call *call, struct change_input *input);

#endif
