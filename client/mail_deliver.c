/* From what a mail is to what the desk is asked. Each way ends with one op under the mail's key, so that a mail that comes twice
 * does it once. */
#include "docket.h"
#include "log.h"
#include "mail_internal.h"
#include "tracking.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ADDRESS_BYTES = 256, CUSTOMER_BYTES = 65, CONTACTS_MAX = 500, STATE_BYTES = 32 };

struct delivery {
    const struct mail_settings *settings;
    const struct mail_view *view;
    struct docket_client *client;
    struct docket_error error;
    char tracking[TRACKING_TEXT_BYTES];
    char customer[CUSTOMER_BYTES];
    char state[STATE_BYTES];      /* of the ticket */
    struct docket_answer *ticket; /* as it was shown; NULL: not yet */
    bool is_contact;              /* the sender is one of the ticket's or its customer's contacts */
    bool was_told;                /* the message of ours that it answers went to the sender's address */
};

/* ---- the end ---- */

/* One line: the mail server puts it into its log, and into the bounce. */
static enum mail_exit end_with(enum mail_exit status, const char *words)
{
    (void)fprintf(stderr, "docket-mail: %s\n", words);
    return status;
}

static enum mail_exit end_with_error(struct delivery *d)
{
    static const enum docket_code later[] = {DOCKET_TIMEOUT, DOCKET_INTERRUPTED, DOCKET_BUSY,
                                             DOCKET_UNAVAILABLE, DOCKET_INTERNAL};

    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        if (d->error.code == later[i])
            return end_with(MAIL_LATER, d->error.message);
    if (d->error.code == DOCKET_CONFLICT && strcmp(d->error.field, "key") == 0) {
        log_event(LOG_INFO, "mail_again", "key=%s", d->view->key);
        return MAIL_KEPT; /* it came before, and found the ticket in another state then */
    }
    return end_with(d->error.code == DOCKET_TOO_LARGE ? MAIL_TOO_LARGE : MAIL_REFUSED, d->error.message);
}

static enum mail_exit drop(const struct delivery *d, const char *why)
{
    log_event(LOG_INFO, "mail_dropped", "reason=%s key=%s", log_quote(why), d->view->key);
    return MAIL_KEPT;
}

/* ---- asking ---- */

static void put_as(struct docket_body *body, const char *name, const char *role)
{
    docket_body_open_map(body, "as");
    docket_body_text(body, "name", name);
    docket_body_text(body, "role", role);
    docket_body_close(body);
}

/* Asks and takes over body. */
static bool ask(struct delivery *d, const char *op, struct docket_body *body, struct docket_answer **ret)
{
    bool ok = docket_call(d->client, op, body, ret, &d->error);
    docket_body_free(body);
    return ok;
}

/* Asks a change under the mail's key. */
static enum mail_exit change(struct delivery *d, const char *op, struct docket_body *body)
{
    struct docket_answer *answer = NULL;
    size_t len = 0;

    docket_body_text(body, "key", d->view->key);
    if (!ask(d, op, body, &answer))
        return end_with_error(d);
    const char *tracking = docket_answer_text(answer, "tracking", &len);
    log_event(LOG_INFO, "mail_kept", "op=%s ticket=%.*s key=%s", op,
              tracking == NULL ? (int)strlen(d->tracking) : (int)len,
              tracking == NULL ? d->tracking : tracking, d->view->key);
    docket_answer_free(answer);
    return MAIL_KEPT;
}

static void copy_answer(const struct docket_answer *answer, const char *path, char *ret, size_t size)
{
    size_t len = 0;
    const char *text = docket_answer_text(answer, path, &len);
    (void)snprintf(ret, size, "%.*s", text == NULL || len >= size ? 0 : (int)len, text == NULL ? "" : text);
}

static bool answer_is(const struct docket_answer *answer, const char *path, const char *text)
{
    size_t len = 0;
    const char *found = docket_answer_text(answer, path, &len);
    return found != NULL && len == strlen(text) && strncasecmp(found, text, len) == 0;
}

