/* What a mail is: from a person or a machine, for which ticket, how far it is to be trusted. Pure. */
#include "mail_internal.h"

#include "address.h"
#include "tracking.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

enum { HASH_BYTES = 16 };

static struct span fact(const struct wire_val *facts, const char *key)
{
    struct span text = wire_find_str(facts, key);
    return text.p == NULL ? span_of("") : text;
}

static bool span_starts(struct span text, const char *word)
{
    size_t len = strlen(word);
    return text.len >= len && strncasecmp(text.p, word, len) == 0;
}

/* ---- kind ---- */

static bool is_null_sender(const struct mail_envelope *envelope, const struct wire_val *facts)
{
    if (envelope->sender != NULL)
        return envelope->sender[0] == '\0' || strcmp(envelope->sender, "<>") == 0 ||
               strcasecmp(envelope->sender, "MAILER-DAEMON") == 0;
    return wire_find_bool(facts, "has_return_path", false) && span_is(fact(facts, "return_path"), "<>");
}

static bool is_own_address(const struct mail_settings *settings, const char *from)
{
    return (settings->reply_address[0] != '\0' && strcasecmp(from, settings->reply_address) == 0) ||
           (settings->bounce_address[0] != '\0' && strcasecmp(from, settings->bounce_address) == 0);
}

/* A header that says what wrote the mail; the first row that fits decides. */
static const struct {
    const char *key, *starts; /* starts "": any value */
    enum mail_kind kind;
} marks[] = {
    {"ours", "", MAIL_KIND_OURS},
    {"auto_submitted", "auto-replied", MAIL_KIND_ANSWERED},
    {"autoreply", "", MAIL_KIND_ANSWERED},
    {"report_type", "disposition-notification", MAIL_KIND_ANSWERED}, /* a receipt of reading (RFC 8098) */
    {"precedence", "auto_reply", MAIL_KIND_ANSWERED},
    {"list", "", MAIL_KIND_BULK},
    {"precedence", "bulk", MAIL_KIND_BULK},
    {"precedence", "junk", MAIL_KIND_BULK},
    {"precedence", "list", MAIL_KIND_BULK},
    {"auto_submitted", "auto-", MAIL_KIND_AUTOMATIC},
    {"suppress", "", MAIL_KIND_AUTOMATIC},
};

/* What the headers say; MAIL_KIND_PERSON when they say nothing. */
static enum mail_kind marked_kind(const struct mail_view *view)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        struct span value = fact(view->facts, marks[i].key);
        if (value.len != 0 && span_starts(value, marks[i].starts))
            return marks[i].kind;
    }
    return MAIL_KIND_PERSON;
}

static bool is_mail_system(const char *from)
{
    return span_starts(span_of(from), "mailer-daemon@") || span_starts(span_of(from), "postmaster@");
}

/* A notification; or what a mail server without them writes to where our mail came from. Automatic answers of people (RFC 3834) go there as
 * well, and say that they are. */
static bool is_bounce(const struct mail_envelope *envelope, const struct mail_view *view)
{
    if (wire_type(wire_find(view->facts, "report")) == WIRE_MAP)
        return true;
    return view->has_bounce && (is_mail_system(view->from) || (is_null_sender(envelope, view->facts) &&
                                                               marked_kind(view) == MAIL_KIND_PERSON));
}

static enum mail_kind kind_of(const struct mail_settings *settings, const struct mail_envelope *envelope,
                              const struct mail_view *view)
{
    if (is_bounce(envelope, view))
        return MAIL_KIND_BOUNCE;
    if (is_own_address(settings, view->from))
        return MAIL_KIND_OURS;
    enum mail_kind kind = marked_kind(view);
    /* Exchange calls what it answers for who is away generated, not replied. */
    bool is_nobodys = kind == MAIL_KIND_PERSON || kind == MAIL_KIND_AUTOMATIC;
    return is_nobodys && is_null_sender(envelope, view->facts) ? MAIL_KIND_ANSWERED : kind;
}

/* ---- whose ---- */

/* The token in "local+TOKEN@domain", when the address is base with one. */
static bool token_in(const char *base, struct span address, struct span *ret)
{
    const char *at = strchr(base, '@');
    size_t local = at == NULL ? 0 : (size_t)(at - base), domain = at == NULL ? 0 : strlen(at);

    if (local == 0 || address.len < local + 1 + domain || !span_starts(address, "") ||
        strncasecmp(address.p, base, local) != 0 || address.p[local] != '+' ||
        strncasecmp(address.p + address.len - domain, at, domain) != 0)
        return false;
    *ret = (struct span){address.p + local + 1, address.len - local - 1 - domain};
    return true;
}

static void look_at_recipient(const struct mail_settings *settings, const struct token_key *key,
                              struct span address, struct mail_view *ret)
{
    struct span token;
    uint32_t who = 0;
    int64_t alert = 0;

