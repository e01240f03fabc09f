/* The public links; see links.h. A visit: token, database, page; or token, database, broker, and back to the page. */
#include "links.h"
#include "broker_ask.h"
#include "desk.h"
#include "gateway_back.h"
#include "http_pages.h"
#include "link_visit.h"
#include "log.h"
#include "mem.h"
#include "notifier.h"
#include "statements.h"
#include "tracking.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 3, WHY_BYTES = 256 };

static const char *const result_names[] = {"shown", "acted", "refused", "away", "wrong"};
enum { LINK_SHOWN, LINK_ACTED, LINK_REFUSED, LINK_AWAY, LINK_WRONG, LINK_RESULTS };

struct visit {
    struct links *links; /* NULL: they closed meanwhile */
    struct visit *next, *previous;
    struct http_request *request;
    struct link_visit at;
    char tracking[TRACKING_TEXT_BYTES];
};

struct links {
    struct notifier *notifier;
    struct http *http;
    struct metric *count;
    struct visit *visits;
};

static void visit_free(struct visit *visit)
{
    if (visit->links != NULL) {
        if (visit->previous != NULL)
            visit->previous->next = visit->next;
        else
            visit->links->visits = visit->next;
        if (visit->next != NULL)
            visit->next->previous = visit->previous;
    }
    link_visit_clear(&visit->at);
    free(visit);
}

/* ---- answers ---- */

static void visit_answer(struct visit *visit, struct http_answer *answer, int result)
{
    struct http_request *request = visit->request;

    metric_add(visit->links->count, (size_t)result, 1);
    visit_free(visit);
    http_request_answer(request, answer);
}

static void visit_show(struct visit *visit, int result)
{
    struct http_answer answer;
    char why[WHY_BYTES];

    link_page_answer(visit->links->notifier->templates, &visit->at.view, &answer, why);
    if (why[0] != '\0')
        log_event(LOG_ERROR, "page_failed", "reason=%s", log_quote(why));
    visit_answer(visit, &answer, result);
}

/* A page that says only what is wrong. */
static void visit_show_nothing(struct visit *visit, enum link_fault fault, int result)
{
    visit->at.view = (struct link_view){.page = LINK_PAGE_NOTHING,
                                        .fault = fault,
                                        .locale = visit->at.locale[0] == '\0' ? "en" : visit->at.locale,
                                        .tracking = ""};
    visit_show(visit, result);
}

/* The page as it was, with words about what went wrong. */
static void visit_show_fault(struct visit *visit, enum link_fault fault, int result)
{
    visit->at.view.fault = fault;
    visit_show(visit, result);
}

static void visit_again(struct visit *visit)
{
    struct http_answer answer;
    link_page_again(visit->at.token, &answer);
    visit_answer(visit, &answer, LINK_ACTED);
}

/* ---- acting ---- */

static void visit_look(struct visit *visit);
static void visit_ask(struct visit *visit, const char *op, broker_ask_fn *fn);

static void on_taken(void *arg, const struct wire_val *body, const struct err *err)
{
    struct visit *visit = arg;
    (void)body;

    if (visit->links == NULL) {
        visit_free(visit);
        return;
    }
    if (err != NULL)
        log_event(LOG_WARN, "link_not_taken", "ticket=%s reason=%s", visit->tracking, log_quote(err->msg));
    visit_again(visit);
}

static void on_acted(void *arg, const struct wire_val *body, const struct err *err)
{
    struct visit *visit = arg;
    (void)body;

    if (visit->links == NULL) {
        visit_free(visit);
    } else if (err == NULL && visit->at.action->then_op != NULL && visit->at.view.can_take) {
        visit_ask(visit, visit->at.action->then_op, on_taken);
    } else if (err == NULL) {
        log_event(LOG_INFO, "link_acted", "op=%s ticket=%s", visit->at.action->op, visit->tracking);
        visit_again(visit);
    } else if (err->code == ERR_CONFLICT && visit->at.tries < TRIES_MAX) {
        visit_look(visit); /* something happened to the ticket meanwhile: as it is now */
    } else {
        bool is_away = err_is_retry(err->code) || err->code == ERR_TIMEOUT;
        log_event(LOG_WARN, "link_refused", "op=%s ticket=%s reason=%s", visit->at.action->op,
                  visit->tracking, log_quote(err->msg));
        visit_show_fault(visit, is_away ? LINK_FAULT_AWAY : LINK_FAULT_REFUSED,
                         is_away ? LINK_AWAY : LINK_REFUSED);
    }
}