/* ---- whose ticket, and who is it ---- */

/* Whether from is the address of a contact of the record at path ("customer", "customers.0"). */
static bool has_contact(const struct docket_answer *answer, const char *record, const char *from)
{
    char path[80];
    size_t len;

    for (int i = 0; i < CONTACTS_MAX; i++) {
        (void)snprintf(path, sizeof path, "%s.contacts.%d.email", record, i);
        if (answer_is(answer, path, from))
            return true;
        if (docket_answer_text(answer, path, &len) == NULL) {
            (void)snprintf(path, sizeof path, "%s.contacts.%d.name", record, i);
            if (docket_answer_text(answer, path, &len) == NULL)
                return false;
        }
    }
    return false;
}

/* False on an error; a customer that is not there has no contacts. */
static bool look_for_contact(struct delivery *d)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;

    docket_body_text(body, "id", d->customer);
    if (!ask(d, "customer.get", body, &answer))
        return d->error.code == DOCKET_NOT_FOUND;
    d->is_contact = has_contact(answer, "customer", d->view->from);
    docket_answer_free(answer);
    return true;
}

/* Reads the ticket. False when there is none, or on an error (then the code is another than not_found). */
static bool look_at_ticket(struct delivery *d, int64_t ticket)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;

    tracking_format(ticket, d->settings->tracking_prefix, d->tracking);
    docket_body_text(body, "tracking", d->tracking);
    docket_body_int(body, "events_after", INT32_MAX);
    if (!ask(d, "ticket.show", body, &answer))
        return false;
    bool nested = docket_answer_text(answer, "ticket.state", &(size_t){0}) != NULL;
    copy_answer(answer, nested ? "ticket.state" : "state", d->state, sizeof d->state);
    copy_answer(answer, nested ? "ticket.customer" : "customer", d->customer, sizeof d->customer);
    d->is_contact = d->view->from[0] != '\0' &&
                    answer_is(answer, nested ? "ticket.contact.email" : "contact.email", d->view->from);
    docket_answer_free(d->ticket);
    d->ticket = answer;
    return d->is_contact || d->view->from[0] == '\0' || look_for_contact(d);
}

/* The ticket that a message of ours was about. */
static int64_t ticket_of_delivery(struct delivery *d)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    char tracking[TRACKING_TEXT_BYTES];
    int64_t ticket = 0;
    struct err ignored;

    docket_body_int(body, "notification", d->view->thread_delivery);
    if (!ask(d, "notification.show", body, &answer))
        return 0;
    copy_answer(answer, "notification.tracking", tracking, sizeof tracking);
    d->was_told = d->view->from[0] != '\0' && answer_is(answer, "notification.address", d->view->from);
    docket_answer_free(answer);
    return tracking_parse(span_of(tracking), d->settings->tracking_prefix, &ticket, &ignored) ? ticket : 0;
}

static bool is_away(const struct delivery *d)
{
    return d->error.code != DOCKET_OK && d->error.code != DOCKET_NOT_FOUND &&
           d->error.code != DOCKET_UNSUPPORTED;
}

/* A Message-ID of ours is easy to guess: by it alone a ticket is found only by who is its contact or was sent that message. */
static bool find_by_thread(struct delivery *d)
{
    int64_t ticket = ticket_of_delivery(d);

    if (ticket == 0 || !look_at_ticket(d, ticket))
        return false;
    if (d->is_contact || d->was_told || d->view->is_thread_proven)
        return true;
    log_event(LOG_INFO, "mail_thread_ignored", "ticket=%s key=%s", d->tracking, d->view->key);
    return false;
}

