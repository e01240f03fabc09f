/* A client's request, from bytes to checked fields; see request.h. */
#include "request.h"
#include "mem.h"
#include "ops.h"
#include "tracking.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum {
    REQUEST_DEPTH = 18 /* nesting of 16 inside the body, the envelope around it */,
    MAP_DEPTH = 16,
    ID_BYTES_MAX = 256,
    TICKETS_MAX = 500
};

enum field_kind {
    KIND_TEXT,   /* least..most bytes */
    KIND_POINTS, /* text of 1..limit code points */
    KIND_LONG,   /* text of 1..limit bytes (problem, comment) */
    KIND_NAME,   /* [A-Za-z0-9._-], least..most bytes */
    KIND_ENUM,   /* one of the names */
    KIND_INT,    /* least..most */
    KIND_BOOL,
    KIND_MAP,       /* encoded size up to the limit */
    KIND_TEXTS,     /* list of 1..most texts of up to 64 bytes */
    KIND_LINE,      /* text without control characters: it ends up in mail headers */
    KIND_ADDRESSES, /* list of least..most addresses, each of one line */
    KIND_TRACKING,
    KIND_TRACKINGS, /* one, or a list of 1..most */
    KIND_AS,
    KIND_CONTACT,
    KIND_CUSTOMER,
    KIND_SET,
    KIND_FILES,
    KIND_FILTER,
    KIND_HASH,
};

struct field_row {
    const char *name;
    enum field_kind kind;
    int64_t least, most;
    const char *names; /* KIND_ENUM: "a|b|c"; KIND_CONTACT and the like: the keys allowed inside */
};

#define AT_MOST INT64_C(4133980800000000) /* 2101-01-01, µs */

static const struct field_row fields[F_FIELDS] = {
    [F_MEDIUM] = {"medium", KIND_ENUM, 0, 0, "im|phone"},
    [F_ATTENDEES] = {"attendees", KIND_ADDRESSES, 1, 50, NULL},
    [F_ATTENDEE] = {"attendee", KIND_LINE, 1, 254, NULL},
    [F_ANSWER] = {"answer", KIND_ENUM, 0, 0, "accepted|declined|tentative|counter"},
    [F_DURATION_S] = {"duration_s", KIND_INT, 60, 7 * 86400, NULL},
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
    [F_TEXT] = {"text", KIND_LONG, 1, 0, NULL},
    [F_ORDER] = {"order", KIND_ENUM, 0, 0, "newest|oldest"},
    [F_LIMIT] = {"limit", KIND_INT, 1, 500, NULL},
    [F_CURSOR] = {"cursor", KIND_TEXT, 0, 256, NULL},
    [F_QUEUES] = {"queues", KIND_TEXTS, 1, 32, NULL},
    [F_PEEK] = {"peek", KIND_BOOL, 0, 0, NULL},
    [F_STAFF] = {"staff", KIND_TEXT, 1, 128, NULL},
    [F_REASON] = {"reason", KIND_LONG, 1, 0, NULL},
    [F_COMMENT] = {"comment", KIND_TEXT, 0, 1000, NULL},
    [F_PUBLIC] = {"public", KIND_BOOL, 0, 0, NULL},
    [F_SET] = {"set", KIND_SET, 0, 0, "title|equipment|configuration|queue|tags|attributes"},
    [F_ON] = {"on", KIND_ENUM, 0, 0, "customer|vendor"},
    [F_VENDOR] = {"vendor", KIND_TEXT, 1, 128, NULL},
    [F_PROPOSAL] = {"proposal", KIND_LONG, 1, 0, NULL},
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
    [F_REPLACES] = {"replaces", KIND_TEXT, 1, 128, NULL},
    [F_TO_STAFF] = {"to", KIND_TEXT, 1, 128, NULL},
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
    return fields[field].name;
}

/* ---- words ---- */

/* Whether name is one of "a|b|c". */
static bool names_have(const char *names, struct span name)
{
    while (*names != '\0') {
        size_t len = strcspn(names, "|");
        if (len == name.len && memcmp(names, name.p, len) == 0)
            return true;
        names += len + (names[len] == '|');
    }
    return false;
}

