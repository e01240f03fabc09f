/* The context of a template; see context.h. */
#include "context.h"
#include "alert_words.h"
#include "plural.h"
#include "reader.h"
#include "tell_body.h"
#include "tracking.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

enum { MEMBERS_SHOWN_MAX = 10, PROBLEM_BYTES_MAX = 2000, ALERT_BYTES = 8192, MEMBER_BYTES = 1 << 18 };

struct context {
    struct buf *out;
    const struct templates *templates;
    const char *locale;
    const struct facts *facts;
    const struct context_words *words;
    struct span alert; /* what it says to this reader */
};

struct span context_question(const struct wire_val *question)
{
    struct span text = SPAN_NONE;

    return wire_get_str(question, &text) ? text : wire_find_str(question, "text");
}

/* ---- words ---- */

/* What the locale calls it; words it does not know stay as they are, with blanks for underscores. */
static void put_word(const struct context *c, struct span word)
{
    struct span text = templates_word(c->templates, c->locale, word);
    char plain[64];

    if (text.p == NULL && word.len < sizeof plain) {
        (void)snprintf(plain, sizeof plain, "%.*s", (int)word.len, word.p == NULL ? "" : word.p);
        for (char *p = plain; *p != '\0'; p++)
            *p = *p == '_' ? ' ' : *p;
        text = span_of(plain);
    }
    wire_put_str(c->out, text.p == NULL ? word : text);
}

/* A text of the process, in which the process has one for all, or what the locale says instead: its word "PREFIX_NAME". */
static struct span text_or_word(const struct context *c, const char *prefix, struct span name,
                                struct span text)
{
    struct span own = templates_word_as(c->templates, c->locale, prefix, name);

    return own.p != NULL ? own : text.p != NULL ? text : span_of("");
}

static void put_text_or_word(const struct context *c, const char *prefix, struct span name, struct span text)
{
    wire_put_str(c->out, text_or_word(c, prefix, name, text));
}

/* A word in one of its uses (a kind of message may also be the name of something else); where the locale tells none apart, the word alone. */
static void put_word_as(const struct context *c, const char *prefix, struct span word)
{
    struct span own = templates_word_as(c->templates, c->locale, prefix, word);

    if (own.p != NULL)
        wire_put_str(c->out, own);
    else
        put_word(c, word);
}

static void put_instant(const struct context *c, int64_t at_us)
{
    char text[READER_INSTANT_BYTES];
    reader_instant(c->facts->zone, at_us, text);
    wire_put_text(c->out, text);
}

static bool key_ends_with(struct span key, const char *end)
{
    size_t len = strlen(end);
    return key.len > len && memcmp(key.p + key.len - len, end, len) == 0;
}

