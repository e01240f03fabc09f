/* Lengths of time as people give them to a program's options. */
#ifndef DOCKET_SECONDS_H
#define DOCKET_SECONDS_H

#include <stdbool.h>

/* "10", "0.3": seconds; "500ms", "1s", "1.5m", "6h", "2d": as settings and the process write them.
 * out: ret_s  seconds, written only on success; its limits are the caller's
 * False when it is not of this form. */
bool seconds_parse(const char *text, double *ret_s) __attribute__((warn_unused_result));

#endif