static bool text_is_name(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '_' || c == '-';
        if (!fine)
            return false;
    }
    return true;
}

/* ---- one field ---- */

/* What a check needs to know besides the value. */
struct check {
    const char *path; /* as the error names it: "contact.email" */
    const struct field_row *row;
    const struct request_limits *limits;
    const char *prefix;
    struct err *err;
};

static bool check_wrong_type(const struct check *c, const struct wire_val *val, const char *want)
{
    return err_field(c->err, ERR_INVALID, c->path, "%s: want %s, got %s", c->path, want,
                     wire_type_name(wire_type(val)));
}

static bool check_bytes(const struct check *c, const struct wire_val *val, int64_t least, int64_t most)
{
    struct span text;
    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "text");
    if ((int64_t)text.len > most)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: %zu bytes, at most %lld are allowed", c->path,
                         text.len, (long long)most);
    if ((int64_t)text.len < least)
        return err_field(c->err, ERR_INVALID, c->path, "%s: must not be empty", c->path);
    return true;
}

static bool check_text(const struct check *c, const struct wire_val *val)
{
    return check_bytes(c, val, c->row->least, c->row->most);
}

static bool check_long(const struct check *c, const struct wire_val *val)
{
    return check_bytes(c, val, c->row->least, c->limits->text_bytes);
}

static bool check_points(const struct check *c, const struct wire_val *val)
{
    struct span text;
    size_t points = 0;
    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "text");
    (void)utf8_check(text, &points);
    if ((int64_t)points > c->limits->title_points)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: %zu characters, at most %lld are allowed",
                         c->path, points, (long long)c->limits->title_points);
    if (points == 0)
        return err_field(c->err, ERR_INVALID, c->path, "%s: must not be empty", c->path);
    return true;
}

static bool check_name(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (!check_bytes(c, val, c->row->least, c->row->most))
        return false;
    (void)wire_get_str(val, &text);
    if (!text_is_name(text))
        return err_field(c->err, ERR_INVALID, c->path,
                         "%s: only letters, digits, '.', '_' and '-' are allowed", c->path);
    return true;
}

static bool check_enum(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "text");
    if (!names_have(c->row->names, text))
        return err_field(c->err, ERR_INVALID, c->path, "%s: \"%.*s\" is none of %s", c->path,
                         (int)(text.len > 40 ? 40 : text.len), text.p, c->row->names);
    return true;
}

static bool check_int(const struct check *c, const struct wire_val *val)
{
    int64_t number;
    if (!wire_get_int(val, &number))
        return check_wrong_type(c, val, "an integer");
    if (number < c->row->least || number > c->row->most)
        return err_field(c->err, ERR_INVALID, c->path, "%s: %lld is outside %lld–%lld", c->path,
                         (long long)number, (long long)c->row->least, (long long)c->row->most);
    return true;
}

static bool check_bool(const struct check *c, const struct wire_val *val)
{
    bool flag;
    return wire_get_bool(val, &flag) ? true : check_wrong_type(c, val, "true or false");
}

static size_t depth_of(const struct wire_val *val)
{
    size_t most = 0;
    for (size_t i = 0; i < wire_count(val); i++) {
        const struct wire_val *in = wire_type(val) == WIRE_MAP ? wire_val_at(val, i) : wire_at(val, i);
        size_t depth = depth_of(in);
        most = depth > most ? depth : most;
    }
    return most + 1;
}

static bool check_map(const struct check *c, const struct wire_val *val)
{
    struct buf size;
    if (wire_type(val) != WIRE_MAP)
        return check_wrong_type(c, val, "a map");
    if (depth_of(val) > MAP_DEPTH)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: nested deeper than %d", c->path, MAP_DEPTH);
    buf_init(&size, (size_t)c->limits->map_bytes);
    wire_put_val(&size, val);
    bool fits = !size.failed;
    buf_clear(&size);
    if (!fits)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: more than %lld bytes", c->path,
                         (long long)c->limits->map_bytes);
    return true;
}