/* Closing has a reason of a list; elsewhere somebody wrote it. */
static bool key_is_word(const struct context *c, struct span key)
{
    static const char *const keys[] = {"clock", "close_reason", "what", "medium"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (span_is(key, keys[i]))
            return true;
    return span_is(key, "reason") && strcmp(c->facts->kind, "closed") == 0;
}

/* What is asked, as a reader sees it: its text, in the reader's language where the locale has the question. */
static void put_questions(const struct context *c, const struct wire_val *list)
{
    wire_put_list(c->out, wire_count(list));
    for (size_t i = 0; i < wire_count(list); i++) {
        const struct wire_val *question = wire_at(list, i);
        put_text_or_word(c, "question", wire_find_str(question, "name"), context_question(question));
    }
}

/* Of a body that holds the priority beside its name. */
static void put_priority_name(const struct context *c, const struct wire_val *body, struct span text)
{
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%lld", (long long)wire_find_int(body, "priority", 0));
    put_text_or_word(c, "priority", span_of(digits), text);
}

/* Who did something may be a customer, whose names are their own. */
static bool key_is_person(const struct wire_val *map, struct span key)
{
    return span_is(key, "staff") || span_is(key, "acked_by") || span_is(key, "ended_by") ||
           (span_is(key, "by") && wire_find_bool(map, "by_staff", false));
}

static void put_readable(const struct context *c, struct span key, const struct wire_val *value);

static struct span text_of(const struct context *c, const struct wire_val *body)
{
    return tell_body_text(body, c->locale, c->facts->desk_locale);
}

/* "Ada Lovelace (chat), desk (mail)". */
static void put_told(const struct context *c, const struct wire_val *told_to)
{
    struct buf all;

    buf_init(&all, MEMBER_BYTES);
    for (size_t i = 0; i < wire_count(told_to); i++) {
        struct span name = wire_find_str(wire_at(told_to, i), "name");
        struct span channel = wire_find_str(wire_at(told_to, i), "channel");
        struct span word = text_or_word(c, "channel", channel, channel);
        (void)buf_printf(&all, "%s%.*s (%.*s)", i == 0 ? "" : ", ", (int)name.len,
                         name.p == NULL ? "" : name.p, (int)word.len, word.p);
    }
    wire_put_str(c->out, buf_span(&all));
    buf_clear(&all);
}

/* An entry of a body. */
static void put_entry(const struct context *c, const struct wire_val *map, size_t i)
{
    struct span key = wire_key_at(map, i), text;
    const struct wire_val *value = wire_val_at(map, i);

    if (span_is(key, "text") && wire_get_str(value, &text))
        wire_put_str(c->out, text_of(c, map));
    else if (span_is(key, "priority_name") && wire_get_str(value, &text))
        put_priority_name(c, map, text);
    else if (span_is(key, "told") && wire_count(wire_find(map, "told_to")) != 0)
        put_told(c, wire_find(map, "told_to"));
    else if (key_is_person(map, key) && wire_get_str(value, &text))
        wire_put_str(c->out, process_person_title(c->facts->people, text));
    else
        put_readable(c, key, value);
}

/* Copies a value of a body; instants and words of ours become readable. */
static void put_readable(const struct context *c, struct span key, const struct wire_val *value)
{
    struct span text;
    int64_t at;

    if (key_ends_with(key, "_at") && wire_get_int(value, &at)) {
        put_instant(c, at);
    } else if (key_is_word(c, key) && wire_get_str(value, &text)) {
        put_word(c, text);
    } else if (span_is(key, "about") && wire_get_str(value, &text)) {
        put_word_as(c, "kind", text);
    } else if (span_is(key, "channel") && wire_get_str(value, &text)) {
        put_word_as(c, "channel", text);
    } else if (span_is(key, "questions") && wire_type(value) == WIRE_LIST) {
        put_questions(c, value);
    } else if (wire_type(value) == WIRE_MAP) {
        struct wire_map map = wire_map_open(c->out);
        for (size_t i = 0; i < wire_count(value); i++) {
            if (span_is(wire_key_at(value, i), "texts") &&
                wire_type(wire_val_at(value, i)) == WIRE_MAP) /* of them the reader's stands under text */
                continue;
            wire_put_str(c->out, wire_key_at(value, i));
            put_entry(c, value, i);
            map.count++;
        }
        wire_map_close(c->out, &map);
    } else if (wire_type(value) == WIRE_LIST) {
        wire_put_list(c->out, wire_count(value));
        for (size_t i = 0; i < wire_count(value); i++)
            put_readable(c, SPAN_NONE, wire_at(value, i));
    } else {
        wire_put_val(c->out, value);
    }
}

static struct wire_doc *parse_or_null(struct span bytes)
{
    struct wire_doc *doc = NULL;
    struct err ignored;
    if (bytes.p == NULL || !wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return NULL;
    return doc;
}

/* ---- parts; a text that may be missing is nil then, so that a section over it is left out ---- */

static void put_optional(const struct context *c, const char *key, struct span text)
{
    wire_put_text(c->out, key);
    if (text.p == NULL || text.len == 0)
        wire_put_nil(c->out);
    else
        wire_put_str(c->out, text);
}

static void put_optional_int(const struct context *c, const char *key, int64_t value)
{
    wire_put_text(c->out, key);
    if (value == 0)
        wire_put_nil(c->out);
    else
        wire_put_int(c->out, value);
}

/* own: holds it */
static struct span alert_said(const struct context *c, struct span cause, struct span text, struct buf *own)
{
    alert_words_put(c->templates, c->locale, cause, text, own);
    return own->failed ? text : own->len == 0 ? SPAN_NONE : buf_span(own);
}

/* Which form of a word goes with a number: "count" has "count_is" with one of zero, one, two, few, many, other. */
static void put_plural(const struct context *c, const char *key, int64_t value)
{
    wire_put_text(c->out, key);
    wire_put_map(c->out, 1);
    wire_put_key_bool(c->out, plural_name(plural_of(c->locale, value)), true);
}

static void put_optional_map(const struct context *c, const char *key, const struct wire_val *value)
{
    wire_put_text(c->out, key);
    if (wire_type(value) == WIRE_MAP)
        put_readable(c, SPAN_NONE, value);
    else
        wire_put_nil(c->out);
}

/* The scalars of the body, for kinds without a template of their own. */
static void put_lines(const struct context *c, const struct wire_val *body)
{
    wire_put_text(c->out, "lines");
    struct wire_map lines = wire_list_open(c->out);
    for (size_t i = 0; i < wire_count(body); i++) {
        enum wire_type type = wire_type(wire_val_at(body, i));
        if (type != WIRE_STR && type != WIRE_INT && type != WIRE_FLOAT)
            continue;
        wire_put_map(c->out, 2);
        wire_put_text(c->out, "key");
        put_word(c, wire_key_at(body, i));
        wire_put_text(c->out, "value");
        put_entry(c, body, i);
        lines.count++;
    }
    wire_list_close(c->out, &lines);
}

static bool questions_have(const struct wire_val *questions, struct span name)
{
    for (size_t i = 0; i < wire_count(questions); i++)
        if (span_equal(wire_find_str(wire_at(questions, i), "name"), name))
            return true;
    return false;
}

/* What the same message asks by a question of its own is not asked twice. */
static void put_missing(const struct context *c, const struct wire_val *missing,
                        const struct wire_val *questions, struct wire_map *map)
{
    wire_put_text(c->out, "missing"), map->count++;
    struct wire_map list = wire_list_open(c->out);
    for (size_t i = 0; i < wire_count(missing); i++) {
        struct span word = SPAN_NONE;
        (void)wire_get_str(wire_at(missing, i), &word);
        if (questions_have(questions, word))
            continue;
        put_word(c, word);
        list.count++;
    }
    wire_list_close(c->out, &list);
    wire_put_key_bool(c->out, "has_missing", list.count > 0), map->count++;
}

/* What "waits for you" to a customer is another thing to staff. */
static void put_state(const struct context *c)
{
    const char *name = desk_state_name((enum desk_state)c->facts->state);

    wire_put_text(c->out, "state");
    if (c->facts->tracking[0] == '\0')
        wire_put_nil(c->out);
    else if (c->words->is_for_staff)
        put_word_as(c, "staff", span_of(name));
    else
        put_word(c, span_of(name));
}

static void put_ticket(const struct context *c, struct wire_map *map)
{
    const struct facts *f = c->facts;

    put_optional(c, "tracking", span_of(f->tracking)), map->count++;
    put_optional(c, "title", f->title), map->count++;
    put_optional(c, "customer", f->customer), map->count++;
    put_optional(c, "assignee", process_person_title(f->people, f->assignee)), map->count++;
    put_optional_int(c, "priority", f->priority), map->count++;
    put_state(c), map->count++;
    wire_put_text(c->out, "posted"), map->count++;
    put_instant(c, f->posted_at);
}

/* ---- for staff alone ---- */

/* Whom to ask: the ticket's contact, else the customer's first. */
static void put_contact(const struct context *c, const struct wire_val *extra, const struct wire_val *record)
{
    static const char *const keys[] = {"name", "phone", "email", "xmpp"};
    const struct wire_val *contact = wire_find(extra, "contact");

    if (wire_type(contact) != WIRE_MAP)
        contact = wire_at(wire_find(record, "contacts"), 0);
    wire_put_text(c->out, "contact");
    if (!c->words->is_for_staff || wire_type(contact) != WIRE_MAP) {
        wire_put_nil(c->out);
        return;
    }
    wire_put_map(c->out, sizeof keys / sizeof keys[0]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        put_optional(c, keys[i], wire_find_str(contact, keys[i]));
}

/* What the customer wrote; where it is long, its beginning. */
static void put_problem(const struct context *c)
{
    struct span text = c->words->problem, kept = span_cut(text, PROBLEM_BYTES_MAX);
    struct buf cut;

    buf_init(&cut, PROBLEM_BYTES_MAX + 8);
    if (kept.p != NULL)
        buf_add_span(&cut, kept);
    if (kept.len < text.len)
        buf_add_text(&cut, "\xe2\x80\xa6");
    put_optional(c, "problem", kept.len == 0 ? SPAN_NONE : buf_span(&cut));
    buf_clear(&cut);
}

static bool span_has(struct span text, struct span part)
{
    for (size_t i = 0; part.len != 0 && i + part.len <= text.len; i++)
        if (memcmp(text.p + i, part.p, part.len) == 0)
            return true;
    return false;
}

static void put_for_staff(const struct context *c, struct wire_map *map)
{
    char priority[32];
    struct wire_doc *extra = parse_or_null(c->words->extra), *record = parse_or_null(c->facts->record);

    put_problem(c), map->count++;
    put_contact(c, extra == NULL ? NULL : wire_root(extra), record == NULL ? NULL : wire_root(record)),
        map->count++;
    (void)snprintf(priority, sizeof priority, "riority %d",
                   c->words->alert_priority); /* at its beginning or within */
    wire_put_key_bool(c->out, "alert_has_title", span_has(c->alert, c->facts->title)), map->count++;
    wire_put_key_bool(c->out, "alert_has_priority",
                      span_has(c->alert, span_of(priority)) ||
                          alert_words_say_priority(c->words->alert_cause, c->words->alert_priority)),
        map->count++;
    wire_doc_free(extra);
    wire_doc_free(record);
}

/* ---- bundles ---- */

/* The reason of a closing is one of a list. */
static struct span closed_word(const struct context *c, const struct wire_val *member, struct span text)
{
    struct span word = SPAN_NONE;

    if (span_is(wire_find_str(member, "kind"), "closed"))
        word = templates_word(c->templates, c->locale, text);
    return word.p == NULL ? text : word;
}

/* What somebody wrote for the reader; where a rule asks, its questions, a line each. */
static void put_member_text(const struct context *c, const struct wire_val *body)
{
    const struct wire_val *questions = wire_find(body, "questions");
    struct buf lines;

    buf_init(&lines, MEMBER_BYTES);
    buf_add_span(&lines, text_of(c, body));
    for (size_t i = 0; i < wire_count(questions); i++) {
        const struct wire_val *question = wire_at(questions, i);
        struct span text =
            text_or_word(c, "question", wire_find_str(question, "name"), context_question(question));
        (void)buf_printf(&lines, "%s- %.*s", lines.len == 0 ? "" : "\n", (int)text.len, text.p);
    }
    put_optional(c, "text", lines.failed ? text_of(c, body) : buf_span(&lines));
    buf_clear(&lines);
}

/* body: what it says, link: its own; or of another type */
static void put_member(const struct context *c, const struct wire_val *member, const struct wire_val *body,
                       const struct wire_val *link)
{
    static const char *const said[] = {"reason", "proposal"};
    int64_t id = wire_find_int(member, "id", 0);
    char tracking[TRACKING_TEXT_BYTES] = "";
    struct span url = SPAN_NONE;
    struct buf own;

    if (id != 0)
        tracking_format(id, c->facts->tracking_prefix, tracking);
    wire_put_map(c->out, 8 + sizeof said / sizeof said[0]);
    put_optional(c, "tracking", span_of(tracking));
    put_optional(c, "title", wire_find_str(member, "title"));
    wire_put_text(c->out, "kind");
    put_word_as(c, "kind", wire_find_str(member, "kind"));
    put_optional_int(c, "priority", wire_find_int(member, "priority", 0));
    buf_init(&own, ALERT_BYTES);
    struct span alert = alert_said(c, wire_find_str(member, "cause"), wire_find_str(member, "alert"), &own);
    put_optional(c, "alert", alert);
    wire_put_key_bool(c->out, "alert_has_title", span_has(alert, wire_find_str(member, "title")));
    buf_clear(&own);
    put_member_text(c, body);
    put_optional(c, "link", wire_get_str(link, &url) ? url : SPAN_NONE);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        put_optional(c, said[i], closed_word(c, member, wire_find_str(body, said[i])));
}

/* Receipts are listed all, for each number is somebody's; of other summaries the worst ten (they come in that order), of pages that were
 * joined into one call the worst. */
static size_t members_shown(const struct context *c, size_t count)
{
    size_t max = strcmp(c->facts->kind, "receipts") == 0 ? count
                 : strcmp(c->facts->kind, "alerts") == 0 ? 1
                                                         : MEMBERS_SHOWN_MAX;
    return count < max ? count : max;
}

static void put_members(const struct context *c, struct wire_map *map)
{
    struct wire_doc *doc = NULL, *bodies = parse_or_null(c->words->member_bodies);
    struct wire_doc *links = parse_or_null(c->words->member_links);
    struct buf bytes;
    struct err ignored;

    buf_init(&bytes, 1 << 20);
    if (c->words->members.p != NULL &&
        wire_from_json(&bytes, c->words->members.p, c->words->members.len, &ignored) &&
        !wire_parse(buf_text(&bytes), bytes.len, WIRE_DEPTH_MAX, &doc, &ignored))
        doc = NULL;
    const struct wire_val *members = doc == NULL ? NULL : wire_root(doc);
    size_t count = wire_count(members), shown = members_shown(c, count);
    put_optional_int(c, "count", (int64_t)count), map->count++;
    put_plural(c, "count_is", (int64_t)count), map->count++;
    wire_put_key_bool(c->out, "one", plural_of(c->locale, (int64_t)count) == PLURAL_ONE), map->count++;
    put_optional_int(c, "more", (int64_t)(count - shown)), map->count++;
    wire_put_text(c->out, "members"), map->count++;
    wire_put_list(c->out, shown);
    for (size_t i = 0; i < shown; i++)
        put_member(c, wire_at(members, i), bodies == NULL ? NULL : wire_at(wire_root(bodies), i),
                   links == NULL ? NULL : wire_at(wire_root(links), i));
    wire_doc_free(links);
    wire_doc_free(bodies);
    wire_doc_free(doc);
    buf_clear(&bytes);
}

/* Updates this one goes out for as well, oldest first. */
static void put_earlier(const struct context *c)
{
    struct wire_doc *doc = parse_or_null(c->words->earlier);
    const struct wire_val *list = doc == NULL ? NULL : wire_root(doc);

    wire_put_text(c->out, "earlier");
    if (wire_count(list) == 0)
        wire_put_nil(c->out);
    else
        put_readable(c, SPAN_NONE, list);
    wire_doc_free(doc);
}

void context_put(struct buf *out, const struct templates *templates, const char *locale,
                 const struct facts *f, const struct context_words *words)
{
    struct context c = {out, templates, locale, f, words, SPAN_NONE};
    struct wire_doc *body_doc = parse_or_null(words->body), *triaged_doc = parse_or_null(words->triaged);
    struct wire_doc *asked_doc = parse_or_null(words->asked);
    const struct wire_val *body = body_doc == NULL ? NULL : wire_root(body_doc);
    const struct wire_val *triaged = triaged_doc == NULL ? NULL : wire_root(triaged_doc);
    const struct wire_val *asked = asked_doc == NULL ? NULL : wire_root(asked_doc);
    struct wire_map map = wire_map_open(out);
    struct buf own;

    buf_init(&own, ALERT_BYTES);
    c.alert = alert_said(&c, words->alert_cause, words->alert, &own);
    put_ticket(&c, &map);
    wire_put_text(out, "kind"), map.count++;
    put_word_as(&c, "kind", span_of(f->kind));
    put_optional(&c, "name", span_of(f->recipient)), map.count++;
    wire_put_key_bool(out, "to_staff", words->is_for_staff), map.count++;
    put_optional(&c, "link", f->link == NULL ? SPAN_NONE : span_of(f->link)), map.count++;
    put_optional(&c, "code", words->code == NULL ? SPAN_NONE : span_of(words->code)), map.count++;
    wire_put_key_bool(out, "by_mail", f->by_mail), map.count++;
    put_optional_int(&c, "attachments", f->attachments), map.count++;
    put_plural(&c, "attachments_is", f->attachments), map.count++;
    put_optional(&c, "alert", c.alert), map.count++;
    put_optional_int(&c, "alert_priority", words->alert_priority), map.count++;
    put_optional_int(&c, "inhibited", words->inhibited), map.count++;
    put_plural(&c, "inhibited_is", words->inhibited), map.count++;
    put_optional_map(&c, "body", body), map.count++;
    put_earlier(&c), map.count++;
    put_optional_map(&c, "triaged", triaged), map.count++;
    put_optional_map(&c, "asked", asked), map.count++;
    put_missing(&c, wire_find(body, "missing"), wire_find(asked, "questions"), &map);
    wire_put_key_bool(out, "on_customer", span_is(wire_find_str(body, "on"), "customer")), map.count++;
    put_lines(&c, body), map.count++;
    put_for_staff(&c, &map);
    put_members(&c, &map);
    wire_map_close(out, &map);
    buf_clear(&own);
    wire_doc_free(body_doc);
    wire_doc_free(triaged_doc);
    wire_doc_free(asked_doc);
}
