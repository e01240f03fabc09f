/* One change of one ticket: from what an op says to the committed event.
 *
 * What an op does stands in a plan: which row of the life cycle's table, which event, what is set, what the customer is told. One statement
 * carries out any plan. The ticket's wake belongs to this broker afterwards. Which ops there are is known by change_ops.c; whom a change is
 * for (one ticket, a list, the children of one) by who orders it. */
#ifndef DOCKET_CHANGE_H
#define DOCKET_CHANGE_H

#include "buf.h"
#include "desk.h"
#include "err.h"
#include "off_form.h"
#include "states.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

struct broker;

enum change_assignee { ASSIGNEE_KEEP, ASSIGNEE_SET, ASSIGNEE_CLEAR };

struct change_plan {
    enum states_op row; /* of the life cycle */
    enum desk_event event;
    bool public;
    int held;     /* bits of enum desk_held to set */
    int priority; /* 0: keep */
    enum change_assignee assignee_do;
    const char *tell;  /* outbox kind for the customer; NULL: nobody is told */
    int reply_pending; /* -1: keep, 0, 1 */
    bool to_children;  /* an event of each child too */
};

/* A meeting that is made, moved or cancelled; id[0] == '\0': none. */
struct change_meeting {
    char id[16];
    bool is_new, cancelled;
    struct span medium, where; /* where SPAN_NONE: not told */
    int64_t at, duration_s;
    int64_t reminder_s;                                /* -1: as the process says */
    int32_t version;                                   /* of the meeting that this changes; 0: it is new */
    const struct wire_val *attendees, *attendees_were; /* now, and before it was changed: NULL when new */
    struct {
        struct span medium, where;
        int64_t at, duration_s;
    } was; /* before it was moved */
    char *
        *packages; /* names of those that have the medium, owned, ends with NULL; NULL: not known, all may */
};

/* What one op says, the same for each ticket it is for. Counted: change_input_new gives one, each order holds another. */
struct change_input {
    int uses;
    struct change_plan plan;
    const char *op; /* for the words of a refusal */
    enum desk_role role;
    char actor[129];
    char *assignee; /* owned */
    unsigned char content_digest[16];
    struct wire_doc *doc;       /* owned, or NULL: what the values below point into */
    const struct wire_val *set; /* of ticket.update */
    int32_t if_version;         /* 0: any */
    int64_t link_to;            /* 0: none */
    struct span as_link;
    struct change_meeting meeting;
    struct span package;  /* the ticket's, from now on; SPAN_NONE: keep */
    struct span answered; /* the meeting that attendee answered; SPAN_NONE: none */
    struct span attendee, answer;
    int32_t task;           /* that is done; 0: none */
    const char *come_field; /* the field whose instant must be still to come; NULL: none */
    int64_t come_at;
    struct off_form *off;         /* owned; what of set the ticket must have; NULL: nothing */
    int64_t reopen_us;            /* a closed ticket takes it only so long after its closing; 0: always */
    struct span event_body, told; /* encoded, owned */
};

struct change_input *change_input_new(void);
/* Gives a use back; the last one frees it. */
void change_input_release(struct change_input *input);

/* What the event says from now on: takes the encoded map over, and frees what stood there. */
void change_input_say(struct change_input *input, struct span body);

/* Encodes what the customer is told out of the event's body: the public words only. */
void change_input_tell(struct change_input *input);

/* What became of it. err.code ERR_NONE: it is done, now or before. */
struct change_result {
    struct err err;
    int64_t ticket;
    int32_t version;
    bool duplicate, has_children;
    bool is_late; /* refused: closed for too long */
    enum desk_state old_state;
    const char *
        duplicates; /* of a ticket that was closed: ids of its open ones, spaces between; NULL: none. Lives for the call */
};

typedef void change_done_fn(void *arg, const struct change_result *result);

struct change_order {
    int64_t ticket;
    const unsigned char *key_digest; /* 16 bytes; copied */
    const char
        *told_elsewhere;  /* the customer hears of it by another ticket's message: which; NULL: not so */
    change_done_fn *done; /* once, after the commit or the refusal */
    void *arg;
};

/* Takes a use of input. */
void change_order(struct broker *broker, struct change_input *input, const struct change_order *order);

#endif