static bool check_texts(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (wire_type(val) != WIRE_LIST)
        return check_wrong_type(c, val, "a list of text");
    if ((int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: at most %lld entries", c->path,
                         (long long)c->row->most);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!wire_get_str(wire_at(val, i), &text) || text.len == 0 || text.len > 64)
            return err_field(c->err, ERR_INVALID, c->path, "%s: entry %zu: want text of 1–64 bytes", c->path,
                             i + 1);
    return true;
}

static bool check_tracking(const struct check *c, const struct wire_val *val)
{
    struct span text;
    int64_t id;
    if (!wire_get_str(val, &text))
        return check_wrong_type(c, val, "a tracking number");
    if (tracking_parse(text, c->prefix, &id, c->err))
        return true;
    (void)snprintf(c->err->field, sizeof c->err->field, "%s", c->path);
    return false;
}

static bool text_is_line(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return false;
    return true;
}

static bool check_line(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (!check_bytes(c, val, c->row->least, c->row->most))
        return false;
    (void)wire_get_str(val, &text);
    return text_is_line(text)
               ? true
               : err_field(c->err, ERR_INVALID, c->path, "%s: control characters are not allowed", c->path);
}

static bool check_addresses(const struct check *c, const struct wire_val *val)
{
    enum { ADDRESS_BYTES_MAX = 254 };
    struct span text;

    if (wire_type(val) != WIRE_LIST)
        return check_wrong_type(c, val, "a list of addresses");
    if ((int64_t)wire_count(val) < c->row->least || (int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, ERR_INVALID, c->path, "%s: want %lld–%lld addresses", c->path,
                         (long long)c->row->least, (long long)c->row->most);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!wire_get_str(wire_at(val, i), &text) || text.len == 0 || text.len > ADDRESS_BYTES_MAX ||
            !text_is_line(text))
            return err_field(c->err, ERR_INVALID, c->path,
                             "%s: entry %zu: want an address of 1–%d bytes in one line", c->path, i + 1,
                             ADDRESS_BYTES_MAX);
    return true;
}

static bool check_trackings(const struct check *c, const struct wire_val *val)
{
    if (wire_type(val) != WIRE_LIST)
        return check_tracking(c, val);
    if ((int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, ERR_TOO_LARGE, c->path, "%s: %zu tickets, at most %lld are allowed", c->path,
                         wire_count(val), (long long)c->row->most);
    if (wire_count(val) == 0)
        return err_field(c->err, ERR_INVALID, c->path, "%s: the list is empty", c->path);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!check_tracking(c, wire_at(val, i)))
            return err_prefix(c->err, "entry %zu: ", i + 1);
    return true;
}

/* Every key of a map is one of names; an unknown one is refused by its name. */
static bool check_keys(const struct check *c, const struct wire_val *val, const char *names)
{
    if (wire_type(val) != WIRE_MAP)
        return check_wrong_type(c, val, "a map");
    for (size_t i = 0; i < wire_count(val); i++) {
        struct span key = wire_key_at(val, i);
        char path[96];
        (void)snprintf(path, sizeof path, "%s.%.*s", c->path, (int)(key.len > 40 ? 40 : key.len), key.p);
        if (!names_have(names, key))
            return err_field(c->err, ERR_INVALID, path, "%s: not a field; allowed are %s", path, names);
    }
    return true;
}

/* A text inside a map, without control characters (these end up in mail headers and addresses). */
static bool check_inner_text(const struct check *c, const struct wire_val *map, const char *key,
                             bool required, size_t most)
{
    const struct wire_val *val = wire_find(map, key);
    struct span text;
    char path[96];

    (void)snprintf(path, sizeof path, "%s.%s", c->path, key);
    if (wire_type(val) == WIRE_NIL)
        return required ? err_field(c->err, ERR_INVALID, path, "%s: is required", path) : true;
    if (!wire_get_str(val, &text))
        return err_field(c->err, ERR_INVALID, path, "%s: want text, got %s", path,
                         wire_type_name(wire_type(val)));
    if (text.len > most)
        return err_field(c->err, ERR_TOO_LARGE, path, "%s: %zu bytes, at most %zu are allowed", path,
                         text.len, most);
    if (text.len == 0)
        return err_field(c->err, ERR_INVALID, path, "%s: must not be empty", path);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return err_field(c->err, ERR_INVALID, path, "%s: control characters are not allowed", path);
    return true;
}

