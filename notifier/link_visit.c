/* One visit of a link; see link_visit.h. */
#include "link_visit.h"
#include "alert_words.h"
#include "desk.h"
#include "tracking.h"
#include "wire.h"

#include <string.h>

#include <sodium.h>

enum { TITLE_BYTES_MAX = 4096, ASKED_BYTES_MAX = 140 << 10 };

static const struct link_action actions[] = {
    {TOKEN_APPROVE, "approve", "ticket.approve", NULL, false},
    {TOKEN_APPROVE, "reject", "ticket.reject", NULL, true},
    {TOKEN_AGREE, "agree", "ticket.agree", NULL, true},
    {TOKEN_AGREE, "decline", "ticket.decline", NULL, true},
    {TOKEN_ACKNOWLEDGE, "acknowledge", "alert.ack", NULL, false},
    {TOKEN_ACKNOWLEDGE, "take", "alert.ack", "ticket.take", false},
};

const struct link_action *link_action_find(enum token_purpose purpose, struct span name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (actions[i].purpose == purpose && span_is(name, actions[i].name))
            return &actions[i];
    return NULL;
}

void link_visit_init(struct link_visit *visit)
{
    memset(visit, 0, sizeof *visit);
    buf_init(&visit->said, LINK_TEXT_BYTES_MAX);
    buf_init(&visit->title, TITLE_BYTES_MAX);
    buf_init(&visit->customer, TITLE_BYTES_MAX);
    buf_init(&visit->text, ASKED_BYTES_MAX);
    buf_init(&visit->proposal, ASKED_BYTES_MAX);
    buf_init(&visit->by, TITLE_BYTES_MAX);
    buf_init(&visit->assignee, TITLE_BYTES_MAX);
}

void link_visit_clear(struct link_visit *visit)
{
    buf_clear(&visit->said);
    buf_clear(&visit->title);
    buf_clear(&visit->customer);
    buf_clear(&visit->text);
    buf_clear(&visit->proposal);
    buf_clear(&visit->by);
    buf_clear(&visit->assignee);
}

static void set_text(struct buf *to, struct span from)
{
    buf_reset(to);
    buf_add_span(to, from);
}

/* The one among those who were told whose address the token was made for: the name where staff act, for it is theirs in
 * the desk; the address where a customer does. */
static void find_who(struct link_visit *visit, const PGresult *rows, int recipient, int address, bool by_name)
{
    char text[LINK_NAME_BYTES * 2];

    visit->who[0] = '\0';
    for (int i = 0; i < PQntuples(rows); i++) {
        struct span at = pg_span(rows, i, address), name = pg_span(rows, i, recipient);
        if (at.p == NULL || at.len >= sizeof text)
            continue;
        (void)snprintf(text, sizeof text, "%.*s", (int)at.len, at.p);
        if (!token_is_for(visit->link.who, text))
            continue;
        struct span who = by_name && name.len != 0 ? name : at;
        if (who.len < LINK_NAME_BYTES)
            (void)snprintf(visit->who, sizeof visit->who, "%.*s", (int)who.len, who.p);
        return;
    }
}

static void visit_read_by(struct link_visit *visit, const struct reader *reader)
{
    if (reader->locale[0] != '\0')
        (void)snprintf(visit->locale, sizeof visit->locale, "%s", reader->locale);
}

static void set_result_at(struct link_visit *visit, const struct reader *reader, int64_t at)
{
    reader_instant(reader->zone, at, visit->result_at);
    visit->view.result_at = visit->result_at;
}

/* ---- a ticket ---- */

enum ticket_column {
    T_NOW,
    T_CUSTOMER,
    T_TITLE,
    T_RECORD,
    T_STATE,
    T_VERSION,
    T_ASKED_VERSION,
    T_ASKED,
    T_ENDED_KIND,
    T_ENDED_AT,
    T_ENDED_BY,
    T_RECIPIENT,
    T_ADDRESS
};

/* In which states the question of a purpose is open. */
static bool state_is_open(enum token_purpose purpose, enum desk_state state)
{
    return purpose == TOKEN_APPROVE ? state == STATE_RESOLVED
                                    : state == STATE_WAITING_CUSTOMER || state == STATE_WAITING_VENDOR;
}

