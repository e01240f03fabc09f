/* Zones by the names that Windows gives them. */
#ifndef DOCKET_ZONE_WINDOWS_H
#define DOCKET_ZONE_WINDOWS_H

/* The IANA name of "W. Europe Standard Time", in any case of letters; NULL when Windows has no such zone. */
const char *zone_of_windows(const char *name);

#endif
