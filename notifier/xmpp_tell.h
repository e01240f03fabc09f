/* What docket-xmpp tells the notifier that started it, through standard input. All but xmpp_tell_said: false when the notifier did not
 * take it. from: an address, of which only what stands before a slash is told. */
#ifndef DOCKET_XMPP_TELL_H
#define DOCKET_XMPP_TELL_H

#include <stdbool.h>

/* An op with one text, of at most 200 bytes, or, key NULL, none. */
bool xmpp_tell(const char *op, const char *key, const char *value) __attribute__((warn_unused_result));

/* from of these two: who says so of the message with that id; "": our own server. */
bool xmpp_tell_receipt(const char *id, const char *from) __attribute__((warn_unused_result));
bool xmpp_tell_error(const char *id, const char *from, const char *reason, bool permanent)
    __attribute__((warn_unused_result));

/* Somebody's words. In a flood of them the notifier cannot follow they are not heard. */
void xmpp_tell_said(const char *from, bool is_room, const char *text);

#endif
