/* The fields that conditions may look at, as a table: docs/rules.md lists the same. Their values come from the work
 * (worker/condition_fields.c). */
#include "process_internal.h"

#include "desk.h"

#include <string.h>

struct field_row {
    const char *name;
    enum field_kind kind;
    bool open; /* a map of the customer's own: any name may follow, "equipment.model" */
};

static const struct field_row rows[] = {
    {"title", FIELD_TEXT, false},
    {"problem", FIELD_TEXT, false},
    {"text", FIELD_TEXT, false},
    {"channel", FIELD_TEXT, false},
    {"impact", FIELD_TEXT, false},
    {"kind", FIELD_TEXT, false},
    {"state", FIELD_TEXT, false},
    {"priority", FIELD_NUMBER, false},
    {"queue", FIELD_TEXT, false},
    {"assignee", FIELD_TEXT, false},
    {"tags", FIELD_LIST, false},
    {"correlation", FIELD_TEXT, false},
    {"reply_pending", FIELD_BOOL, false},
    {"age_s", FIELD_NUMBER, false},
    {"equipment", FIELD_ANY, true},
    {"configuration", FIELD_ANY, true},
    {"attributes", FIELD_ANY, true},
    {"contact.name", FIELD_TEXT, false},
    {"contact.email", FIELD_TEXT, false},
    {"contact.xmpp", FIELD_TEXT, false},
    {"contact.phone", FIELD_TEXT, false},
    {"customer.id", FIELD_TEXT, false},
    {"customer.name", FIELD_TEXT, false},
    {"customer.package", FIELD_TEXT, false},
    {"customer.locale", FIELD_TEXT, false},
    {"customer.zone", FIELD_TEXT, false},
    {"customer.known", FIELD_BOOL, false},
    {"package.name", FIELD_TEXT, false},
    {"package.weight", FIELD_NUMBER, false},
    {"package.channels", FIELD_LIST, false},
    {"package.meetings", FIELD_LIST, false},
    {"event.kind", FIELD_TEXT, false},
    {"event.role", FIELD_TEXT, false},
    {"event.name", FIELD_TEXT, false},
    {"event.public", FIELD_BOOL, false},
    {"reply.text", FIELD_TEXT, false},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

enum field_kind process_field_kind(const char *field)
{
    for (size_t i = 0; i < ROWS; i++) {
        size_t len = strlen(rows[i].name);
        if (strcmp(field, rows[i].name) == 0)
            return rows[i].kind;
        if (rows[i].open && strncmp(field, rows[i].name, len) == 0 && field[len] == '.' &&
            field[len + 1] != '\0')
            return FIELD_ANY;
    }
    return FIELD_NONE;
}

void process_field_hint(const char *field, char ret[FAULTS_HINT_BYTES])
{
    const char *names[ROWS];

    for (size_t i = 0; i < ROWS; i++)
        names[i] = rows[i].name;
    faults_hint(field, names, ROWS, ret, FAULTS_HINT_BYTES);
}

/* ---- fields of few words ---- */

static const char *state_word(unsigned i)
{
    return i < STATES ? desk_state_name((enum desk_state)i) : NULL;
}

static const char *role_word(unsigned i)
{
    return i < ROLES ? desk_role_name((enum desk_role)i) : NULL;
}

/* The events that rules are run on, and "due". */
static const char *event_word(unsigned i)
{
    static const enum desk_event events[] = {EVENT_POSTED,  EVENT_COMMENTED, EVENT_REJECTED, EVENT_DECLINED,
                                             EVENT_UPDATED, EVENT_REOPENED,  EVENT_REPEATED};
    enum { EVENTS = sizeof events / sizeof events[0] };
    return i < EVENTS ? desk_event_name(events[i]) : i == EVENTS ? "due" : NULL;
}

static const char *channel_word(unsigned i)
{
    static const char *const words[] = {"ticket", "im", "phone"};
    return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

static const char *impact_word(unsigned i)
{
    static const char *const words[] = {"down", "critical", "degraded", "impaired", "request", "question"};
    return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

static const struct {
    const char *field;
    const char *(*word)(unsigned i);
} worded[] = {
    {"state", state_word},     {"event.role", role_word},          {"event.kind", event_word},
    {"channel", channel_word}, {"package.channels", channel_word}, {"package.meetings", channel_word},
    {"impact", impact_word},
};

size_t process_field_words(const char *field, const char *ret[FIELD_WORDS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof worded / sizeof worded[0]; i++)
        if (strcmp(field, worded[i].field) == 0)
            while (count < FIELD_WORDS_MAX && worded[i].word((unsigned)count) != NULL) {
                ret[count] = worded[i].word((unsigned)count);
                count++;
            }
    return count;
}

bool process_field_has_word(const char *field, const char *word)
{
    const char *words[FIELD_WORDS_MAX];
    size_t count = process_field_words(field, words);
    bool found = count == 0;

    for (size_t i = 0; i < count; i++)
        found = found || strcmp(words[i], word) == 0;
    return found;
}
