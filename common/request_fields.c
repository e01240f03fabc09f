/* Every field of the protocol; see request_fields.h. */
#include "request_fields.h"

#include "date.h"
#include "request_internal.h"

enum { TICKETS_MAX = 500 };

const struct request_limits request_limits_default = {.message_bytes = 1 << 20,
                                                      .process_bytes = 3 << 20,
                                                      .title_points = 200,
                                                      .text_bytes = 64 << 10,
                                                      .map_bytes = 16 << 10};

#define AT_MOST INT64_C(4133980800000000) /* 2101-01-01, µs */

const struct request_row request_fields[F_FIELDS] = {
    [F_MEDIUM] = {"medium", KIND_ENUM, 0, 0, "im|phone"},
    [F_ATTENDEES] = {"attendees", KIND_ADDRESSES, 1, 50, NULL},
    [F_ATTENDEE] = {"attendee", KIND_LINE, 1, 254, NULL},
    [F_ANSWER] = {"answer", KIND_ENUM, 0, 0, "accepted|declined|tentative|counter"},
    [F_DURATION_S] = {"duration_s", KIND_INT, 60, 7 * DAY_S, NULL},
    [F_REMINDER_S] = {"reminder_s", KIND_INT, 0, 30 * DAY_S, NULL},
    [F_WHERE] = {"where", KIND_LINE, 1, 500, NULL},
    [F_MEETING] = {"meeting", KIND_NAME, 1, 15, NULL},
    [F_POSTED_AT] = {"posted_at", KIND_INT, 0, AT_MOST, NULL},
    [F_TASK] = {"task", KIND_INT, 1, INT32_MAX, NULL},
    [F_OPEN_TICKETS] = {"open_tickets", KIND_BOOL, 0, 0, NULL},
    [F_CLOCK] = {"clock", KIND_ENUM, 0, 0, "response|update|resolution"},
    [F_CYCLE] = {"cycle", KIND_INT, 1, INT32_MAX, NULL},
    [F_VERDICT] = {"verdict", KIND_ENUM, 0, 0, "met|missed"},
    [F_TRACKINGS] = {"tracking", KIND_TRACKINGS, 1, TICKETS_MAX, NULL},
    [F_KEY] = {"key", KIND_TEXT, 1, 128, NULL},
    [F_AS] = {"as", KIND_AS, 0, 0, "name|role"},
    [F_TRACKING] = {"tracking", KIND_TRACKING, 0, 0, NULL},
    [F_IF_VERSION] = {"if_version", KIND_INT, 1, INT32_MAX, NULL},
    [F_CUSTOMER] = {"customer", KIND_NAME, 1, 64, NULL},
    [F_CUSTOMER_RECORD] = {"customer", KIND_CUSTOMER, 0, 0, "id|name|package|contacts|locale|zone"},
    [F_TITLE] = {"title", KIND_POINTS, 1, 0, NULL},
    [F_PROBLEM] = {"problem", KIND_LONG, 1, 0, NULL},
    [F_EQUIPMENT] = {"equipment", KIND_MAP, 0, 0, NULL},
    [F_CONFIGURATION] = {"configuration", KIND_MAP, 0, 0, NULL},
    [F_CONTACT] = {"contact", KIND_CONTACT, 0, 0, "name|email|xmpp|phone|locale"},
    [F_CHANNEL] = {"channel", KIND_ENUM, 0, 0, "ticket|im|phone"},
    [F_IMPACT] = {"impact", KIND_ENUM, 0, 0, "down|critical|degraded|impaired|request|question"},
    [F_ATTRIBUTES] = {"attributes", KIND_MAP, 0, 0, NULL},
    [F_CORRELATION] = {"correlation", KIND_TEXT, 1, 128, NULL},
    [F_TAKE] = {"take", KIND_BOOL, 0, 0, NULL},
    [F_EVENTS_AFTER] = {"events_after", KIND_INT, 0, INT32_MAX, NULL},
    [F_STATE] = {"state", KIND_TEXT, 1, 256, NULL},
    [F_PRIORITY] = {"priority", KIND_INT, 1, 4, NULL},
    [F_ASSIGNEE] = {"assignee", KIND_TEXT, 0, 128, NULL},
    [F_QUEUE] = {"queue", KIND_TEXT, 1, 64, NULL},
    [F_TAG] = {"tag", KIND_TEXT, 1, 64, NULL},
    [F_OVERDUE] = {"overdue", KIND_BOOL, 0, 0, NULL},
    [F_DUE_BEFORE_AT] = {"due_before_at", KIND_INT, 0, AT_MOST, NULL},
    [F_POSTED_FROM_AT] = {"posted_from_at", KIND_INT, 0, AT_MOST, NULL},
    [F_POSTED_UNTIL_AT] = {"posted_until_at", KIND_INT, 0, AT_MOST, NULL},
    [F_TEXT] = {"text", KIND_WORDS, 1, 0, NULL},
    [F_ORDER] = {"order", KIND_ENUM, 0, 0, "newest|oldest"},
    [F_LIMIT] = {"limit", KIND_INT, 1, 500, NULL},
    [F_CURSOR] = {"cursor", KIND_TEXT, 0, 256, NULL},
    [F_QUEUES] = {"queues", KIND_TEXTS, 1, 32, NULL},
    [F_PEEK] = {"peek", KIND_BOOL, 0, 0, NULL},
    [F_STAFF] = {"staff", KIND_LINE, 1, 128, NULL},
    [F_REASON] = {"reason", KIND_WORDS, 1, 0, NULL},
    [F_COMMENT] = {"comment", KIND_TEXT, 0, 1000, NULL},
    [F_PUBLIC] = {"public", KIND_BOOL, 0, 0, NULL},
    [F_SET] = {"set", KIND_SET, 0, 0, "title|equipment|configuration|queue|tags|attributes"},
    [F_ON] = {"on", KIND_ENUM, 0, 0, "customer|vendor"},
    [F_VENDOR] = {"vendor", KIND_LINE, 1, 128, NULL},
    [F_PROPOSAL] = {"proposal", KIND_WORDS, 1, 0, NULL},
    [F_UNTIL_AT] = {"until_at", KIND_INT, 0, AT_MOST, NULL},
    [F_CLOSE_REASON] = {"reason", KIND_ENUM, 0, 0, "duplicate|spam|withdrawn|migrated"},
    [F_TO] = {"to", KIND_TRACKING, 0, 0, NULL},
    [F_AS_LINK] = {"as_link", KIND_ENUM, 0, 0, "duplicate|related|child"},
    [F_ID] = {"id", KIND_NAME, 1, 64, NULL},
    [F_FILES] = {"files", KIND_FILES, 1, 1000, NULL},
    [F_DRY_RUN] = {"dry_run", KIND_BOOL, 0, 0, NULL},
    [F_RECOMPUTE] = {"recompute", KIND_BOOL, 0, 0, NULL},
    [F_PEOPLE] = {"staff", KIND_INT, 1, 1000, NULL},
    [F_HASH] = {"hash", KIND_HASH, 8, 64, NULL},
    [F_FILTER] = {"filter", KIND_FILTER, 0, 0, "customer|tracking|kinds|public|from_at"},
    [F_WAIT_MS] = {"wait_ms", KIND_INT, 0, 30000, NULL},
    [F_ALL] = {"all", KIND_BOOL, 0, 0, NULL},
    [F_PACKAGE] = {"package", KIND_NAME, 1, 64, NULL},
    [F_ALERT] = {"alert", KIND_INT, 1, INT64_MAX, NULL},
    [F_GENERATION] = {"generation", KIND_INT, 1, INT32_MAX, NULL},
    [F_KIND] = {"kind", KIND_ENUM, 0, 0, "alert|missed|dead|ops"},
    [F_SCHEDULE] = {"schedule", KIND_NAME, 1, 64, NULL},
    [F_WHO_AT] = {"at", KIND_INT, 0, AT_MOST, NULL},
    [F_SPAN_FROM_AT] = {"from_at", KIND_INT, 0, AT_MOST, NULL},
    [F_REPLACES] = {"replaces", KIND_LINE, 1, 128, NULL},
    [F_TO_STAFF] = {"to", KIND_LINE, 1, 128, NULL},
    [F_OVERRIDE] = {"override", KIND_INT, 1, INT32_MAX, NULL},
    [F_CANCEL] = {"cancel", KIND_BOOL, 0, 0, NULL},
    [F_DSN_STATUS] = {"status", KIND_TEXT, 5, 11, NULL},
    [F_EMAIL] = {"email", KIND_TEXT, 3, 254, NULL},
    [F_NOTIFICATION] = {"notification", KIND_INT, 1, INT64_MAX, NULL},
    [F_OVER_CHANNEL] = {"channel", KIND_NAME, 1, 32, NULL},
    [F_ADDRESS] = {"address", KIND_TEXT, 1, 512, NULL},
    [F_SINCE_AT] = {"since_at", KIND_INT, 0, AT_MOST, NULL},
    [F_MUTE] = {"mute", KIND_INT, 1, INT64_MAX, NULL},
    [F_NOTICE_KIND] = {"kind", KIND_NAME, 1, 40, NULL},
    [F_DISCARD_BEFORE_AT] = {"discard_before_at", KIND_INT, 0, AT_MOST, NULL},
};

const char *request_field_name(enum field field)
{
    return request_fields[field].name;
}

bool request_field_is_words(enum field field)
{
    return request_fields[field].kind == KIND_LONG || request_fields[field].kind == KIND_WORDS;
}

bool request_field_check(enum field field, const struct request_rules *rules, const struct wire_val *val,
                         struct err *err)
{
    const struct request_row *row = &request_fields[field];
    const struct check c = {row->name, row, rules, err};

    return check_value(&c, val);
}
