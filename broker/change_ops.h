/* The ops that change known tickets: which plan each has, and whom it is for. */
#ifndef DOCKET_CHANGE_OPS_H
#define DOCKET_CHANGE_OPS_H

#include "change.h"

struct call;
struct request;

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
void change_meeting(struct broker *broker, struct call *call);
void change_task_done(struct broker *broker, struct call *call);

/* Of which tickets a link is. */
bool change_check_link(const struct request *req, struct err *err) __attribute__((warn_unused_result));

/* An input of the request: words, facts, who. */
struct change_input *change_input_of(const struct call *call, const struct change_plan *plan);

/* The answer of a change of one ticket; meeting NULL: it made none. Frees the call. */
void change_answer(struct broker *broker, struct call *call, const struct change_result *result,
                   const char *meeting);

/* Links a ticket that was just posted to another one as related; who posted it is who acts. Nobody waits for it. */
void change_link_posted(struct broker *broker, const struct call *call, int64_t ticket, int64_t to);

/* The rest of a submit with take: the ticket is posted, now it is taken; the answer is the submit's. Takes the call. */
void change_take_posted(struct broker *broker, struct call *call, int64_t ticket, int64_t posted_at,
                        bool duplicate);

#endif