static void read_asked(struct link_visit *visit, struct span asked)
{
    struct wire_doc *doc = NULL;
    struct err ignored;

    if (asked.p == NULL || !wire_parse(asked.p, asked.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return;
    const struct wire_val *root = wire_root(doc);
    set_text(&visit->text, wire_find_str(root, visit->link.purpose == TOKEN_APPROVE ? "text" : "reason"));
    set_text(&visit->proposal, wire_find_str(root, "proposal"));
    wire_doc_free(doc);
}

void link_visit_read_ticket(struct link_visit *visit, const PGresult *rows, const char *prefix,
                            struct zones *zones, char *tracking)
{
    struct link_view *view = &visit->view;
    struct reader reader;
    bool is_agree = visit->link.purpose == TOKEN_AGREE;

    visit->is_found = PQntuples(rows) > 0;
    if (!visit->is_found)
        return;
    visit->now = pg_int(rows, 0, T_NOW);
    visit->ticket = visit->link.subject;
    visit->version = (int32_t)pg_int(rows, 0, T_VERSION);
    tracking_format(visit->ticket, prefix, tracking);
    find_who(visit, rows, T_RECIPIENT, T_ADDRESS, false);
    set_text(&visit->title, pg_span(rows, 0, T_TITLE));
    read_asked(visit, pg_span(rows, 0, T_ASKED));
    reader_of_contact(zones, pg_span(rows, 0, T_RECORD), visit->who, &reader);
    visit_read_by(visit, &reader);
    *view = (struct link_view){.page = is_agree ? LINK_PAGE_AGREE : LINK_PAGE_APPROVE,
                               .locale = visit->locale,
                               .tracking = tracking,
                               .title = buf_span(&visit->title),
                               .text = buf_span(&visit->text),
                               .proposal = buf_span(&visit->proposal)};
    bool is_same = !pg_is_null(rows, 0, T_ASKED_VERSION) &&
                   pg_int(rows, 0, T_ASKED_VERSION) <= visit->link.generation &&
                   (!is_agree || visit->proposal.len != 0);
    bool is_ended = !pg_is_null(rows, 0, T_ENDED_KIND);
    if (is_same && is_ended) {
        view->result = desk_event_name((enum desk_event)pg_int(rows, 0, T_ENDED_KIND));
        set_result_at(visit, &reader, pg_int(rows, 0, T_ENDED_AT));
    } else if (!is_same || !state_is_open(visit->link.purpose, (enum desk_state)pg_int(rows, 0, T_STATE))) {
        view->result = "overtaken";
    }
    view->can_act = view->result == NULL && visit->who[0] != '\0';
}

/* ---- an alert ---- */

enum alert_column {
    A_NOW,
    A_CUSTOMER,
    A_TITLE,
    A_TICKET,
    A_STATE,
    A_GENERATION,
    A_PRIORITY,
    A_BODY,
    A_ACKED_AT,
    A_ACKED_BY,
    A_RESOLVED_AT,
    A_ASSIGNEE,
    A_REMINDED_AT,
    A_RECIPIENT,
    A_ADDRESS,
    A_CAUSE
};
enum { ALERT_ACKNOWLEDGED = 1, ALERT_RESOLVED = 2 };

void link_visit_read_alert(struct link_visit *visit, const PGresult *rows, const char *prefix,
                           struct zones *zones, const struct escal_people *people, const struct reader *desk,
                           const struct templates *templates, char *tracking)
{
    struct link_view *view = &visit->view;
    struct reader reader;

    visit->is_found = PQntuples(rows) > 0;
    if (!visit->is_found)
        return;
    visit->now = pg_int(rows, 0, A_NOW);
    visit->ticket = pg_int(rows, 0, A_TICKET);
    tracking[0] = '\0';
    if (visit->ticket != 0)
        tracking_format(visit->ticket, prefix, tracking);
    find_who(visit, rows, A_RECIPIENT, A_ADDRESS, true);
    reader_of_person(zones, escal_people_person(people, visit->who), desk, SPAN_NONE, &reader);
    visit_read_by(visit, &reader);
    set_text(&visit->title, pg_span(rows, 0, A_TITLE));
    set_text(&visit->customer, pg_span(rows, 0, A_CUSTOMER));
    buf_reset(&visit->text);
    alert_words_put(templates, visit->locale, pg_span(rows, 0, A_CAUSE), pg_span(rows, 0, A_BODY),
                    &visit->text);
    set_text(&visit->by, process_person_title(escal_people_plan(people), pg_span(rows, 0, A_ACKED_BY)));
    set_text(&visit->assignee, process_person_title(escal_people_plan(people), pg_span(rows, 0, A_ASSIGNEE)));
    *view = (struct link_view){.page = LINK_PAGE_ACKNOWLEDGE,
                               .locale = visit->locale,
                               .tracking = tracking,
                               .title = buf_span(&visit->title),
                               .customer = buf_span(&visit->customer),
                               .text = buf_span(&visit->text),
                               .priority = (int)pg_int(rows, 0, A_PRIORITY),
                               .result_by = buf_span(&visit->by),
                               .assignee = buf_span(&visit->assignee)};
    int64_t state = pg_int(rows, 0, A_STATE);
    if (pg_int(rows, 0, A_GENERATION) != visit->link.generation)
        view->result = "overtaken";
    else if (state == ALERT_RESOLVED)
        view->result = "resolved", set_result_at(visit, &reader, pg_int(rows, 0, A_RESOLVED_AT));
    else if (state == ALERT_ACKNOWLEDGED)
        view->result = "acknowledged", set_result_at(visit, &reader, pg_int(rows, 0, A_ACKED_AT));
    /* A reminder that nobody has answered yet is answered by acknowledging again. */
    visit->reminded_at = state == ALERT_ACKNOWLEDGED && !pg_is_null(rows, 0, A_REMINDED_AT)
                             ? pg_int(rows, 0, A_REMINDED_AT)
                             : 0;
    bool is_reminder = visit->reminded_at != 0 && strcmp(view->result, "acknowledged") == 0;
    view->can_act = (view->result == NULL || is_reminder) && visit->who[0] != '\0';
    bool is_free = visit->ticket != 0 && pg_is_null(rows, 0, A_ASSIGNEE);
    view->can_take = view->can_act && is_free;
    visit->may_take = !view->can_act && is_free && state == ALERT_ACKNOWLEDGED && visit->who[0] != '\0' &&
                      span_is(pg_span(rows, 0, A_ACKED_BY), visit->who);
}

/* ---- acting ---- */

static void put_key(const struct link_visit *visit, const char *op, struct buf *out)
{
    char hex[2 * TOKEN_NONCE_BYTES + 1], key[96];
    bool is_second = visit->action->then_op != NULL && strcmp(op, visit->action->then_op) == 0;

    (void)sodium_bin2hex(hex, sizeof hex, visit->link.nonce, sizeof visit->link.nonce);
    int n = snprintf(key, sizeof key, "link:%s%s", hex, is_second ? ":take" : "");
    if (visit->reminded_at != 0)
        (void)snprintf(key + n, sizeof key - (size_t)n, ":%lld", (long long)visit->reminded_at);
    wire_put_key_text(out, "key", key);
}

void link_visit_put_body(const struct link_visit *visit, const char *op, const char *tracking,
                         struct buf *out)
{
    bool is_alert = strncmp(op, "alert.", 6) == 0, is_staff = visit->link.purpose == TOKEN_ACKNOWLEDGE;
    struct wire_map map = wire_map_open(out);

    put_key(visit, op, out), map.count++;
    wire_put_text(out, "as"), map.count++;
    wire_put_map(out, 2);
    wire_put_key_text(out, "name", visit->who);
    wire_put_key_text(out, "role", is_staff ? "staff" : "customer");
    if (is_alert)
        wire_put_key_int(out, "alert", visit->link.subject),
            wire_put_key_int(out, "generation", visit->link.generation), map.count += 2;
    else
        wire_put_key_text(out, "tracking", tracking), map.count++;
    if (!is_staff)
        wire_put_key_int(out, "if_version", visit->version), map.count++;
    if (visit->action->has_text && visit->said.len != 0)
        wire_put_key_str(out, "text", buf_span(&visit->said)), map.count++;
    wire_map_close(out, &map);
}
