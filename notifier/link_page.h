/* The pages of links in words: from what is known to HTML, by the templates page_*.html of the process. Pure. */
#ifndef DOCKET_LINK_PAGE_H
#define DOCKET_LINK_PAGE_H

#include "http.h"
#include "templates.h"

#include <stdint.h>

enum link_page { LINK_PAGE_APPROVE, LINK_PAGE_AGREE, LINK_PAGE_ACKNOWLEDGE, LINK_PAGE_NOTHING, LINK_PAGES };

/* Why nothing can be shown, or nothing was done. */
enum link_fault {
    LINK_FAULT_NONE,
    LINK_FAULT_WRONG,   /* no link of ours */
    LINK_FAULT_EXPIRED, /* its time is over */
    LINK_FAULT_AWAY,    /* nobody could be asked now: try again */
    LINK_FAULT_REFUSED  /* the desk said no */
};

/* What a page says; it frees nothing. Spans with p == NULL: not there. */
struct link_view {
    enum link_page page;
    enum link_fault fault;
    const char *locale;
    const char *tracking; /* "": not about a ticket */
    struct span title;
    struct span customer;
    struct span text;     /* the resolution, the reason, the alert */
    struct span proposal; /* of next steps */
    int priority;         /* 0: none */
    bool can_act;         /* the form is shown */
    bool can_take;        /* there is a ticket nobody has */
    const char *result;   /* what became of it: "approved", "rejected", …, "overtaken"; NULL: nothing yet */
    const char *result_at; /* by the reader's wall clock; NULL: not known */
    struct span result_by;
    struct span assignee; /* of an alert: who has its ticket */
};

/* Fills the answer: status, headers that allow no script, no frame, no other site, no referrer; the page. When a template
 * fails, plain words stand in for it, and why says so (256 bytes; "" else). */
void link_page_answer(const struct templates *templates, const struct link_view *view,
                      struct http_answer *ret, char *why);

/* The style sheet that the pages name. */
void link_page_style(struct http_answer *ret);

/* A redirect to the page itself, so that a reload does not send the form again. */
void link_page_again(const char *token, struct http_answer *ret);

/* The language that a browser's Accept-Language (NULL: none) puts first, else English. ret: LOCALE_BYTES. */
void link_page_locale(const char *accept, char *ret);

#endif
