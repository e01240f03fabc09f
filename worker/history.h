/* A line of a history (docs/process.md, "Histories") as people and programs write it, held against its form.
 *
 * For the tools that need no broker alone: what a broker sends may know more than we do and is taken as it comes, but a word misspelt in a
 * file would change what is summed up, and nobody would see. */
#ifndef DOCKET_HISTORY_H
#define DOCKET_HISTORY_H

#include "err.h"
#include "wire.h"

#include <stdbool.h>

/* The whole line. err: ERR_INVALID, ERR_TOO_LARGE  names the field, and what is allowed */
bool history_check(const struct wire_val *line, struct err *err) __attribute__((warn_unused_result));

/* Its events alone: a list of maps, or nothing.
 * in:  by_broker  they are of a ticket that a broker gave: whether it would do the like again is not asked
 * err: ERR_INVALID, ERR_FORBIDDEN  its field like "events[3].kind" */
bool history_check_events(const struct wire_val *events, bool by_broker, struct err *err)
    __attribute__((warn_unused_result));

#endif