static bool check_email(const struct check *c, const struct wire_val *map)
{
    struct span text = wire_find_str(map, "email");
    char path[96];

    (void)snprintf(path, sizeof path, "%s.email", c->path);
    if (!check_inner_text(c, map, "email", false, 254))
        return false;
    if (text.p == NULL)
        return true;
    const char *at = memchr(text.p, '@', text.len);
    bool fine = at != NULL && at != text.p && at != text.p + text.len - 1 &&
                memchr(at + 1, '@', (size_t)(text.p + text.len - at - 1)) == NULL;
    for (size_t i = 0; fine && i < text.len; i++)
        fine = strchr(" <>(),;:\\\"[]", text.p[i]) == NULL;
    return fine ? true : err_field(c->err, ERR_INVALID, path, "%s: not a mail address: want name@host", path);
}

static bool check_contact(const struct check *c, const struct wire_val *val)
{
    return check_keys(c, val, c->row->names) && check_inner_text(c, val, "name", false, 200) &&
           check_email(c, val) && check_inner_text(c, val, "xmpp", false, 254) &&
           check_inner_text(c, val, "phone", false, 64) && check_inner_text(c, val, "locale", false, 35);
}

static bool check_customer_contact(const struct check *outer, const struct wire_val *val, size_t i)
{
    char path[96];
    struct check c = *outer;
    const struct wire_val *wanted = wire_find(val, "for");

    (void)snprintf(path, sizeof path, "customer.contacts[%zu]", i);
    c.path = path;
    if (!check_keys(&c, val, "name|email|xmpp|phone|sms|webhook|locale|for") ||
        !check_inner_text(&c, val, "name", false, 200) || !check_email(&c, val) ||
        !check_inner_text(&c, val, "xmpp", false, 254) || !check_inner_text(&c, val, "phone", false, 64) ||
        !check_inner_text(&c, val, "sms", false, 64) || !check_inner_text(&c, val, "webhook", false, 480) ||
        !check_inner_text(&c, val, "locale", false, 35))
        return false;
    if (wire_type(wanted) != WIRE_NIL && wire_type(wanted) != WIRE_LIST)
        return err_field(c.err, ERR_INVALID, path, "%s.for: want a list", path);
    for (size_t k = 0; k < wire_count(wanted); k++) {
        struct span name = SPAN_NONE;
        (void)wire_get_str(wire_at(wanted, k), &name);
        if (name.p == NULL || !names_have("all|updates|meetings|p1|none", name))
            return err_field(c.err, ERR_INVALID, path, "%s.for: allowed are all, updates, meetings, p1, none",
                             path);
    }
    return true;
}

static bool check_customer(const struct check *c, const struct wire_val *val)
{
    const struct wire_val *contacts = wire_find(val, "contacts");

    if (!check_keys(c, val, c->row->names) || !check_inner_text(c, val, "id", true, 64) ||
        !check_inner_text(c, val, "name", true, 200) || !check_inner_text(c, val, "package", true, 64) ||
        !check_inner_text(c, val, "locale", false, 35) || !check_inner_text(c, val, "zone", false, 64) ||
        !check_map(c, val))
        return false;
    if (!text_is_name(wire_find_str(val, "id")))
        return err_field(c->err, ERR_INVALID, "customer.id",
                         "customer.id: only letters, digits, '.', '_' and '-' are allowed");
    if (wire_type(contacts) != WIRE_NIL && wire_type(contacts) != WIRE_LIST)
        return err_field(c->err, ERR_INVALID, "customer.contacts", "customer.contacts: want a list of maps");
    for (size_t i = 0; i < wire_count(contacts); i++)
        if (!check_customer_contact(c, wire_at(contacts, i), i))
            return false;
    return true;
}

