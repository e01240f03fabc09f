/* The schema of the database: numbered SQL files that are built in (deploy/schema), each applied once, in a
 * transaction of its own.
 *
 * For subcommands and the start of a program: it blocks, so never on a running loop. Knows nothing of what
 * the files make; only the first version of the company's process, which an empty database gets here, so that
 * a worker may start at once. */
#ifndef DOCKET_MIGRATE_H
#define DOCKET_MIGRATE_H

#include "err.h"

#include <stdbool.h>

struct migrate_result {
    int applied;       /* files applied by this call */
    int number;        /* the schema's number now */
    bool made_process; /* whether the database got its first version of the process by this call */
};

/* Brings the schema up to the newest file and gives a database without a process its first version. Safe when
 * several programs run it at the same time: one works, the others wait and find it done. Interrupted at any
 * moment it can be run again. in:  dsn          of libpq process_dir  folder of the first version of the
 * process; NULL: the shipped one out: ret          may be NULL err: ERR_UNAVAILABLE  the database is away, or
 * the outcome of a commit is not known: run it again ERR_CONFLICT     the database's schema is newer than
 * this program, or a file differs from what was applied under its name ERR_INVALID      the process has
 * errors (all of them in the message), or the server refused a file ERR_IO           the process's folder
 * cannot be read */
bool migrate_run(const char *dsn, const char *process_dir, struct migrate_result *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Whether the database has exactly the schema that this program was built with.
 * in:  config_path  named in the advice; NULL: none
 * err: ERR_UNAVAILABLE  the database is away
 *      ERR_CONFLICT     it has not: one line that says what to run or install */
bool migrate_check(const char *dsn, const char *config_path, struct err *err)
    __attribute__((warn_unused_result));

#endif
