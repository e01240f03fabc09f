/* Endpoints of ZeroMQ, and whose machine a URL is on, as settings write them. Knows nothing of sockets. */
#ifndef DOCKET_ENDPOINT_H
#define DOCKET_ENDPOINT_H

#include "err.h"
#include "settings.h"

#include <stdbool.h>

/* Checks the form.
 * in:  text       tcp://HOST:PORT (1–65535), or ipc://PATH
 * out: ret_local  whether it stays on this machine: ipc, or tcp on the loopback; may be NULL
 * err: ERR_INVALID  of another form, or over 255 bytes */
bool endpoint_check(const char *text, bool *ret_local, struct err *err) __attribute__((warn_unused_result));

/* The same of each in a list of the settings: tells its faults as those of the setting of that name. */
void endpoint_check_list(const char *name, const struct setting_list *list, struct setting_faults *faults);

/* Whether the host of SCHEME://HOST[:PORT][/PATH] is on the loopback. */
bool url_is_loopback(const char *url);

#endif
