/* The body of the message that a rule tells: {text}, or, where the rule has it in several languages, {text, texts: {LOCALE: text}}.
 *
 * The worker makes it and does not know who will read it; the notifier does, and takes the reader's. `text` is the first of the texts, so
 * that who knows nothing of several languages (a notifier of an older version, a gateway) has one. Pure. */
#ifndef DOCKET_TELL_BODY_H
#define DOCKET_TELL_BODY_H

#include "process.h"
#include "wire.h"

/* Appends the map. */
void tell_body_put(struct buf *out, const struct rule_tell *tell);

/* The text of a body for one reader: that of the locale ("de-AT"), of its language, the same of the desk's locale, else `text`.
 * in:  body         of any message: most have no texts
 *      desk_locale  NULL, "": not told
 * SPAN_NONE: it says none */
struct span tell_body_text(const struct wire_val *body, const char *locale, const char *desk_locale);

#endif
