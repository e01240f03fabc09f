/* What the files of trial.h share. */
#ifndef DOCKET_TRIAL_INTERNAL_H
#define DOCKET_TRIAL_INTERNAL_H

#include "decide.h"
#include "trial.h"

enum { TRIAL_BYTES_MAX = 16 << 20, TRIAL_NAME_BYTES = 129, TRIAL_CAUSES_MAX = 256, TRIAL_DEPTH_MAX = 32 };

struct trial {
    const struct engine *engine;
    struct decider *decider;
    struct buf posted;   /* map: what was submitted, with what was changed since */
    struct buf customer; /* map; empty: unknown */
    struct buf tags, clocks;
    struct buf events; /* encoded maps, one after the other */
    size_t event_count;
    char posted_package[TRIAL_NAME_BYTES]; /* when moved */
    bool moved;
    char package[TRIAL_NAME_BYTES], queue[TRIAL_NAME_BYTES], assignee[TRIAL_NAME_BYTES],
        kind[TRIAL_NAME_BYTES]; /* "": none */
    enum desk_state state;
    int priority;
    unsigned held;
    bool reply_pending;
    int64_t closed_at; /* while it is */
    int64_t posted_at, updated_at, version, decided, now, wake_at;
    bool ops_first, held_back;
    const char *reason;
    struct trial_said {
        char **texts;
        size_t count;
    } said[TRIAL_LISTS];
    struct work_verdict *verdicts; /* own their text */
    size_t verdict_count;
    char *causes[TRIAL_CAUSES_MAX]; /* of open alerts */
    size_t cause_count;
    struct wire_doc *shown;
};

/* The ticket's map as it stands. */
void trial_put_ticket(const struct trial *trial, struct buf *out);

void trial_name_set(char ret[TRIAL_NAME_BYTES], struct span text);

void trial_state_set(struct trial *trial, enum desk_state state);

/* Notes that somebody was told something. */
void trial_tell(struct trial *trial, const char *to, const char *what);

/* Writes the event's body of a meeting that somebody makes, moves or cancels, as change_meeting.c of the broker does; what a history has is whole
 * already.
 * in:  body  fields of ticket.meeting, or an event's body
 * err: ERR_INVALID  the ticket has no such meeting; ERR_CONFLICT  its package has none by this medium */
bool trial_meeting_put(const struct trial *trial, const struct wire_val *body, struct buf *out,
                       struct err *err) __attribute__((warn_unused_result));

/* as: NULL for the desk's own */
void trial_add_event(struct trial *trial, enum desk_event kind, const struct trial_as *as, bool public,
                     struct span body);

/* Fields that somebody set: what people set is held, and left alone by decisions. */
void trial_fields_set(struct trial *trial, const struct wire_val *set, bool by_person);

/* The same of what was posted: equipment, configuration, attributes, title. */
void trial_posted_merge(struct trial *trial, const struct wire_val *set);

/* Gives its text back. */
void trial_verdict_clear(struct work_verdict *verdict);

/* Does to the ticket what the decision says. */
void trial_take(struct trial *trial, const struct wire_val *decision);

#endif