    if (token_in(settings->reply_address, address, &token)) {
        if (!ret->has_reply && token_mail_parse(key, TOKEN_REPLY, token, &ret->reply_ticket, &who))
            ret->has_reply = true, ret->token_who = who;
        else if (!ret->has_ack && token_mail_parse(key, TOKEN_ACKNOWLEDGE, token, &alert, &who)) {
            token_alert_split(alert, &ret->ack_alert, &ret->ack_generation);
            ret->has_ack = true, ret->token_who = who;
        }
    }
    if (token_in(settings->bounce_address, address, &token) && !ret->has_bounce)
        ret->has_bounce = token_mail_parse(key, TOKEN_BOUNCE, token, &ret->bounce_delivery, &who);
}

static void look_at_recipients(const struct mail_settings *settings, const struct token_key *key,
                               const struct mail_envelope *envelope, struct mail_view *ret)
{
    const struct wire_val *all = wire_find(ret->facts, "recipients");

    if (envelope->recipient != NULL)
        look_at_recipient(settings, key, span_of(envelope->recipient), ret);
    for (size_t i = 0; i < wire_count(all); i++) {
        struct span address;
        if (wire_get_str(wire_at(all, i), &address))
            look_at_recipient(settings, key, address, ret);
    }
    /* Not every server answers to where the mail came from. */
    if (!ret->has_bounce)
        ret->has_bounce = mail_bounce_of(ret->facts, key, settings->mail_domain, &ret->bounce_delivery);
}

/* ---- which ticket ---- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '-';
}

static void add_number(struct mail_view *view, int64_t number)
{
    for (size_t i = 0; i < view->number_count; i++)
        if (view->numbers[i] == number)
            return;
    if (view->number_count < MAIL_NUMBERS_MAX)
        view->numbers[view->number_count++] = number;
}

static void look_at_subject(struct span text, const char *prefix, struct mail_view *ret)
{
    size_t len = strlen(prefix);
    int64_t number = 0;
    struct err ignored;

    for (size_t i = 0; i + len < text.len; i++) {
        size_t n = 0;
        if ((i != 0 && is_word(text.p[i - 1])) || strncasecmp(text.p + i, prefix, len) != 0)
            continue;
        while (i + n < text.len && is_word(text.p[i + n]))
            n++;
        if (tracking_parse((struct span){text.p + i, n}, prefix, &number, &ignored))
            add_number(ret, number);
    }
}

int64_t mail_delivery_of(struct span id, const char *domain)
{
    int64_t number = 0;
    size_t i = 2;

    if (id.len < 4 || memcmp(id.p, "n.", 2) != 0)
        return 0;
    for (; i < id.len && isdigit((unsigned char)id.p[i]) && i < 20; i++)
        number = number * 10 + (id.p[i] - '0');
    bool is_ours = i > 2 && i < id.len && id.p[i] == '@' && id.len - i - 1 == strlen(domain) &&
                   strncasecmp(id.p + i + 1, domain, id.len - i - 1) == 0;
    return is_ours ? number : 0;
}

static struct span without_brackets(struct span id)
{
    while (id.len != 0 && (id.p[0] == '<' || isspace((unsigned char)id.p[0])))
        id = (struct span){id.p + 1, id.len - 1};
    const char *end = id.len == 0 ? NULL : memchr(id.p, '>', id.len);
    return end == NULL ? id : (struct span){id.p, (size_t)(end - id.p)};
}

/* The message it answers is the nearest one; the one the thread began with names the thread. */
static void look_at_thread(const struct mail_settings *settings, struct mail_view *ret, struct span *ret_root)
{
    const struct wire_val *refs = wire_find(ret->facts, "references");
    struct span id, parent = without_brackets(fact(ret->facts, "in_reply_to"));

    ret->is_thread_proven = ret->has_bounce;
    ret->thread_delivery =
        ret->has_bounce ? ret->bounce_delivery : mail_delivery_of(parent, settings->mail_domain);
    for (size_t i = wire_count(refs); i-- > 0 && ret->thread_delivery == 0;)
        if (wire_get_str(wire_at(refs, i), &id))
            ret->thread_delivery = mail_delivery_of(without_brackets(id), settings->mail_domain);
    if (wire_get_str(wire_at(refs, 0), &id))
        *ret_root = without_brackets(id);
    else
        *ret_root = parent.len != 0 ? parent : fact(ret->facts, "message_id");
}

/* "Fwd: …", in the languages of mail programs. */
static bool is_forward(struct span subject)
{
    static const char *const marks_of_it[] = {"fwd:", "fw:", "wg:", "tr:", "rv:",
                                              "enc:", "vb:", "vl:", "pd:", "doorst:"};

    for (size_t i = 0; i < sizeof marks_of_it / sizeof marks_of_it[0]; i++)
        if (span_starts(subject, marks_of_it[i]))
            return true;
    return false;
}

