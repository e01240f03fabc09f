/* The footer of a TZif file: a rule like "CET-1CEST,M3.5.0,M10.5.0/3", with the wide hours of RFC 8536.
 * Knows nothing of files or of the changes listed before the rule begins. */
#ifndef DOCKET_ZONE_RULE_H
#define DOCKET_ZONE_RULE_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

enum zone_day { ZONE_DAY_JULIAN, ZONE_DAY_ZERO, ZONE_DAY_MONTH };

/* When a change falls: Jn (29 February never counted), n (from 0, counted), or Mm.w.d. */
struct zone_date {
    enum zone_day kind;
    int month, week; /* for ZONE_DAY_MONTH */
    int day;         /* of the year, or of the week (0 Sunday) */
    int32_t time_s;  /* of the wall clock, may be negative or beyond a day */
};

struct zone_rule {
    int32_t standard_s; /* seconds east of UTC */
    int32_t summer_s;
    bool has_summer;
    struct zone_date to_summer, to_standard;
};

/* False when the text is not such a rule. */
bool zone_rule_parse(struct span text, struct zone_rule *ret);

/* The instant (Unix seconds) of a change in a year; before_s is the offset that holds until then. */
int64_t zone_date_instant(const struct zone_date *date, int64_t year, int32_t before_s);

#endif