static void visit_ask(struct visit *visit, const char *op, broker_ask_fn *fn)
{
    struct buf body;

    buf_init(&body, ASK_BODY_BYTES_MAX);
    link_visit_put_body(&visit->at, op, visit->tracking, &body);
    broker_ask_send(visit->links->notifier->ask, op, buf_span(&body), fn, visit);
    buf_clear(&body);
}

/* ---- looking ---- */

static void on_ticket(void *arg, PGresult *rows)
{
    struct visit *visit = arg;
    if (visit->links != NULL)
        link_visit_read_ticket(&visit->at, rows, visit->links->notifier->settings.tracking_prefix,
                               visit->links->notifier->zones, visit->tracking);
}

static void on_alert(void *arg, PGresult *rows)
{
    struct visit *visit = arg;
    struct reader desk;

    if (visit->links == NULL)
        return;
    struct notifier *notifier = visit->links->notifier;
    reader_of_desk(notifier->zones, notifier->settings.desk_locale, notifier->settings.desk_zone, &desk);
    link_visit_read_alert(&visit->at, rows, notifier->settings.tracking_prefix, notifier->zones,
                          notifier->people, &desk, notifier->templates, visit->tracking);
}

static void on_looked(void *arg, const struct pg_end *end)
{
    struct visit *visit = arg;

    if (visit->links == NULL) {
        visit_free(visit);
    } else if (end->outcome != PG_OK) {
        visit_show_nothing(visit, LINK_FAULT_AWAY, LINK_AWAY);
    } else if (!visit->at.is_found) {
        visit_show_nothing(visit, LINK_FAULT_WRONG, LINK_WRONG);
    } else if (visit->at.link.expires_at < visit->at.now) {
        visit_show_nothing(visit, LINK_FAULT_EXPIRED, LINK_WRONG);
    } else if (visit->at.action != NULL && visit->at.view.can_act) {
        visit->at.tries++;
        visit_ask(visit, visit->at.action->op, on_acted);
    } else if (visit->at.action != NULL && visit->at.action->then_op != NULL && visit->at.may_take) {
        visit_ask(visit, visit->at.action->then_op, on_taken); /* both buttons were pressed */
    } else if (visit->at.action != NULL) {
        visit_again(visit); /* pressed twice, or too late: the page says what became of it */
    } else {
        visit_show(visit, LINK_SHOWN);
    }
}

static void put_kinds(struct pg_params *params, const enum desk_event *kinds, size_t count)
{
    pg_array_open(params, PG_INT2);
    for (size_t i = 0; i < count; i++)
        pg_array_int(params, kinds[i]);
    pg_array_close(params);
}

static void visit_look(struct visit *visit)
{
    static const enum desk_event resolved[] = {EVENT_RESOLVED},
                                 proposed[] = {EVENT_CANNOT_RESOLVE, EVENT_WAITING},
                                 judged[] = {EVENT_APPROVED, EVENT_REJECTED, EVENT_CLOSED, EVENT_REOPENED},
                                 answered[] = {EVENT_AGREED, EVENT_DECLINED, EVENT_RESOLVED, EVENT_CLOSED};
    struct notifier *notifier = visit->links->notifier;
    struct pg_params *params = notifier->params;

    pg_params_reset(params);
    pg_put_int8(params, visit->at.link.subject);
    if (visit->at.link.purpose == TOKEN_ACKNOWLEDGE) {
        (void)pg_send(notifier->tell, TELL_LINK_ALERT, params, on_alert, visit);
    } else if (visit->at.link.purpose == TOKEN_APPROVE) {
        put_kinds(params, resolved, 1);
        put_kinds(params, judged, sizeof judged / sizeof judged[0]);
        (void)pg_send(notifier->tell, TELL_LINK_TICKET, params, on_ticket, visit);
    } else {
        put_kinds(params, proposed, 2);
        put_kinds(params, answered, sizeof answered / sizeof answered[0]);
        (void)pg_send(notifier->tell, TELL_LINK_TICKET, params, on_ticket, visit);
    }
    pg_sync(notifier->tell, on_looked, visit);
}

