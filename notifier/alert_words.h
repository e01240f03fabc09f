/* What an alert says, in the reader's language. It is stored as one text for all, "Priority 1: TITLE"; what stands before the title is
 * what the alert's cause is called: the locale's word "alert_CAUSE" (alert_p1; of a missed promise alert_missed_CLOCK). Pure. */
#ifndef DOCKET_ALERT_WORDS_H
#define DOCKET_ALERT_WORDS_H

#include "buf.h"
#include "templates.h"

#include <stdbool.h>

/* Appends the text: with the word of the locale (or of the shipped English) where it has one for that cause, else as it is stored.
 * in:  cause  as stored, "p1:DKT-…", "missed:DKT-…:response:1"; p NULL: not known */
void alert_words_put(const struct templates *templates, const char *locale, struct span cause,
                     struct span text, struct buf *out);

/* Whether the cause is a priority, so that its word says which. */
bool alert_words_say_priority(struct span cause, int priority);

#endif