/* Of several numbers that of a ticket whose contact the sender is, else the first that there is. */
static bool find_by_number(struct delivery *d)
{
    const struct mail_view *view = d->view;
    int64_t found = 0, last = 0; /* 0: there is none */

    for (size_t i = 0; i < view->number_count; i++) {
        last = look_at_ticket(d, view->numbers[i]) ? view->numbers[i] : 0;
        found = found == 0 ? last : found;
        if (last != 0 && d->is_contact)
            return true;
        if (last == 0 && is_away(d))
            return false;
    }
    return found != 0 && (found == last || look_at_ticket(d, found));
}

/* By token, by number in the subject, by thread. False when it belongs to none. */
static bool find_ticket(struct delivery *d)
{
    const struct mail_view *view = d->view;

    d->error.code = DOCKET_OK;
    if (view->has_reply)
        return look_at_ticket(d, view->reply_ticket);
    if (find_by_number(d))
        return true;
    if (is_away(d) || view->thread_delivery == 0)
        return false;
    return find_by_thread(d);
}

/* ---- a ticket that is there ---- */

/* The body of an op on the ticket that was found, with what the mail says. The caller owns it. */
static struct docket_body *words_body(const struct delivery *d, bool is_trusted)
{
    struct docket_body *body = docket_body_new();
    struct buf words;

    buf_init(&words, 2 * MAIL_WORDS_BYTES_MAX);
    mail_put_words(&words, d->view, is_trusted);
    docket_body_text(body, "tracking", d->tracking);
    docket_body_text_n(body, "text", words.p, words.len);
    buf_clear(&words);
    return body;
}

static enum mail_exit comment(struct delivery *d, bool is_trusted)
{
    struct docket_body *body = words_body(d, is_trusted);

    docket_body_bool(body, "public", is_trusted);
    /* What is not known to be the customer's is a machine's note: it starts, meets and ends nothing. */
    put_as(body, is_trusted && d->view->from[0] != '\0' ? d->view->from : "mail",
           is_trusted ? "customer" : "system");
    return change(d, "ticket.comment", body);
}

static enum mail_exit approve(struct delivery *d)
{
    struct docket_body *body = words_body(d, true);
    struct docket_answer *answer = NULL;

    put_as(body, d->view->from[0] == '\0' ? "mail" : d->view->from, "customer");
    docket_body_text(body, "key", d->view->key);
    if (ask(d, "ticket.approve", body, &answer)) {
        log_event(LOG_INFO, "mail_approved", "ticket=%s key=%s", d->tracking, d->view->key);
        docket_answer_free(answer);
        return MAIL_KEPT;
    }
    bool moved = d->error.code == DOCKET_CONFLICT && strcmp(d->error.field, "key") != 0;
    return moved ? comment(d, true) : end_with_error(d); /* it is no longer resolved: then these are words */
}