static bool check_as(const struct check *c, const struct wire_val *val)
{
    enum desk_role role;
    struct span name = wire_find_str(val, "role");
    if (!check_keys(c, val, c->row->names) || !check_inner_text(c, val, "name", true, 128) ||
        !check_inner_text(c, val, "role", true, 16))
        return false;
    if (!desk_role_parse(name, &role))
        return err_field(c->err, ERR_INVALID, "as.role",
                         "as.role: \"%.*s\" is none of staff, customer, system, admin", (int)name.len,
                         name.p);
    return true;
}

static bool check_set(const struct check *c, const struct wire_val *val)
{
    static const enum field inner[] = {F_TITLE, F_EQUIPMENT, F_CONFIGURATION, F_QUEUE, F_ATTRIBUTES};
    static const struct field_row tags = {"tags", KIND_TEXTS, 0, 32, NULL};
    struct check in = *c;

    if (!check_keys(c, val, c->row->names))
        return false;
    if (wire_count(val) == 0)
        return err_field(c->err, ERR_INVALID, c->path, "set: names nothing to change");
    for (size_t i = 0; i < wire_count(val); i++) {
        char path[96];
        struct span key = wire_key_at(val, i);
        (void)snprintf(path, sizeof path, "set.%.*s", (int)key.len, key.p);
        in.path = path;
        if (span_is(key, "tags")) {
            in.row = &tags;
            if (!check_texts(&in, wire_val_at(val, i)))
                return false;
            continue;
        }
        for (size_t k = 0; k < sizeof inner / sizeof inner[0]; k++) {
            if (!span_is(key, fields[inner[k]].name))
                continue;
            in.row = &fields[inner[k]];
            bool ok = in.row->kind == KIND_POINTS ? check_points(&in, wire_val_at(val, i))
                      : in.row->kind == KIND_MAP  ? check_map(&in, wire_val_at(val, i))
                                                  : check_text(&in, wire_val_at(val, i));
            if (!ok)
                return false;
        }
    }
    return true;
}

static bool check_files(const struct check *c, const struct wire_val *val)
{
    struct span bytes;
    if (wire_type(val) != WIRE_MAP)
        return check_wrong_type(c, val, "a map of names to bytes");
    if (wire_count(val) == 0 || (int64_t)wire_count(val) > c->row->most)
        return err_field(c->err, ERR_INVALID, c->path, "files: want 1–%lld files", (long long)c->row->most);
    for (size_t i = 0; i < wire_count(val); i++)
        if (!wire_get_bin(wire_val_at(val, i), &bytes))
            return err_field(c->err, ERR_INVALID, c->path, "files: %.*s: want bytes",
                             (int)wire_key_at(val, i).len, wire_key_at(val, i).p);
    return true;
}

static bool check_filter(const struct check *c, const struct wire_val *val)
{
    const struct wire_val *kinds = wire_find(val, "kinds");
    const struct wire_val *tracking = wire_find(val, "tracking");
    const struct wire_val *flag = wire_find(val, "public");
    bool yes;
    int64_t at;

    if (!check_keys(c, val, c->row->names) || !check_inner_text(c, val, "customer", false, 64))
        return false;
    if (wire_type(tracking) != WIRE_NIL &&
        !check_tracking(&(struct check){"filter.tracking", c->row, c->limits, c->prefix, c->err}, tracking))
        return false;
    if (wire_type(flag) != WIRE_NIL && !wire_get_bool(flag, &yes))
        return err_field(c->err, ERR_INVALID, "filter.public", "filter.public: want true or false");
    if (wire_type(wire_find(val, "from_at")) != WIRE_NIL && !wire_get_int(wire_find(val, "from_at"), &at))
        return err_field(c->err, ERR_INVALID, "filter.from_at",
                         "filter.from_at: want an instant in microseconds");
    if (wire_type(kinds) != WIRE_NIL && wire_type(kinds) != WIRE_LIST)
        return err_field(c->err, ERR_INVALID, "filter.kinds", "filter.kinds: want a list");
    for (size_t i = 0; i < wire_count(kinds); i++) {
        struct span name = SPAN_NONE;
        enum desk_event kind;
        (void)wire_get_str(wire_at(kinds, i), &name);
        if (name.p == NULL || !desk_event_parse(name, &kind))
            return err_field(c->err, ERR_INVALID, "filter.kinds",
                             "filter.kinds: \"%.*s\" is no kind of event",
                             (int)(name.len > 40 ? 40 : name.len), name.p == NULL ? "" : name.p);
    }
    return true;
}

