/* What the files of the on-call ops share. Not for others. */
#ifndef DOCKET_ONCALLING_INTERNAL_H
#define DOCKET_ONCALLING_INTERNAL_H

#include "broker.h"
#include "oncall.h"

/* The longest stretch that is asked about or changed at once. */
enum { PLAN_DAYS_MAX = 400 };

/* One override as its row says; texts are owned. */
struct plan_row {
    int64_t id;
    char *made_by, *reason;
};

/* The plan as it stood in one snapshot, for one op: by the version of the process that was current then, or a later one. items and rows go
 * together. */
struct plan {
    struct broker *broker;
    struct call *call;
    int64_t rev;
    char process[PROCESS_HASH_BYTES]; /* the version that was current */
    struct oncall_override *items;
    struct plan_row *rows;
    size_t count;
    void (*then)(struct plan *plan); /* takes the plan and its call */
};

/* Reads it and goes on with then, or refuses the call. from_at: what was over by then is left out. */
void plan_read(struct broker *broker, struct call *call, int64_t from_at, void (*then)(struct plan *));
struct oncall_overrides plan_overrides(const struct plan *plan);
const struct oncall *plan_oncall(const struct plan *plan);

/* Ends the op: refuses the call and frees the plan. */
void plan_refuse(struct plan *plan, enum err_code code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with the answer. */
void plan_answer(struct plan *plan, struct span body);

/* The schedule that was asked for: its index and the one behind it, or all of them.
 * err: ERR_INVALID  none of this name */
bool plan_schedule(const struct plan *plan, size_t *ret_first, size_t *ret_end, struct err *err)
    __attribute__((warn_unused_result));

/* Whether staff.yaml has a person of this name, and the refusal of one that it has not: false, with ERR_INVALID and the field. */
bool plan_has_person(const struct plan *plan, struct span name);
bool plan_no_person(enum field field, struct span name, struct err *err);

#endif