/* ---- names ---- */

static void put_hash(const char *prefix, struct span a, struct span b, char *ret, size_t size)
{
    unsigned char hash[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1];
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    (void)crypto_generichash_update(&state, (const unsigned char *)a.p, a.len);
    (void)crypto_generichash_update(&state, (const unsigned char *)"", 1); /* NUL is in neither */
    (void)crypto_generichash_update(&state, (const unsigned char *)b.p, b.len);
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    (void)snprintf(ret, size, "%s%s", prefix, sodium_bin2hex(hex, sizeof hex, hash, sizeof hash));
}

/* Which mail it is, beside its body: its Message-ID. Devices write none, and the same words each time: then who wrote it when about
 * what, and without a date the line that our own server put on top, which stays when it tries again. */
static void put_identity(struct buf *out, const struct wire_val *facts)
{
    static const char *const instead[] = {"from", "subject"};
    struct span id = fact(facts, "message_id"), date = fact(facts, "date");

    buf_add_span(out, id);
    for (size_t i = 0; id.len == 0 && i < sizeof instead / sizeof instead[0]; i++) {
        buf_add_span(out, fact(facts, instead[i]));
        buf_add_text(out, "\n"); /* in none of them */
    }
    if (id.len == 0)
        buf_add_span(out, date.len != 0 ? date : fact(facts, "received"));
}

static void put_key(const struct wire_val *facts, struct span body, char *ret, size_t size)
{
    struct buf identity;

    buf_init(&identity, 4 * MAIL_FIELD_BYTES_MAX);
    put_identity(&identity, facts);
    put_hash("mail:", identity.len == 0 ? span_of("") : buf_span(&identity), body, ret, size);
    buf_clear(&identity);
}

/* What follows the first empty line: servers on the way add headers, but leave the body alone. */
static struct span body_of(struct span message)
{
    for (size_t i = 0; i + 1 < message.len; i++)
        if (message.p[i] == '\n' &&
            (message.p[i + 1] == '\n' ||
             (i + 2 < message.len && message.p[i + 1] == '\r' && message.p[i + 2] == '\n')))
            return (struct span){message.p + i, message.len - i};
    return span_of("");
}

/* A plain address: what cannot be one is nobody. */
static void copy_address(struct span from, char *ret, size_t size)
{
    struct err ignored;

    (void)snprintf(ret, size, "%.*s", (int)(from.len < size ? from.len : 0), from.len == 0 ? "" : from.p);
    if (strlen(ret) != from.len || !address_check(ret, &ignored))
        ret[0] = '\0';
}

static bool is_vouched(const struct mail_settings *settings, const struct mail_view *view)
{
    const struct wire_val *all = wire_find(view->facts, "auth");
    struct span header;

    for (size_t i = 0; i < wire_count(all) && view->from[0] != '\0'; i++) {
        /* Of our server's headers the topmost counts: those below may have come with the mail. */
        size_t len = strlen(settings->authserv_id);
        if (len == 0 || !wire_get_str(wire_at(all, i), &header) ||
            !span_starts(header, settings->authserv_id) || (header.len > len && is_word(header.p[len])) ||
            (header.len > len && header.p[len] == '.'))
            continue;
        return mail_auth_vouches(header, settings->authserv_id, view->from);
    }
    return false;
}

void mail_judge(const struct mail_settings *settings, const struct token_key *key,
                const struct mail_envelope *envelope, const struct wire_val *facts, struct span message,
                struct mail_view *ret)
{
    struct span root = span_of("");

    *ret = (struct mail_view){.facts = facts, .subject = fact(facts, "subject")};
    /* Who forwards a mail wants it read whole. */
    ret->text =
        is_forward(ret->subject) ? mail_text_trim(fact(facts, "text")) : mail_text_own(fact(facts, "text"));
    copy_address(fact(facts, "from"), ret->from, sizeof ret->from);
    struct span name = fact(facts, "from_name");
    (void)snprintf(ret->from_name, sizeof ret->from_name, "%.*s", (int)(name.len < 200 ? name.len : 0),
                   name.p);
    look_at_recipients(settings, key, envelope, ret);
    look_at_subject(ret->subject, settings->tracking_prefix, ret);
    look_at_thread(settings, ret, &root);
    ret->kind = kind_of(settings, envelope, ret);
    ret->is_authentic = is_vouched(settings, ret);
    put_key(facts, body_of(message), ret->key, sizeof ret->key);
    if (root.len == 0)
        return;
    put_hash("mail:", root, span_of(""), ret->correlation, sizeof ret->correlation);
    put_hash("mail:", root, span_of(ret->from), ret->correlation_own, sizeof ret->correlation_own);
}
