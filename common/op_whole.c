/* Requests as a whole; see op_whole.h. */
#include "op_whole.h"

#include <stdio.h>

static bool has(const struct op_whole *whole, enum field field)
{
    return whole->vals[field] != NULL;
}

static bool lacks(const struct op_whole *whole, enum field field)
{
    return !has(whole, field) && (whole->may_lack == NULL || !whole->may_lack(field));
}

static bool is_true(const struct op_whole *whole, enum field field)
{
    bool yes = false;
    return wire_get_bool(whole->vals[field], &yes) && yes;
}

static bool whole_submit(const struct op_whole *whole, struct err *err)
{
    if (is_true(whole, F_TAKE) && (!whole->has_as || whole->role != ROLE_STAFF))
        return err_field(err, ERR_INVALID, "take",
                         "take: only staff may post and take: as {name, role: staff} is missing");
    return true;
}

static bool whole_comment(const struct op_whole *whole, struct err *err)
{
    static const enum field answer[] = {F_MEETING, F_ATTENDEE, F_ANSWER};
    size_t given = 0;

    for (size_t i = 0; i < sizeof answer / sizeof answer[0]; i++)
        given += has(whole, answer[i]);
    if (given != 0 && given != sizeof answer / sizeof answer[0])
        return err_field(err, ERR_INVALID, "meeting",
                         "meeting: who answered what to which: meeting, attendee and answer go together");
    return true;
}

/* Where a ticket goes and what it is marked with is the desk's business. */
static bool whole_update(const struct op_whole *whole, struct err *err)
{
    static const char *const kept[] = {"queue", "tags"};
    char field[16];

    for (size_t i = 0; whole->role == ROLE_CUSTOMER && i < sizeof kept / sizeof kept[0]; i++) {
        (void)snprintf(field, sizeof field, "set.%s", kept[i]);
        if (wire_find(whole->vals[F_SET], kept[i]) != NULL)
            return err_field(
                err, ERR_FORBIDDEN, field,
                "%s is not for the role customer, which may set title, equipment, configuration and "
                "attributes",
                field);
    }
    return true;
}

static bool whole_wait(const struct op_whole *whole, struct err *err)
{
    struct span on = SPAN_NONE;
    bool vendor = wire_get_str(whole->vals[F_ON], &on) && span_is(on, "vendor");

    if (vendor && lacks(whole, F_VENDOR))
        return err_field(err, ERR_INVALID, "vendor", "vendor: is required when waiting for a vendor");
    if (vendor && lacks(whole, F_PROPOSAL))
        return err_field(
            err, ERR_INVALID, "proposal",
            "proposal: is required when waiting for a vendor: the customer is told what is proposed");
    if (!vendor && (has(whole, F_VENDOR) || has(whole, F_PROPOSAL)))
        return err_field(err, ERR_INVALID, has(whole, F_VENDOR) ? "vendor" : "proposal",
                         "vendor and proposal belong to on: vendor");
    return true;
}

/* Staff who say yes or no for a customer tell how the customer said so. */
static bool whole_said(const struct op_whole *whole, struct err *err)
{
    if (whole->role != ROLE_CUSTOMER && lacks(whole, F_TEXT))
        return err_field(err, ERR_INVALID, "text", "text: is required from %s: how did the customer say so?",
                         desk_role_name(whole->role));
    return true;
}

static bool whole_meeting(const struct op_whole *whole, struct err *err)
{
    static const enum field needed[] = {F_MEDIUM, F_WHO_AT, F_ATTENDEES};

    if (is_true(whole, F_CANCEL) && !has(whole, F_MEETING))
        return err_field(err, ERR_INVALID, "meeting", "meeting: which one is cancelled?");
    for (size_t i = 0; !has(whole, F_MEETING) && i < sizeof needed / sizeof needed[0]; i++)
        if (lacks(whole, needed[i]))
            return err_field(err, ERR_INVALID, request_field_name(needed[i]),
                             "%s: is required for a new meeting", request_field_name(needed[i]));
    return true;
}

static bool (*const wholes[FORMS])(const struct op_whole *, struct err *) = {
    [FORM_TICKET_SUBMIT] = whole_submit,   [FORM_TICKET_COMMENT] = whole_comment,
    [FORM_TICKET_UPDATE] = whole_update,   [FORM_TICKET_WAIT] = whole_wait,
    [FORM_TICKET_AGREE] = whole_said,      [FORM_TICKET_DECLINE] = whole_said,
    [FORM_TICKET_APPROVE] = whole_said,    [FORM_TICKET_REJECT] = whole_said,
    [FORM_TICKET_MEETING] = whole_meeting,
};

bool op_whole_check(const struct op_whole *whole, struct err *err)
{
    bool (*check)(const struct op_whole *, struct err *) = wholes[whole->form - op_forms];
    return check == NULL || check(whole, err);
}
