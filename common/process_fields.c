/* The fields that conditions may look at, as a table: docs/process.md lists the same. Their values come from
 * the work (worker/rules_field.c). */
#include "process_internal.h"

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

enum field_kind process_field_kind(const char *field, const char **ret_near)
{
    const char *names[ROWS];

    for (size_t i = 0; i < ROWS; i++) {
        size_t len = strlen(rows[i].name);
        names[i] = rows[i].name;
        if (strcmp(field, rows[i].name) == 0)
            return rows[i].kind;
        if (rows[i].open && strncmp(field, rows[i].name, len) == 0 && field[len] == '.' &&
            field[len + 1] != '\0')
            return FIELD_ANY;
    }
    *ret_near = faults_near(field, names, ROWS);
    return FIELD_NONE;
}
