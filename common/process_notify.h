/* When people are told, as data: notify.yaml. What it means for a message is the notifier's (notifier/policy.h). Values point into the process
 * that owns them. */
#ifndef DOCKET_PROCESS_NOTIFY_H
#define DOCKET_PROCESS_NOTIFY_H

#include "process_people.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTIFY_HOLDS_MAX = 50, ENDPOINTS_MAX = 1000 };

/* Messages to one address in a minute and in an hour, to a telephone and to a chat in other times; what is over goes into a summary. */
struct process_limits {
    int64_t customer_minute, customer_hour;
    int64_t staff_minute, staff_hour;        /* staff and ops */
    int64_t ticket_ten_minutes, ticket_hour; /* to a customer's address about one ticket */
    int64_t phone_quarter_hour, phone_hour;  /* calls and text messages */
    int64_t chat_five_minutes, chat_hour;
    int64_t receipts_alone; /* so many may wait and still go one by one */
    int64_t summary_after_s;
};

/* Messages that wait for the end of a quiet time, or of a window, and then go as one. */
struct process_hold {
    const char *name;
    bool to_customers;               /* else to staff and ops */
    struct process_names kinds;      /* none: all that may be held */
    struct process_names packages;   /* of the customer; none: all */
    const struct process_day *quiet; /* seven days, 0 Monday; NULL: a window */
    const char *zone;                /* of quiet; NULL: the reader's */
    int64_t every_s;                 /* of the window */
};

/* Whose the webhooks are whose URLs begin so: told when one is disabled. webhooks.yaml. */
struct process_endpoint {
    const char *url;
    struct people_target owner; /* a person or a team */
    const char *email;          /* instead; NULL: none */
    struct fault_place place;
};

struct process_notify {
    struct process_limits limits;
    struct process_hold *holds;
    size_t hold_count;
    struct process_endpoint *endpoints;
    size_t endpoint_count;
};

/* The entry with the longest URL that this one begins with; NULL: there is none. */
const struct process_endpoint *process_endpoint_find(const struct process_notify *notify, const char *url);

#endif
