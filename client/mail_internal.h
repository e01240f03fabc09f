/* What mail_deliver.c and mail_words.c share. */
#ifndef DOCKET_MAIL_INTERNAL_H
#define DOCKET_MAIL_INTERNAL_H

#include "mail.h"

enum { MAIL_WORDS_BYTES_MAX = 60 << 10, MAIL_TITLE_POINTS_MAX = 200 };

/* The text of a comment or posting: own words, then who sent it, when, its Message-ID, what was not kept. At most
 * MAIL_WORDS_BYTES_MAX. */
void mail_put_words(struct buf *out, const struct mail_view *view, bool is_trusted);

/* The subject without "Re:", "(no subject)" for none, at most MAIL_TITLE_POINTS_MAX code points. */
void mail_put_title(struct buf *out, const struct mail_view *view);

/* Whether a line is one of the words, in any case. */
bool mail_word_is(const struct setting_list *words, struct span line);

#endif
