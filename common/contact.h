/* What somebody may be reached by: whether a text has the form that its key in a contact asks for.
 *
 * It is told to who writes a contact, so that a typing error does not wait for the first message to be found. Numbers are what people
 * read, too: what a gateway can call is narrower (notifier/channel_gateway.c). Knows no map and no message. */
#ifndef DOCKET_CONTACT_H
#define DOCKET_CONTACT_H

#include "buf.h"

/* What is wrong with the text and what is allowed; NULL: nothing, or the key has no form of its own.
 * in:  key  of a contact: email, xmpp, phone, sms, webhook, locale      text  not empty */
const char *contact_fault(const char *key, struct span text);

#endif