/* Whether it answers the meeting as it stands: one that came late means a time that holds no more. */
static bool is_of_now(const struct delivery *d, const struct mail_answer *answer, const char *meeting)
{
    const char *list =
        docket_answer_int(d->ticket, "ticket.meetings.0.sequence", -1) >= 0 ? "ticket.meetings" : "meetings";
    char path[80], id[16];

    for (int i = 0; answer->sequence >= 0 && i < CONTACTS_MAX; i++) {
        (void)snprintf(path, sizeof path, "%s.%d.meeting", list, i);
        copy_answer(d->ticket, path, id, sizeof id);
        if (id[0] == '\0')
            break;
        if (strcmp(id, meeting) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s.%d.sequence", list, i);
        return answer->sequence >= docket_answer_int(d->ticket, path, 0);
    }
    return true;
}

/* An answer to an invitation is a note and stands at the meeting when it is known to be the invited one's. It never changes the state. */
static enum mail_exit note_answer(struct delivery *d, const struct mail_answer *answer, bool is_trusted)
{
    struct docket_body *body = words_body(d, is_trusted);
    const char *word = mail_answer_word(answer);
    char meeting[16];

    docket_body_bool(body, "public", false);
    if (is_trusted && answer->is_sender && word != NULL &&
        mail_answer_meeting(answer, d->tracking, meeting, sizeof meeting) && is_of_now(d, answer, meeting)) {
        docket_body_text(body, "meeting", meeting);
        docket_body_text(body, "attendee", answer->attendee);
        docket_body_text(body, "answer", word);
    }
    put_as(body, "mail", "system");
    return change(d, "ticket.comment", body);
}

static enum mail_exit deliver_to_ticket(struct delivery *d)
{
    const struct mail_view *view = d->view;
    struct mail_answer answer;

    if (mail_answer_read(view, &answer))
        return note_answer(d, &answer, view->has_reply || view->is_authentic);
    bool is_person = view->kind == MAIL_KIND_PERSON;
    bool is_trusted = is_person && (view->has_reply || (view->is_authentic && d->is_contact));
    bool approves = is_trusted && view->has_reply && strcmp(d->state, "resolved") == 0 &&
                    mail_word_is(&d->settings->approve_words, mail_text_first_line(view->text));

    return approves ? approve(d) : comment(d, is_trusted);
}

/* ---- a new ticket ---- */

/* The customer that has the sender as a contact. False on an error. */
static bool find_customer(struct delivery *d)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    char path[40];

    d->customer[0] = '\0';
    if (d->view->from[0] == '\0') {
        docket_body_free(body);
        return true;
    }
    docket_body_text(body, "email", d->view->from);
    if (!ask(d, "customer.list", body, &answer))
        return false;
    for (int i = 0; i < CONTACTS_MAX && d->customer[0] == '\0'; i++) {
        size_t len = 0;
        (void)snprintf(path, sizeof path, "customers.%d", i);
        char id[60];
        (void)snprintf(id, sizeof id, "%s.id", path);
        if (docket_answer_text(answer, id, &len) == NULL)
            break;
        if (has_contact(answer, path, d->view->from))
            copy_answer(answer, id, d->customer, sizeof d->customer);
    }
    docket_answer_free(answer);
    return true;
}

static void put_contact(struct docket_body *body, const struct mail_view *view)
{
    docket_body_open_map(body, "contact");
    docket_body_text(body, "name", view->from_name[0] != '\0' ? view->from_name : view->from);
    /* A machine gets no receipt: two of them would talk to each other. */
    if (view->kind == MAIL_KIND_PERSON)
        docket_body_text(body, "email", view->from);
    docket_body_close(body);
}

static void put_attributes(struct docket_body *body, const struct mail_view *view)
{
    static const char *const kept[] = {"message_id", "date", "subject"};

    docket_body_open_map(body, "attributes");
    docket_body_open_map(body, "mail");
    docket_body_text(body, "from", view->from);
    docket_body_bool(body, "verified", view->is_authentic);
    docket_body_bool(body, "automatic", view->kind != MAIL_KIND_PERSON);
    docket_body_int(body, "attachments", (int64_t)wire_count(wire_find(view->facts, "attachments")));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        struct span text = wire_find_str(view->facts, kept[i]);
        docket_body_text_n(body, kept[i], text.p == NULL ? "" : text.p, text.len);
    }
    docket_body_close(body);
    docket_body_close(body);
}

static enum mail_exit post(struct delivery *d)
{
    struct docket_body *body = docket_body_new();
    struct buf words;

    d->tracking[0] = '\0';
    docket_body_text(body, "customer", d->customer);
    buf_init(&words, 2 * MAIL_WORDS_BYTES_MAX);
    mail_put_title(&words, d->view);
    docket_body_text_n(body, "title", words.p, words.len);
    buf_reset(&words);
    mail_put_words(&words, d->view, d->view->is_authentic);
    docket_body_text_n(body, "problem", words.p, words.len);
    buf_clear(&words);
    put_contact(body, d->view);
    put_attributes(body, d->view);
    /* Strangers share a customer: what belongs together is only what one of them sent. */
    const char *correlation =
        strcmp(d->customer, d->settings->strangers) == 0 ? d->view->correlation_own : d->view->correlation;
    if (correlation[0] != '\0')
        docket_body_text(body, "correlation", correlation);
    return change(d, "ticket.submit", body);
}

