/* The statements of the broker's three sessions; see statements.h. */
#include "statements.h"
#include "embed.h"
#include "mem.h"

#include <assert.h>
#include <stdio.h>

#define STATEMENT_NAME(id, name) name,
static const char *const writer_names[] = {WRITER_STATEMENTS(STATEMENT_NAME)};
static const char *const control_names[] = {CONTROL_STATEMENTS(STATEMENT_NAME)};
static const char *const reader_names[] = {STATEMENTS_READER(STATEMENT_NAME)};

#define ROWS(names) names, sizeof(names) / sizeof((names)[0])
static const struct {
    const char *const *names;
    size_t count;
} sessions[] = {
    [SESSION_WRITER] = {ROWS(writer_names)},
    [SESSION_CONTROL] = {ROWS(control_names)},
    [SESSION_READER] = {ROWS(reader_names)},
};

struct pg_statement *statements_new(enum statements_session session, size_t *ret_count)
{
    size_t count = sessions[session].count;
    struct pg_statement *list = mem_new(count, sizeof *list);

    for (size_t i = 0; i < count; i++) {
        char file[80];
        (void)snprintf(file, sizeof file, "%s.sql", sessions[session].names[i]);
        const struct embed_file *sql = embed_find(broker_sql, broker_sql_count, file);
        assert(sql != NULL); /* every name is a file that is built in */
        list[i] = (struct pg_statement){sessions[session].names[i], (const char *)sql->data};
    }
    *ret_count = count;
    return list;
}
