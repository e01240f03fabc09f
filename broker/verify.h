/* The invariants that a database can show (docs/operations.md, "Invariants"), checked on one snapshot of a live system. */
#ifndef DOCKET_VERIFY_H
#define DOCKET_VERIFY_H

#include "err.h"
#include "settings_broker.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints a line for each invariant with its count. Blocks: a subcommand, never on a loop.
 * in:  settings  of the broker whose memory is compared with what it owns (S7b); that line is not judged when it does not answer
 * out: ret_ok    whether all hold
 * err: ERR_UNAVAILABLE  the database is away; ERR_INTERNAL  a statement failed */
bool verify_run(const struct broker_settings *settings, FILE *out, bool *ret_ok, struct err *err)
    __attribute__((warn_unused_result));

#endif
