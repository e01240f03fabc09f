/* A meeting as an iCalendar object; see mail_calendar.h. libical escapes and folds. */
#include "mail_calendar.h"
#include "address.h"
#include "clock.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libical/ical.h>

enum { ATTENDEES_MAX = 50, TEXT_BYTES = 1024, URI_BYTES = ADDRESS_BYTES_MAX + 8 };

static struct icaltimetype utc_of(int64_t at_us)
{
    return icaltime_from_timet_with_zone((time_t)(at_us / US_PER_S), 0, icaltimezone_get_utc_timezone());
}

/* One line without control characters: libical passes them on. */
static const char *plain(struct span text, char ret[TEXT_BYTES])
{
    text = span_cut(text, TEXT_BYTES - 1);
    for (size_t i = 0; i < text.len; i++)
        ret[i] = (unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f ? ' ' : text.p[i];
    ret[text.len] = '\0';
    return ret;
}

/* RSVP is asked of who is invited, not of who is told that it will not be. */
static void put_attendees(icalcomponent *event, const struct wire_val *attendees, bool is_asked)
{
    for (size_t i = 0; i < wire_count(attendees) && i < ATTENDEES_MAX; i++) {
        char address[ADDRESS_BYTES_MAX + 1], uri[URI_BYTES];
        struct span text;
        struct err ignored;
        if (!wire_get_str(wire_at(attendees, i), &text) || text.len > ADDRESS_BYTES_MAX)
            continue;
        (void)snprintf(address, sizeof address, "%.*s", (int)text.len, text.p);
        if (!address_check(address, &ignored))
            continue;
        (void)snprintf(uri, sizeof uri, "mailto:%s", address);
        icalproperty *property = icalproperty_new_attendee(uri);
        icalproperty_add_parameter(property, icalparameter_new_role(ICAL_ROLE_REQPARTICIPANT));
        if (is_asked) {
            icalproperty_add_parameter(property, icalparameter_new_partstat(ICAL_PARTSTAT_NEEDSACTION));
            icalproperty_add_parameter(property, icalparameter_new_rsvp(ICAL_RSVP_TRUE));
        }
        icalcomponent_add_property(event, property);
    }
}

/* Calendars answer to the organizer. The mail's sender is another address when that one has a token: then it acts for it (RFC 6047, 2.3). */
static icalproperty *organizer_new(const struct mail_meeting *m)
{
    char uri[URI_BYTES], by[URI_BYTES];

    (void)snprintf(uri, sizeof uri, "mailto:%.*s", ADDRESS_BYTES_MAX, m->organizer);
    icalproperty *property = icalproperty_new_organizer(uri);
    if (strcmp(m->organizer, m->sender) != 0) {
        (void)snprintf(by, sizeof by, "mailto:%.*s", ADDRESS_BYTES_MAX, m->sender);
        icalproperty_add_parameter(property, icalparameter_new_sentby(by));
    }
    return property;
}

/* status: ICAL_STATUS_NONE leaves it out, as RFC 5546 wants when only the attendee named is uninvited and the meeting goes on */
static icalcomponent *event_new(const struct mail_meeting *m, const struct wire_val *meeting,
                                icalproperty_status status)
{
    char uid[TEXT_BYTES], where[TEXT_BYTES], summary[TEXT_BYTES];
    struct span place = wire_find_str(meeting, "where");
    icalcomponent *event = icalcomponent_new(ICAL_VEVENT_COMPONENT);

    icalcomponent_add_property(event, icalproperty_new_uid(plain(wire_find_str(meeting, "uid"), uid)));
    icalcomponent_add_property(event, icalproperty_new_sequence(m->version));
    icalcomponent_add_property(event, icalproperty_new_dtstamp(utc_of(m->now)));
    icalcomponent_add_property(event,
                               icalproperty_new_dtstart(utc_of(wire_find_int(meeting, "starts_at", 0))));
    icalcomponent_add_property(event, icalproperty_new_dtend(utc_of(wire_find_int(meeting, "ends_at", 0))));
    icalcomponent_add_property(event, icalproperty_new_summary(plain(span_of(m->summary), summary)));
    icalcomponent_add_property(event, organizer_new(m));
    if (status != ICAL_STATUS_NONE)
        icalcomponent_add_property(event, icalproperty_new_status(status));
    if (place.len != 0)
        icalcomponent_add_property(event, icalproperty_new_location(plain(place, where)));
    put_attendees(event, wire_find(meeting, "attendees"), status == ICAL_STATUS_CONFIRMED);
    return event;
}

bool mail_calendar_put(const struct mail_meeting *m, struct buf *out, bool *ret_is_cancelled)
{
    struct wire_doc *doc = NULL;
    struct err ignored;

    if (m->body.p == NULL || !wire_parse(m->body.p, m->body.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return false;
    const struct wire_val *meeting = wire_find(wire_root(doc), "meeting");
    struct span what = wire_find_str(meeting, "what");
    /* A reminder changes nothing in calendars, and must not ask anybody for an answer again. */
    bool is_one = wire_find_str(meeting, "uid").len != 0 && wire_find_int(meeting, "starts_at", 0) > 0 &&
                  !span_is(what, "reminder");
    if (is_one) {
        bool dropped = span_is(what, "dropped"), cancelled = dropped || span_is(what, "cancelled");
        icalcomponent *calendar = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);
        icalcomponent_add_property(calendar, icalproperty_new_version("2.0"));
        icalcomponent_add_property(calendar, icalproperty_new_prodid("-//Docket//EN"));
        icalcomponent_add_property(calendar, icalproperty_new_method(cancelled ? ICAL_METHOD_CANCEL
                                                                               : ICAL_METHOD_REQUEST));
        icalcomponent_add_component(calendar, event_new(m, meeting,
                                                        dropped     ? ICAL_STATUS_NONE
                                                        : cancelled ? ICAL_STATUS_CANCELLED
                                                                    : ICAL_STATUS_CONFIRMED));
        char *text = icalcomponent_as_ical_string_r(calendar);
        (void)buf_add_text(out, text);
        *ret_is_cancelled = cancelled;
        free(text);
        icalcomponent_free(calendar);
    }
    wire_doc_free(doc);
    return is_one;
}