/* Nobody whom an answer could reach. */
static enum mail_exit refuse_sender(const struct delivery *d)
{
    struct span from = wire_find_str(d->view->facts, "from");

    for (size_t i = 0; i < from.len; i++)
        if ((unsigned char)from.p[i] > 0x7e)
            return end_with(MAIL_REFUSED, "the sender's address has letters beyond those of ASCII, to which "
                                          "no answer can be sent from here: write from another address");
    return end_with(MAIL_REFUSED, "the mail has no sender that could be answered");
}

static enum mail_exit deliver_new(struct delivery *d)
{
    if (d->view->kind != MAIL_KIND_PERSON && d->view->kind != MAIL_KIND_AUTOMATIC)
        return drop(d, d->view->kind == MAIL_KIND_BULK ? "from a list, and about no ticket"
                                                       : "an automatic answer, and about no ticket");
    if (d->view->from[0] == '\0')
        return refuse_sender(d);
    if (!find_customer(d))
        return end_with_error(d);
    if (d->customer[0] == '\0' && d->settings->strangers[0] == '\0')
        return end_with(MAIL_REFUSED, "the sender is not known here: ask your support contact to be added");
    if (d->customer[0] == '\0')
        (void)snprintf(d->customer, sizeof d->customer, "%s", d->settings->strangers);
    return post(d);
}

/* ---- alerts and bounces ---- */

/* As whom: the one to whom the alert was told at that address. */
static void find_teller(struct delivery *d, char *ret)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    char path[80], address[ADDRESS_BYTES];

    (void)snprintf(ret, ADDRESS_BYTES, "%s", d->view->from);
    docket_body_int(body, "alert", d->view->ack_alert);
    if (!ask(d, "alert.show", body, &answer))
        return;
    for (int i = 0, k = 0; i < CONTACTS_MAX; k++) {
        (void)snprintf(path, sizeof path, "messages.%d.deliveries.%d.address", i, k);
        copy_answer(answer, path, address, sizeof address);
        if (address[0] == '\0' && k == 0)
            break;
        if (address[0] == '\0') {
            i++, k = -1;
        } else if (token_is_for(d->view->token_who, address)) {
            (void)snprintf(path, sizeof path, "messages.%d.deliveries.%d.recipient", i, k);
            copy_answer(answer, path, ret, ADDRESS_BYTES);
            break;
        }
    }
    docket_answer_free(answer);
}

/* "ack", "ack take". */
static bool is_ack(const struct delivery *d, bool *ret_takes)
{
    static const char take[] = "take";
    struct span line = mail_text_first_line(d->view->text);
    size_t before = line.len > sizeof take ? line.len - (sizeof take - 1) : 0;

    *ret_takes =
        before != 0 && line.p[before - 1] == ' ' && strncasecmp(line.p + before, take, sizeof take - 1) == 0;
    if (*ret_takes)
        for (line.len = before; line.len != 0 && line.p[line.len - 1] == ' ';)
            line.len--;
    return mail_word_is(&d->settings->ack_words, line);
}

/* The ticket of an alert that is acknowledged by now. When somebody else has it, it stays theirs. */
static enum mail_exit take(struct delivery *d, const char *who)
{
    struct docket_body *body = docket_body_new();
    struct docket_answer *answer = NULL;
    char key[ADDRESS_BYTES];

    (void)snprintf(key, sizeof key, "%s/take", d->view->key);
    docket_body_text(body, "tracking", d->tracking);
    put_as(body, who, "staff");
    docket_body_text(body, "key", key);
    if (ask(d, "ticket.take", body, &answer)) {
        log_event(LOG_INFO, "mail_kept", "op=ticket.take ticket=%s key=%s", d->tracking, key);
        docket_answer_free(answer);
        return MAIL_KEPT;
    }
    enum mail_exit status = end_with_error(d);
    return status == MAIL_LATER ? status : MAIL_KEPT;
}