/* ---- requests ---- */

/* What follows the last "/l/": the proxy before us may have put a path in front. */
static bool path_token(const char *path, struct span *ret)
{
    const char *at = NULL;

    for (const char *p = strstr(path, "/l/"); p != NULL; p = strstr(p + 1, "/l/"))
        at = p + 3;
    if (at == NULL || *at == '\0' || strlen(at) >= TOKEN_LINK_BYTES)
        return false;
    *ret = span_of(at);
    return true;
}

static bool path_is_style(const char *path)
{
    static const char name[] = "/style.css";
    size_t len = strlen(path);
    return len >= sizeof name - 1 && strcmp(path + len - (sizeof name - 1), name) == 0;
}

/* Reads the form. False when a button was pressed that this link does not have, or the text is no text. */
static bool visit_read_form(struct visit *visit)
{
    struct buf name;

    buf_init(&name, LINK_DO_BYTES);
    http_request_field(visit->request, "do", &name);
    visit->at.action = link_action_find(visit->at.link.purpose, buf_span(&name));
    buf_clear(&name);
    http_request_field(visit->request, "text", &visit->at.said);
    return visit->at.action != NULL && !visit->at.said.failed && utf8_check(buf_span(&visit->at.said), NULL);
}

static bool purpose_is_link(enum token_purpose purpose)
{
    return purpose == TOKEN_APPROVE || purpose == TOKEN_AGREE || purpose == TOKEN_ACKNOWLEDGE;
}

static void visit_begin(struct visit *visit, struct span token)
{
    struct links *links = visit->links;
    struct token_link *link = &visit->at.link;

    if (!token_link_parse(&links->notifier->link_key, token, link) || !purpose_is_link(link->purpose)) {
        visit_show_nothing(visit, LINK_FAULT_WRONG, LINK_WRONG);
        return;
    }
    (void)snprintf(visit->at.token, sizeof visit->at.token, "%.*s", (int)token.len, token.p);
    if (http_request_is_post(visit->request) && !visit_read_form(visit))
        visit_show_nothing(visit, LINK_FAULT_WRONG, LINK_WRONG);
    else
        visit_look(visit);
}

static void on_request(void *arg, struct http_request *request)
{
    struct links *links = arg;
    const char *accept = http_request_header(request, "Accept-Language");
    struct http_answer answer;
    struct span token = SPAN_NONE;

    if (path_is_style(http_request_path(request))) {
        link_page_style(&answer);
        http_request_answer(request, &answer);
        return;
    }
    if (gateway_back_is(http_request_path(request))) {
        gateway_back_take(links->notifier, request);
        return;
    }
    struct visit *visit = mem_new(1, sizeof *visit);
    visit->links = links;
    visit->request = request;
    link_visit_init(&visit->at);
    link_page_locale(accept, visit->at.locale);
    visit->next = links->visits;
    if (visit->next != NULL)
        visit->next->previous = visit;
    links->visits = visit;
    if (path_token(http_request_path(request), &token))
        visit_begin(visit, token);
    else
        visit_show_nothing(visit, LINK_FAULT_WRONG, LINK_WRONG);
}

/* ---- life ---- */

bool links_open(struct notifier *notifier, struct links **ret_links, struct err *err)
{
    *ret_links = NULL;
    if (notifier->settings.public_url[0] == '\0')
        return true;
    struct links *links = mem_new(1, sizeof *links);
    links->notifier = notifier;
    links->count = metrics_counter(notifier->metrics, "link_visits_total",
                                   "Visits of signed links by what became of them",
                                   (struct metric_label){"result", result_names, LINK_RESULTS});
    if (!http_new_pages(notifier->loop, notifier->settings.public_http, on_request, links, &links->http,
                        err)) {
        links_close(links);
        return false;
    }
    *ret_links = links;
    return true;
}

void links_close(struct links *links)
{
    if (links == NULL)
        return;
    for (struct visit *visit = links->visits; visit != NULL; visit = visit->next)
        visit->links = NULL; /* ended by the session or the asker that still hold them */
    http_free(links->http);
    free(links);
}
