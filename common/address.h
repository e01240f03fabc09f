/* Addresses of mail and XMPP: what may be used, checked before any library sees it. libcurl and GMime pass CR
 * and LF through to the wire. Knows nothing of whose they are. */
#ifndef DOCKET_ADDRESS_H
#define DOCKET_ADDRESS_H

#include "err.h"

#include <stdbool.h>

enum { ADDRESS_BYTES_MAX = 254 };

/* Whether text is one plain mail address, local@domain: no control characters, blanks, brackets, quotes,
 * lists. err: ERR_INVALID */
bool address_check(const char *text, struct err *err) __attribute__((warn_unused_result));

/* The address in "Name <local@domain>" or "local@domain". ret: ADDRESS_BYTES_MAX + 1 bytes. err: ERR_INVALID.
 */
bool address_bare(const char *text, char *ret, struct err *err) __attribute__((warn_unused_result));

/* The same for XMPP: no resource. err: ERR_INVALID */
bool address_check_xmpp(const char *text, struct err *err) __attribute__((warn_unused_result));

#endif
