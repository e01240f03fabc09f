/* From a row to bytes; see compose.h. */
#include "compose.h"
#include "answers.h"
#include "desk.h"
#include "escal_people.h"
#include "lanes.h"
#include "link_url.h"
#include "log.h"
#include "meeting_body.h"
#include "notifier.h"
#include "reader.h"
#include "render.h"
#include "template_faults.h"
#include "tracking.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

enum {
    KIND_BYTES = 40,
    RECIPIENT_BYTES = 256,
    CUSTOMER_BYTES = 256,
    MEETING_BODY_BYTES_MAX = 1 << 20,
    MEMBERS_BYTES_MAX = 1 << 20
};

/* Texts of a row with a closing NUL. */
struct texts {
    char tracking[TRACKING_TEXT_BYTES], kind[KIND_BYTES], recipient[RECIPIENT_BYTES];
    char address[CHANNEL_ADDRESS_BYTES], customer[CUSTOMER_BYTES];
    char root[COMPOSE_ID_BYTES], previous[COMPOSE_ID_BYTES];
    char link[LINK_URL_BYTES], code[ANSWER_CODE_BYTES];
    struct reader reader;
};

static void copy_text(const PGresult *rows, int row, int column, char *to, size_t size)
{
    struct span from = pg_span(rows, row, column);
    (void)snprintf(to, size, "%.*s", (int)from.len, from.p == NULL ? "" : from.p);
}

static struct wire_doc *parse_or_null(struct span bytes)
{
    struct wire_doc *doc = NULL;
    struct err ignored;

    return bytes.p != NULL && wire_parse(bytes.p, bytes.len, WIRE_DEPTH_MAX, &doc, &ignored) ? doc : NULL;
}

/* Whether a body proposes next steps with a third party, to which the customer may agree. */
static bool is_proposal(const struct wire_val *body)
{
    return wire_find_str(body, "proposal").len != 0;
}

static void put_link(const struct notifier *notifier, const PGresult *rows, int row, struct texts *ret)
{
    struct wire_doc *body = parse_or_null(pg_span(rows, row, C_BODY));
    const struct link_about about = {.audience = (enum desk_audience)pg_int(rows, row, C_AUDIENCE),
                                     .kind = ret->kind,
                                     .is_proposal = body != NULL && is_proposal(wire_root(body)),
                                     .address = ret->address,
                                     .ticket = pg_int(rows, row, C_TICKET),
                                     .version = (int32_t)pg_int(rows, row, C_VERSION),
                                     .alert = pg_int(rows, row, C_ALERT_ID),
                                     .alert_generation = (int32_t)pg_int(rows, row, C_ALERT_GENERATION),
                                     .now = pg_int(rows, row, C_NOW)};
    if (!link_url_format(&notifier->link_key, notifier->settings.public_url, &about, ret->link))
        ret->link[0] = '\0';
    wire_doc_free(body);
    ret->code[0] = '\0';
    if (about.alert != 0 && about.audience != AUDIENCE_CUSTOMER)
        answer_code(&notifier->link_key, about.alert, about.alert_generation, ret->code);
}

/* Of a member of a summary, "" where it asks for nothing. */
static void put_member_link(const struct notifier *notifier, const PGresult *rows, int row,
                            const struct wire_val *member, const struct wire_val *body, const char *address,
                            struct buf *out)
{
    char kind[KIND_BYTES], url[LINK_URL_BYTES];
    struct span name = wire_find_str(member, "kind");
    const struct link_about about = {.audience = (enum desk_audience)pg_int(rows, row, C_AUDIENCE),
                                     .kind = kind,
                                     .is_proposal = is_proposal(body),
                                     .address = address,
                                     .ticket = wire_find_int(member, "id", 0),
                                     .version = (int32_t)wire_find_int(member, "version", 0),
                                     .alert = wire_find_int(member, "alert_id", 0),
                                     .alert_generation = (int32_t)wire_find_int(member, "generation", 0),
                                     .now = pg_int(rows, row, C_NOW)};

