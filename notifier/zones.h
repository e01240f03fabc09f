/* Time zones by name, read once each. */
#ifndef DOCKET_ZONES_H
#define DOCKET_ZONES_H

#include "buf.h"
#include "zone.h"

enum { ZONES_MAX = 600 };

struct zones;
struct zones *zones_new(const char *dir);
void zones_free(struct zones *zones); /* accepts NULL */

/* NULL when there is no such zone; then UTC is meant. */
const struct zone *zones_find(struct zones *zones, struct span name);

#endif
