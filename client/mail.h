/* docket-mail: one mail from standard input into the desk (docs/channels.md, "Mail in").
 *
 * scan (shape and sizes, no library) → parse (GMime, in a child with limits) → judge (pure: what is it, for which ticket, how
 * far is it trusted) → deliver (asks the broker). The exit status tells the mail server: kept, later, never. */
#ifndef DOCKET_MAIL_H
#define DOCKET_MAIL_H

#include "buf.h"
#include "err.h"
#include "log.h"
#include "settings.h"
#include "token.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MAIL_HEAD_BYTES_MAX = 64 << 10,
    MAIL_HEADER_BYTES_MAX = 8 << 10, /* one, unfolded */
    MAIL_BOUNDARIES_MAX = 1000,
    MAIL_PARTS_MAX = 200,
    MAIL_DEPTH_MAX = 20,
    MAIL_TEXT_BYTES_MAX = 256 << 10, /* of the text that is kept of a part */
    MAIL_FIELD_BYTES_MAX = 2000,     /* of a header that is kept */
    MAIL_NUMBERS_MAX = 4,            /* tracking numbers of a subject that are looked at */
    MAIL_FACTS_BYTES_MAX = 2 << 20
};

/* sysexits.h: what the mail server makes of it. */
enum mail_exit {
    MAIL_KEPT = 0,          /* or rightly dropped: it is done */
    MAIL_USAGE = 64,        /* bounces */
    MAIL_NO_MESSAGE = 65,   /* bounces: not a mail, or one that cannot be read */
    MAIL_TOO_LARGE = 69,    /* bounces: over a limit */
    MAIL_LATER = 75,        /* tried again: no broker answers */
    MAIL_REFUSED = 77,      /* bounces: a stranger, or the desk said no */
    MAIL_CONFIGURATION = 78 /* the settings or the key file are wrong */
};

struct mail_settings {
    struct setting_list brokers;
    int64_t timeout_us;
    char *token_key_file;
    char *reply_address;
    char *bounce_address;
    char *mail_domain;
    char *tracking_prefix;
    char *authserv_id;
    char *strangers;
    struct setting_list approve_words;
    struct setting_list ack_words;
    int64_t message_bytes;
    char *log_level;
    enum log_level level; /* what log_level says */
};
extern const struct setting mail_settings_table[];
extern const size_t mail_settings_count;
extern const struct setting_example mail_settings_examples[];

/* out: ret  zeroed by the caller; cleared with settings_clear. err: as settings_load */
bool mail_settings_load(const char *path, struct mail_settings *ret, struct faults *ret_faults,
                        struct err *err) __attribute__((warn_unused_result));

/* ---- scan ---- */

/* Whether the bytes have the shape of a mail that a parser may be given: a head of headers, no NUL, nothing over the limits
 * above. err: ERR_MALFORMED (65), ERR_TOO_LARGE (69). */
bool mail_scan(struct span message, struct err *err) __attribute__((warn_unused_result));

/* ---- parse ---- */

/* Appends the facts of the mail as a MessagePack map (its keys: mail_parse.c). Runs GMime and libxml2: only in a child.
 * err: ERR_MALFORMED. */
bool mail_parse(struct span message, struct buf *out, struct err *err) __attribute__((warn_unused_result));

/* mail_parse in a child of this process with limits of time and memory; its result over a pipe.
 * err: ERR_MALFORMED  it could not be read, or the child died over it; ERR_IO */
bool mail_parse_apart(struct span message, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* ---- text ---- */

/* Copies what is valid UTF-8, controls but line ends and tabs left out, bad bytes as U+FFFD; CR LF and CR as LF; at most max bytes. */
void mail_text_clean(struct span from, size_t max, struct buf *ret);

/* HTML as plain text; what it quotes of another mail has "> " before each line. */
void mail_text_of_html(struct span html, struct buf *ret);

/* The charset that the source says itself to be written in (<meta charset=…>), as it writes it; false when it says none. */
bool mail_html_charset(struct span source, char *ret, size_t size) __attribute__((warn_unused_result));

/* Text that came as format=flowed: broken lines are whole again. in: without_blank  DelSp=yes (mail_plain.c). */
void mail_text_unflow(struct span text, bool without_blank, struct buf *ret);

/* Text without the armour of what is clear-signed by PGP, and without the signature (mail_plain.c). */
void mail_text_unsign(struct span text, struct buf *ret);

/* The person's own words: without the quoted mail below them and the signature (mail_own.c). All of it when there is nothing
 * else. */
struct span mail_text_own(struct span text);

/* Words without what is empty around them, the blanks of Unicode too that mail programs write. */
struct span mail_text_trim(struct span text);

/* The next line of text from at on, without its end. */
struct span mail_text_line(struct span text, size_t at);

/* The first line of the writer, above or below what is quoted, without blanks and a closing . or ! "" when there is none (mail_own.c). */
struct span mail_text_first_line(struct span text);

/* ---- judge ---- */

enum mail_kind {
    MAIL_KIND_PERSON,    /* somebody wrote it */
    MAIL_KIND_AUTOMATIC, /* a machine's own message: a monitor, a form */
    MAIL_KIND_ANSWERED,  /* an automatic answer: vacation, ticket system */
    MAIL_KIND_BULK,      /* a list or a newsletter */
    MAIL_KIND_BOUNCE,    /* a delivery status notification */
    MAIL_KIND_OURS       /* written by a Docket, come back */
};

struct mail_envelope {
    const char *sender;    /* "" or "<>": the null sender; NULL: not known */
    const char *recipient; /* NULL: not known */
};

/* What the mail is. Spans point into the facts. */
struct mail_view {
    const struct wire_val *facts;
    enum mail_kind kind;
    char from[256], from_name[256]; /* "" when there is none that can be used */
    struct span subject, text;      /* text: own words */
    bool is_authentic;              /* our own server vouches for the domain of from */
    bool has_reply;                 /* a reply token */
    int64_t reply_ticket;
    bool has_ack; /* a token to acknowledge an alert */
    int64_t ack_alert;
    int32_t ack_generation; /* which time it was opened; 0: not said */
    uint32_t token_who;
    bool has_bounce; /* a bounce token */
    int64_t bounce_delivery;
    bool is_thread_proven;             /* that token names the message of ours which it answers */
    int64_t numbers[MAIL_NUMBERS_MAX]; /* tracking numbers in the subject, in its order, each once */
    size_t number_count;
    int64_t thread_delivery; /* of a message of ours that it answers; 0: none */
    char key[64];         /* the same for the same Message-ID (without one: sender, subject, date) and body */
    char correlation[64]; /* of the thread; "" without a Message-ID */
    char correlation_own[64]; /* of the thread and the sender */
};

/* in: key  no keys: tokens are not known */
void mail_judge(const struct mail_settings *settings, const struct token_key *key,
                const struct mail_envelope *envelope, const struct wire_val *facts, struct span message,
                struct mail_view *ret);

/* Whether a header Authentication-Results of the server authserv_id vouches for the domain of address: DMARC passed, or DKIM
 * or SPF passed for that domain. Pure. */
bool mail_auth_vouches(struct span header, const char *authserv_id, const char *address);

/* ---- deliver ---- */

/* Asks the broker. Returns the exit status; a line for the mail server's bounce and log goes to standard error. */
enum mail_exit mail_deliver(const struct mail_settings *settings, const struct mail_view *view);

#endif