static bool check_hash(const struct check *c, const struct wire_val *val)
{
    struct span text;
    if (!check_bytes(c, val, c->row->least, c->row->most))
        return false;
    (void)wire_get_str(val, &text);
    for (size_t i = 0; i < text.len; i++)
        if (strchr("0123456789abcdef", text.p[i]) == NULL)
            return err_field(c->err, ERR_INVALID, c->path, "hash: want hexadecimal digits in lower case");
    return true;
}

static bool (*const checks[])(const struct check *, const struct wire_val *) = {
    [KIND_TEXT] = check_text,
    [KIND_POINTS] = check_points,
    [KIND_LONG] = check_long,
    [KIND_NAME] = check_name,
    [KIND_ENUM] = check_enum,
    [KIND_INT] = check_int,
    [KIND_BOOL] = check_bool,
    [KIND_MAP] = check_map,
    [KIND_TEXTS] = check_texts,
    [KIND_TRACKING] = check_tracking,
    [KIND_TRACKINGS] = check_trackings,
    [KIND_LINE] = check_line,
    [KIND_ADDRESSES] = check_addresses,
    [KIND_AS] = check_as,
    [KIND_CONTACT] = check_contact,
    [KIND_CUSTOMER] = check_customer,
    [KIND_SET] = check_set,
    [KIND_FILES] = check_files,
    [KIND_FILTER] = check_filter,
    [KIND_HASH] = check_hash,
};

/* ---- the envelope ---- */

static bool request_read_id(const struct wire_val *id, struct request *ret, struct err *err)
{
    if (wire_type(id) == WIRE_MAP || wire_type(id) == WIRE_LIST)
        return err_field(err, ERR_MALFORMED, "id", "id: want a scalar");
    struct buf out;
    buf_init(&out, ID_BYTES_MAX);
    wire_put_val(&out, id);
    if (out.failed) {
        buf_clear(&out);
        return err_field(err, ERR_TOO_LARGE, "id", "id: more than %d bytes", ID_BYTES_MAX);
    }
    size_t len;
    char *bytes = buf_take(&out, &len);
    ret->id = (struct span){bytes, len};
    return true;
}

bool request_parse(struct span bytes, const struct request_limits *limits, struct request *ret,
                   struct span *ret_op, const struct wire_val **ret_body, struct err *err)
{
    int64_t version;

    if ((int64_t)bytes.len > limits->process_bytes)
        return err_set(err, ERR_TOO_LARGE, "a message of %zu bytes: at most %lld are allowed", bytes.len,
                       (long long)limits->message_bytes);
    if (!wire_parse(bytes.p, bytes.len, REQUEST_DEPTH, &ret->doc, err))
        return false;
    const struct wire_val *root = wire_root(ret->doc);
    if (wire_type(root) != WIRE_MAP)
        return err_set(err, ERR_MALFORMED, "not a request: want one map {dkt, id, op, body}");
    if (!request_read_id(wire_find(root, "id"), ret, err))
        return false;
    for (size_t i = 0; i < wire_count(root); i++)
        if (!names_have("dkt|id|op|body", wire_key_at(root, i)))
            return err_set(err, ERR_MALFORMED, "not a request: the fields are dkt, id, op and body");
    if (!wire_get_int(wire_find(root, "dkt"), &version))
        return err_field(err, ERR_MALFORMED, "dkt",
                         "not a request: dkt, the version of the protocol, is missing");
    if (version != 1)
        return err_field(err, ERR_UNSUPPORTED, "dkt", "version %lld of the protocol is not spoken here; 1 is",
                         (long long)version);
    if (!wire_get_str(wire_find(root, "op"), ret_op))
        return err_field(err, ERR_MALFORMED, "op", "not a request: op is missing");
    *ret_body = wire_find(root, "body");
    if (wire_type(*ret_body) != WIRE_MAP && wire_type(*ret_body) != WIRE_NIL)
        return err_field(err, ERR_MALFORMED, "body", "body: want a map");
    return true;
}