static enum mail_exit acknowledge(struct delivery *d)
{
    struct docket_answer *answer = NULL;
    char who[ADDRESS_BYTES];
    bool takes = false;

    if (d->view->kind != MAIL_KIND_PERSON)
        return drop(d, "an automatic answer to an alert");
    if (!is_ack(d, &takes))
        return end_with(MAIL_REFUSED, "the first line of an answer to an alert must be: ack, or: ack take");
    find_teller(d, who);
    struct docket_body *body = docket_body_new();
    docket_body_int(body, "alert", d->view->ack_alert);
    if (d->view->ack_generation != 0)
        docket_body_int(body, "generation", d->view->ack_generation);
    put_as(body, who, "staff");
    docket_body_text(body, "key", d->view->key);
    if (!ask(d, "alert.ack", body, &answer))
        return strcmp(d->error.field, "generation") == 0
                   ? end_with(MAIL_REFUSED,
                              "the alert was opened again since: answer the last message about it")
                   : end_with_error(d);
    log_event(LOG_INFO, "mail_kept", "op=alert.ack alert=%lld key=%s", (long long)d->view->ack_alert,
              d->view->key);
    copy_answer(answer, "tracking", d->tracking, sizeof d->tracking);
    docket_answer_free(answer);
    return takes && d->tracking[0] != '\0' ? take(d, who) : MAIL_KEPT;
}

static enum mail_exit bounce(struct delivery *d)
{
    char status[16], reply[600];
    struct span report = wire_find_str(wire_find(d->view->facts, "report"), "text");

    if (!d->view->has_bounce)
        return drop(d, "a bounce that does not prove of which message of ours it is");
    if (!mail_bounce_read(d->view, status, sizeof status))
        return drop(d, "a notice about a delivery that is not over, or went well");
    struct docket_body *body = docket_body_new();
    (void)snprintf(reply, sizeof reply, "%.*s", report.len < 500 ? (int)report.len : 500,
                   report.p == NULL ? "" : report.p);
    docket_body_int(body, "notification", d->view->bounce_delivery);
    docket_body_text(body, "status", status);
    if (reply[0] != '\0' && utf8_check(span_of(reply), NULL))
        docket_body_text(body, "text", reply);
    put_as(body, "mail", "system");
    enum mail_exit end = change(d, "notification.bounced", body);
    /* A bounce must never bounce. */
    return end == MAIL_LATER ? end : MAIL_KEPT;
}

/* ---- the ways ---- */

static enum mail_exit deliver(struct delivery *d)
{
    const struct mail_view *view = d->view;

    if (view->kind == MAIL_KIND_BOUNCE)
        return bounce(d);
    if (view->kind == MAIL_KIND_OURS)
        return drop(d, "a message of Docket itself: a loop");
    if (view->has_ack)
        return acknowledge(d);
    if (find_ticket(d))
        return deliver_to_ticket(d);
    return is_away(d) ? end_with_error(d) : deliver_new(d);
}

static void join_brokers(const struct setting_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->count; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : ",", list->items[i]);
}

enum mail_exit mail_deliver(const struct mail_settings *settings, const struct mail_view *view)
{
    struct delivery d = {.settings = settings, .view = view};
    struct buf brokers;

    buf_init(&brokers, 65536);
    join_brokers(&settings->brokers, &brokers);
    bool ok = docket_client_new(buf_text(&brokers), &d.client, &d.error);
    buf_clear(&brokers);
    if (!ok)
        return end_with(MAIL_CONFIGURATION, d.error.message);
    docket_client_set_timeout_ms(d.client, (int)(settings->timeout_us / 1000));
    enum mail_exit status = deliver(&d);
    docket_answer_free(d.ticket);
    docket_client_free(d.client);
    return status;
}
