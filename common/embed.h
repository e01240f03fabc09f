/* Files that are built into a program: SQL statements, migrations, the shipped process (build-aux/embed). */
#ifndef DOCKET_EMBED_H
#define DOCKET_EMBED_H

#include <stddef.h>

struct embed_file {
    const char *name;          /* path below its folder, e.g. "posting.sql" */
    const unsigned char *data; /* a NUL follows the last byte */
    size_t len;
};

extern const struct embed_file broker_sql[]; /* broker/sql */
extern const size_t broker_sql_count;
extern const struct embed_file notifier_sql[]; /* notifier/sql */
extern const size_t notifier_sql_count;
extern const struct embed_file schema_files[]; /* deploy/schema, in the order of their numbers */
extern const size_t schema_files_count;
extern const struct embed_file shipped_process[]; /* deploy/process, sorted by name */
extern const size_t shipped_process_count;

/* The file of that name, or NULL. */
const struct embed_file *embed_find(const struct embed_file *files, size_t count, const char *name);

#endif
