/* What the notifier finds by itself and ops are told: a cause and a text each, an alert while it is so. */
#ifndef DOCKET_FOUND_H
#define DOCKET_FOUND_H

#include "pg.h"

enum { FOUND_CAUSE_BYTES = 100, FOUND_TEXT_BYTES = 500 };

struct found {
    char cause[FOUND_CAUSE_BYTES], text[FOUND_TEXT_BYTES];
};

/* The parameters of found_alerts.sql. in: like  what all causes of this kind are LIKE: those that are not among the items are over */
void found_put(struct pg_params *params, const struct found *items, size_t count, const char *like,
               int priority);

#endif
