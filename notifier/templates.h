/* Which text a message has: the templates of the current process, else those built in. Knows names and bytes,
 * not what they say. */
#ifndef DOCKET_TEMPLATES_H
#define DOCKET_TEMPLATES_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>

enum { LOCALE_BYTES = 24 };

struct templates;
struct templates *templates_new(void);
void templates_free(struct templates *templates); /* accepts NULL */

/* Takes over the templates of a process version.
 * in:  files  MessagePack map, name to bytes, as processes.files; copied
 * err: ERR_MALFORMED  it is none; the ones before stay */
bool templates_load(struct templates *templates, struct span files, struct err *err)
    __attribute__((warn_unused_result));

/* The template NAME.SUFFIX in the locale ("de-AT"), else its language, else en; for each the process first,
 * then built in. SPAN_NONE when there is none. */
struct span templates_find(const struct templates *templates, const char *locale, struct span name,
                           const char *suffix);

/* Whether what a decision asks is told in the message of its priority: all templates of that in the process name `asked`, and it
 * has no words of its own for `asked` alone, but where it has its own for both. Else there are two messages, and each template says what
 * it always said. */
bool templates_join_questions(const struct templates *templates);

/* What the locale calls a word of ours ("waiting_customer"): words.txt, in the same order of locales. SPAN_NONE: nothing. */
struct span templates_word(const struct templates *templates, const char *locale, struct span word);

/* The same of the word "PREFIX_NAME": what a name of a process, or one that means several things, is called in one of its uses. */
struct span templates_word_as(const struct templates *templates, const char *locale, const char *prefix,
                              struct span name);

#endif