/* ---- the body ---- */

/* The op's row for a key of the body; NULL when the op does not take it. */
static const struct op_field *op_field_find(const struct op *op, struct span key)
{
    for (size_t i = 0; i < op->field_count; i++)
        if (span_is(key, fields[op->fields[i].field].name))
            return &op->fields[i];
    return NULL;
}

static bool request_unknown_field(const struct op *op, struct span key, struct err *err)
{
    char name[64], allowed[512] = "none";
    size_t len = 0;

    (void)snprintf(name, sizeof name, "%.*s", (int)(key.len > 60 ? 60 : key.len), key.p);
    for (size_t i = 0; i < op->field_count && len + 1 < sizeof allowed; i++)
        len += (size_t)snprintf(allowed + len, sizeof allowed - len, "%s%s", i == 0 ? "" : ", ",
                                fields[op->fields[i].field].name);
    return err_field(err, ERR_INVALID, name, "%s: not a field of %s; allowed are %s", name, op->name,
                     allowed);
}

static bool request_check_fields(struct request *req, const struct wire_val *body, const char *prefix,
                                 const struct request_limits *limits, struct err *err)
{
    const struct op *op = req->op;

    for (size_t i = 0; i < wire_count(body); i++) {
        const struct wire_val *val = wire_val_at(body, i);
        const struct op_field *field = op_field_find(op, wire_key_at(body, i));
        if (field == NULL)
            return request_unknown_field(op, wire_key_at(body, i), err);
        if (wire_type(val) == WIRE_NIL)
            continue;
        const struct field_row *row = &fields[field->field];
        struct check c = {row->name, row, limits, prefix, err};
        if (!checks[row->kind](&c, val))
            return false;
        req->vals[field->field] = val;
    }
    for (size_t i = 0; i < op->field_count; i++)
        if (op->fields[i].required && req->vals[op->fields[i].field] == NULL)
            return err_field(err, ERR_INVALID, fields[op->fields[i].field].name, "%s: is required for %s",
                             fields[op->fields[i].field].name, op->name);
    return true;
}

static bool request_is_default(enum field field, const struct wire_val *val)
{
    struct span text;
    bool flag;

    if (wire_get_bool(val, &flag))
        return !flag;
    if (wire_type(val) == WIRE_MAP)
        return wire_count(val) == 0;
    return field == F_CHANNEL && wire_get_str(val, &text) && span_is(text, "ticket");
}

static void request_put_tickets(const struct request *req, struct buf *form)
{
    wire_put_list(form, req->ticket_count);
    for (size_t i = 0; i < req->ticket_count; i++)
        wire_put_int(form, req->tickets[i]);
}

/* The content of a request in one form: fields in the order of the op's row, absent and default left out, ids instead of the
 * many ways to write a tracking number. */
static void request_digest_content(struct request *req)
{
    struct buf form;
    buf_init(&form, SIZE_MAX / 2);
    wire_put_text(&form, req->op->name);
    for (size_t i = 0; i < req->op->field_count; i++) {
        enum field field = (enum field)req->op->fields[i].field;
        const struct wire_val *val = req->vals[field];
        if (val == NULL || field == F_KEY || request_is_default(field, val))
            continue;
        if (field == F_TRACKINGS && req->tickets == NULL)
            field = F_TRACKING; /* the same request as where no list is taken */
        wire_put_int(&form, (int64_t)field);
        if (field == F_TRACKING || field == F_TO)
            wire_put_int(&form, field == F_TO ? req->link_to : req->ticket);
        else if (field == F_TRACKINGS)
            request_put_tickets(req, &form);
        else
            wire_put_canonical(&form, val);
    }
    (void)crypto_generichash(req->content_digest, sizeof req->content_digest, (const unsigned char *)form.p,
                             form.len, NULL, 0);
    buf_clear(&form);
}