    (void)snprintf(kind, sizeof kind, "%.*s", (int)name.len, name.len == 0 ? "" : name.p);
    if (!link_url_format(&notifier->link_key, notifier->settings.public_url, &about, url))
        url[0] = '\0';
    wire_put_text(out, url);
}

/* A list of the links of those that a summary shows. own: holds it */
static struct span member_links(const struct notifier *notifier, const PGresult *rows, int row,
                                const char *address, struct buf *own)
{
    struct wire_doc *bodies = parse_or_null(pg_span(rows, row, C_MEMBER_BODIES)), *members = NULL;
    struct span json = pg_span(rows, row, C_MEMBERS);
    struct buf bytes;
    struct err ignored;

    buf_init(&bytes, MEMBERS_BYTES_MAX);
    if (bodies != NULL && json.p != NULL && wire_from_json(&bytes, json.p, json.len, &ignored))
        members = parse_or_null(buf_span(&bytes));
    size_t count = bodies == NULL || members == NULL ? 0 : wire_count(wire_root(bodies));
    wire_put_list(own, count);
    for (size_t i = 0; i < count; i++)
        put_member_link(notifier, rows, row, wire_at(wire_root(members), i), wire_at(wire_root(bodies), i),
                        address, own);
    wire_doc_free(members);
    wire_doc_free(bodies);
    buf_clear(&bytes);
    return count == 0 ? SPAN_NONE : buf_span(own);
}

static void texts_read(const struct notifier *notifier, const PGresult *rows, int row, struct texts *ret)
{
    memset(ret, 0, sizeof *ret);
    if (pg_int(rows, row, C_TICKET) != 0)
        tracking_format(pg_int(rows, row, C_TICKET), notifier->settings.tracking_prefix, ret->tracking);
    copy_text(rows, row, C_KIND, ret->kind, sizeof ret->kind);
    copy_text(rows, row, C_RECIPIENT, ret->recipient, sizeof ret->recipient);
    for (char *p = ret->recipient; *p != '\0'; p++) /* a name is one line, also where it is a header */
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p;
    copy_text(rows, row, C_ADDRESS, ret->address, sizeof ret->address);
    copy_text(rows, row, C_CUSTOMER, ret->customer, sizeof ret->customer);
    copy_text(rows, row, C_ROOT, ret->root, sizeof ret->root);
    copy_text(rows, row, C_PREVIOUS, ret->previous, sizeof ret->previous);
    put_link(notifier, rows, row, ret);
}

static void texts_find_reader(struct notifier *notifier, const PGresult *rows, int row, struct texts *texts)
{
    struct span record = pg_span(rows, row, C_RECORD);

    if (pg_int(rows, row, C_AUDIENCE) == AUDIENCE_CUSTOMER) {
        reader_of_contact(notifier->zones, record, texts->address, &texts->reader);
        return;
    }
    const struct process_person *person = escal_people_person(notifier->people, texts->recipient);
    struct reader desk;
    reader_of_desk(notifier->zones, notifier->settings.desk_locale, notifier->settings.desk_zone, &desk);
    reader_of_person(notifier->zones, person, &desk, record, &texts->reader);
    if (person != NULL)
        (void)snprintf(texts->recipient, sizeof texts->recipient, "%.*s",
                       (int)span_cut(span_of(person->title), sizeof texts->recipient - 1).len, person->title);
}

/* How many docket-mail left out. */
static int attachments_of(struct span extra)
{
    struct wire_doc *doc = parse_or_null(extra);

    if (doc == NULL)
        return 0;
    const struct wire_val *mail = wire_find(wire_find(wire_root(doc), "attributes"), "mail");
    int64_t count = wire_find_int(mail, "attachments", 0);
    wire_doc_free(doc);
    return count > 0 && count < 1000 ? (int)count : 0;
}

