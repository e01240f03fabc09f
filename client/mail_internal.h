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

/* An answer to an invitation. Texts are "" when they are missing or too long. */
struct mail_answer {
    char uid[128], start[32], said[32], attendee[256];
    int64_t sequence; /* of the invitation that it answers; -1: not said */
    bool is_counter;  /* another time is proposed */
    bool is_sender;   /* the attendee is the mail's sender */
};

/* False when the mail has none. */
bool mail_answer_read(const struct mail_view *view, struct mail_answer *ret);

/* "accepted", "declined", "tentative", "counter"; NULL: none of them. */
const char *mail_answer_word(const struct mail_answer *answer);

/* The name of the meeting, when it is one of that ticket. */
bool mail_answer_meeting(const struct mail_answer *answer, const char *tracking, char *ret, size_t size);

/* Whether a bounce says that the mail will never arrive; then why, as 5.1.1 (RFC 3463). False: it is late, or it went well. */
bool mail_bounce_read(const struct mail_view *view, char *ret_status, size_t size);

/* Which delivery a notification is about by what it returns: the Message-ID of a mail of ours and, as that can be guessed, our own signed
 * mark beside it, both of that delivery, and the address they were made for among those that the notification says it failed for. False: it
 * is none of ours, or that is not proven. Pure. */
bool mail_bounce_of(const struct wire_val *facts, const struct token_key *key, const char *mail_domain,
                    int64_t *ret_delivery);

/* The delivery in "n.123@domain"; 0 when it is no Message-ID of ours. */
int64_t mail_delivery_of(struct span id, const char *domain);

#endif
