/* docket-worker zone: the changes of the clock that a zone has, as this machine's zone data tells them. For people who wonder
 * after an update of the zone data, and for the tests that compare with other readers. */
#include "offline.h"

#include "clock.h"
#include "instant.h"
#include "zone.h"

#include <stdio.h>
#include <string.h>

enum { STATUS_REFUSED = 1, STATUS_USAGE = 2 };

static const int64_t end_s = CALENDAR_END_US / US_PER_S;

/* The offset at the begin of 1970, then each change until 2100, a line of JSON each. */
static void zone_print(const char *name, const struct zone *zone)
{
    for (size_t i = zone_span_at(zone, 0); zone_span_start(zone, i) < end_s; i++) {
        int64_t at_s = zone_span_start(zone, i) < 0 ? 0 : zone_span_start(zone, i);
        char text[INSTANT_BYTES];
        (void)instant_format(at_s * US_PER_S, text);
        printf("{\"zone\": \"%s\", \"at\": \"%s\", \"offset_s\": %ld}\n", name, text,
               (long)zone_span_offset(zone, i));
    }
}

int offline_zone(int argc, char **argv)
{
    const char *dir = OFFLINE_ZONEINFO;
    int status = 0, asked = 0;

    for (int i = 0; i < argc; i++) {
        struct zone *zone = NULL;
        struct err err = {0};
        if (strcmp(argv[i], "--zoneinfo") == 0 && i + 1 < argc) {
            dir = argv[++i];
            continue;
        }
        asked++;
        if (zone_open(dir, argv[i], &zone, &err)) {
            zone_print(argv[i], zone);
        } else {
            fprintf(stderr, "docket-worker: %s: %s\n", argv[i], err.msg);
            status = STATUS_REFUSED;
        }
        zone_free(zone);
    }
    if (asked != 0)
        return status;
    fputs("usage: docket-worker zone [--zoneinfo DIR] NAME…\n", stderr);
    return STATUS_USAGE;
}