static struct facts facts_of(struct notifier *notifier, const PGresult *rows, int row,
                             const struct texts *texts)
{
    return (struct facts){.tracking_prefix = notifier->settings.tracking_prefix,
                          .zone = texts->reader.zone,
                          .locale = texts->reader.locale[0] == '\0' ? NULL : texts->reader.locale,
                          .desk_locale = notifier->settings.desk_locale,
                          .kind = texts->kind,
                          .tracking = texts->tracking,
                          .recipient = texts->recipient,
                          .people = escal_people_plan(notifier->people),
                          .link = texts->link[0] == '\0' ? NULL : texts->link,
                          .by_mail = notifier->settings.reply_address[0] != '\0',
                          .attachments = attachments_of(pg_span(rows, row, C_EXTRA)),
                          .title = pg_span(rows, row, C_TITLE),
                          .customer = pg_span(rows, row, C_CUSTOMER),
                          .assignee = pg_span(rows, row, C_ASSIGNEE),
                          .state = (int)pg_int(rows, row, C_STATE),
                          .priority = (int)pg_int(rows, row, C_PRIORITY),
                          .posted_at = pg_int(rows, row, C_POSTED_AT),
                          .record = pg_span(rows, row, C_RECORD)};
}

/* What the row tells its reader: of a meeting, those who are no longer invited read another thing than the others. own: holds it */
static struct span body_of(const PGresult *rows, int row, const struct texts *texts, struct buf *own)
{
    struct span body = pg_span(rows, row, C_BODY);

    return strcmp(texts->kind, "meeting") == 0 && meeting_body_put_for(body, texts->address, own)
               ? buf_span(own)
               : body;
}

/* A row's words in the type of who reads them. */
struct row_words {
    struct customer_words for_customer;
    struct staff_words for_staff;
    const struct customer_words *to_customer; /* one of the two points here, the other is NULL */
    const struct staff_words *to_staff;
};

/* The one place where a row's words get their type: what the row does not call the customer's never is. */
static void words_of(const PGresult *rows, int row, const struct texts *texts, struct span body,
                     struct span links, struct row_words *ret)
{
    enum desk_audience audience = (enum desk_audience)pg_int(rows, row, C_AUDIENCE);

    *ret = (struct row_words){.to_customer = NULL};
    if (audience == AUDIENCE_CUSTOMER) {
        ret->for_customer = (struct customer_words){.body = body,
                                                    .earlier = pg_span(rows, row, C_EARLIER),
                                                    .triaged = pg_span(rows, row, C_TRIAGED),
                                                    .asked = pg_span(rows, row, C_ASKED),
                                                    .members = pg_span(rows, row, C_MEMBERS),
                                                    .member_bodies = pg_span(rows, row, C_MEMBER_BODIES),
                                                    .member_links = links};
        ret->to_customer = &ret->for_customer;
        return;
    }
    ret->for_staff = (struct staff_words){.body = body,
                                          .members = pg_span(rows, row, C_MEMBERS),
                                          .member_bodies = pg_span(rows, row, C_MEMBER_BODIES),
                                          .member_links = links,
                                          .alert_cause = pg_span(rows, row, C_ALERT_CAUSE),
                                          .alert = pg_span(rows, row, C_ALERT),
                                          .alert_priority = (int)pg_int(rows, row, C_ALERT_PRIORITY),
                                          .alert_id = pg_int(rows, row, C_ALERT_ID),
                                          .alert_generation = (int32_t)pg_int(rows, row, C_ALERT_GENERATION),
                                          .is_for_ops = audience == AUDIENCE_OPS,
                                          .code = texts->code[0] == '\0' ? NULL : texts->code,
                                          .inhibited = pg_int(rows, row, C_INHIBITED),
                                          .problem = pg_span(rows, row, C_PROBLEM),
                                          .extra = pg_span(rows, row, C_EXTRA)};
    ret->to_staff = &ret->for_staff;
}