static void request_digest_key(struct request *req, const char *client)
{
    struct span key;
    crypto_generichash_state state;
    unsigned char len = (unsigned char)strlen(client);

    if (!wire_get_str(req->vals[F_KEY], &key)) {
        randombytes_buf(req->key_digest, sizeof req->key_digest);
        return;
    }
    req->has_key = true;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof req->key_digest);
    (void)crypto_generichash_update(&state, &len, 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)client, len);
    (void)crypto_generichash_update(&state, (const unsigned char *)key.p, key.len);
    (void)crypto_generichash_final(&state, req->key_digest, sizeof req->key_digest);
}

int64_t request_tracking(const struct wire_val *val, const char *prefix)
{
    struct span text;
    int64_t id = 0;
    return wire_get_str(val, &text) && tracking_parse(text, prefix, &id, NULL) ? id : 0;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One ticket, or a list: in order of id, each once. */
static bool request_read_tickets(struct request *req, const char *prefix, struct err *err)
{
    const struct wire_val *list = req->vals[F_TRACKINGS];
    size_t count = wire_count(list), kept = 0;

    if (wire_type(list) != WIRE_LIST) {
        req->ticket = request_tracking(list != NULL ? list : req->vals[F_TRACKING], prefix);
        return true;
    }
    if (req->vals[F_IF_VERSION] != NULL)
        return err_field(err, ERR_INVALID, "if_version", "if_version: belongs to one ticket, not to a list");
    req->tickets = mem_new(count, sizeof *req->tickets);
    for (size_t i = 0; i < count; i++)
        req->tickets[i] = request_tracking(wire_at(list, i), prefix);
    qsort(req->tickets, count, sizeof *req->tickets, compare_ids);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || req->tickets[i] != req->tickets[kept - 1])
            req->tickets[kept++] = req->tickets[i];
    req->ticket_count = kept;
    return true;
}

bool request_check(struct request *req, const struct op *op, const struct wire_val *body, const char *client,
                   const char *prefix, const struct request_limits *limits, struct err *err)
{
    struct span text;
    int64_t size = (int64_t)wire_doc_bytes(req->doc).len;

    req->op = op;
    if (size > (op->large ? limits->process_bytes : limits->message_bytes))
        return err_set(err, ERR_TOO_LARGE, "a message of %lld bytes: at most %lld are allowed",
                       (long long)size,
                       (long long)(op->large ? limits->process_bytes : limits->message_bytes));
    if (!request_check_fields(req, body, prefix, limits, err))
        return false;
    if (req->vals[F_AS] != NULL) {
        req->has_as = true;
        (void)desk_role_parse(wire_find_str(req->vals[F_AS], "role"), &req->role);
        text = wire_find_str(req->vals[F_AS], "name");
        (void)snprintf(req->actor, sizeof req->actor, "%.*s", (int)text.len, text.p);
    }
    if (!request_read_tickets(req, prefix, err))
        return false;
    req->link_to = request_tracking(req->vals[F_TO], prefix);
    if (op->changes) {
        request_digest_key(req, client);
        request_digest_content(req);
    }
    return true;
}

void request_clear(struct request *req)
{
    free((void *)(uintptr_t)req->id.p);
    free(req->tickets);
    wire_doc_free(req->doc);
    memset(req, 0, sizeof *req);
}

int64_t request_int(const struct request *req, enum field field, int64_t fallback)
{
    (void)wire_get_int(req->vals[field], &fallback);
    return fallback;
}

bool request_bool(const struct request *req, enum field field, bool fallback)
{
    (void)wire_get_bool(req->vals[field], &fallback);
    return fallback;
}

struct span request_text(const struct request *req, enum field field)
{
    struct span text = SPAN_NONE;
    (void)wire_get_str(req->vals[field], &text);
    return text;
}

bool request_has(const struct request *req, enum field field)
{
    return req->vals[field] != NULL;
}
