/* Changes of a ticket: an op from the checked request to the committed event and its answer.
 *
 * What an op does stands in a plan: which row of the life cycle's table, which event, what is set, what the customer is told. One statement
 * carries out any plan. The ticket's wake belongs to this broker afterwards. */
#ifndef DOCKET_CHANGE_H
#define DOCKET_CHANGE_H

#include "desk.h"
#include "states.h"
#include "writer.h"

#include <stdbool.h>
#include <stdint.h>

struct broker;
struct call;
struct request;

enum change_assignee { ASSIGNEE_KEEP, ASSIGNEE_SET, ASSIGNEE_CLEAR };

struct change_plan {
    enum states_op row; /* of the life cycle */
    enum desk_event event;
    bool public;
    int held;     /* bits of enum desk_held to set */
    int priority; /* 0: keep */
    enum change_assignee assignee_do;
    const char *assignee; /* lives in the request */
    const char *tell;     /* outbox kind for the customer; NULL: nobody is told */
    int reply_pending;    /* -1: keep, 0, 1 */
};

/* The handlers of the op table; each takes the call. */
void change_comment(struct broker *broker, struct call *call);
void change_update(struct broker *broker, struct call *call);
void change_take(struct broker *broker, struct call *call);
void change_assign(struct broker *broker, struct call *call);
void change_release(struct broker *broker, struct call *call);
void change_prioritize(struct broker *broker, struct call *call);
void change_wait(struct broker *broker, struct call *call);
void change_resume(struct broker *broker, struct call *call);
void change_cannot_resolve(struct broker *broker, struct call *call);
void change_agree(struct broker *broker, struct call *call);
void change_decline(struct broker *broker, struct call *call);
void change_resolve(struct broker *broker, struct call *call);
void change_approve(struct broker *broker, struct call *call);
void change_reject(struct broker *broker, struct call *call);
void change_close(struct broker *broker, struct call *call);
void change_reopen(struct broker *broker, struct call *call);
void change_link(struct broker *broker, struct call *call);

/* Checks beyond the fields' own limits. */
bool change_check_wait(const struct request *req, struct err *err) __attribute__((warn_unused_result));
bool change_check_said(const struct request *req, struct err *err) __attribute__((warn_unused_result));
bool change_check_link(const struct request *req, struct err *err) __attribute__((warn_unused_result));

/* The rest of a submit with take: the ticket is posted, now it is taken; the answer is the submit's. Takes the call. */
void change_take_posted(struct broker *broker, struct call *call, int64_t ticket, int64_t posted_at,
                        bool duplicate);

#endif