static void render_row(struct notifier *notifier, int channel, const struct facts *facts,
                       const struct row_words *words, struct message *ret)
{
    const char *suffix = channel_rows[channel].suffix;
    size_t chars_max = channel_table[channel]->text_chars_max;

    if (words->to_customer != NULL)
        render_to_customer(notifier->templates, facts, words->to_customer, suffix, chars_max, ret);
    else
        render_to_staff(notifier->templates, facts, words->to_staff, suffix, chars_max, ret);
}

static struct letter letter_of(const PGresult *rows, int row, const struct texts *texts, const char *id,
                               const struct row_words *words, const struct message *message)
{
    int alert_priority = words->to_staff == NULL ? 0 : words->to_staff->alert_priority;

    return (struct letter){.id = id,
                           .root_id = texts->root,
                           .previous_id = texts->previous,
                           .address = texts->address,
                           .recipient = texts->recipient,
                           .kind = texts->kind,
                           .tracking = texts->tracking,
                           .customer = texts->customer,
                           .title = pg_span(rows, row, C_TITLE),
                           .subject = buf_text(&message->subject),
                           .text = buf_text(&message->text),
                           .html = buf_text(&message->html),
                           .to_customer = words->to_customer,
                           .to_staff = words->to_staff,
                           .is_guest = pg_bool(rows, row, C_GUEST),
                           .delivery = pg_int(rows, row, C_ID),
                           .ticket = pg_int(rows, row, C_TICKET),
                           .version = (int32_t)pg_int(rows, row, C_VERSION),
                           .priority =
                               alert_priority != 0 ? alert_priority : (int)pg_int(rows, row, C_PRIORITY),
                           .date_at = pg_int(rows, row, C_NOW)};
}

bool compose_row(struct notifier *notifier, int channel, const PGresult *rows, int row, char *ret_id,
                 struct buf *out, struct err *err)
{
    const struct channel *way = channel_table[channel];
    struct texts texts;
    struct message message;
    struct row_words words;
    struct buf own, links;

    texts_read(notifier, rows, row, &texts);
    texts_find_reader(notifier, rows, row, &texts);
    (void)snprintf(ret_id, COMPOSE_ID_BYTES, "n.%lld@%.*s", (long long)pg_int(rows, row, C_ID),
                   COMPOSE_ID_BYTES - 24, notifier->settings.mail_domain);
    if (!way->address_check(texts.address, err))
        return false;
    struct facts facts = facts_of(notifier, rows, row, &texts);
    bool has_reply_to = pg_int(rows, row, C_AUDIENCE) == AUDIENCE_CUSTOMER
                            ? texts.tracking[0] != '\0'
                            : pg_int(rows, row, C_ALERT_ID) != 0;
    facts.by_mail = facts.by_mail && has_reply_to && channel == CHANNEL_EMAIL && !pg_bool(rows, row, C_GUEST);
    buf_init(&own, MEETING_BODY_BYTES_MAX);
    buf_init(&links, MEMBERS_BYTES_MAX);
    words_of(rows, row, &texts, body_of(rows, row, &texts, &own),
             member_links(notifier, rows, row, texts.address, &links), &words);
    message_init(&message);
    render_row(notifier, channel, &facts, &words, &message);
    if (message.is_builtin) {
        log_event(LOG_WARN, "template_failed", "kind=%s reason=%s", texts.kind, log_quote(message.why));
        template_faults_note(notifier->template_faults, texts.kind, message.why);
    }
    const struct letter letter = letter_of(rows, row, &texts, ret_id, &words, &message);
    bool ok = way->build(lanes_room_of(notifier->lanes, channel), &letter, out, err);
    message_clear(&message);
    buf_clear(&own);
    buf_clear(&links);
    return ok &&
           (!out->failed || err_set(err, ERR_TOO_LARGE, "the message is larger than %zu bytes", out->max));
}
