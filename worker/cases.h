/* Cases of a process (the YAML files in tests/; docs/process.md, "Cases"): a ticket in, steps with times, what must be true after each.
 *
 * Runs them on a ticket in memory (trial.h) and prints as a test runner does, with what was wanted and what was there. */
#ifndef DOCKET_CASES_H
#define DOCKET_CASES_H

#include "engine.h"
#include "faults.h"

#include <stdio.h>

struct cases_count {
    size_t passed, failed;
};

/* Runs all cases of the engine's process.
 * in:  only    run those whose name has this text; NULL: all
 *      out     what is printed; NULL: nothing
 * out: count   added to
 *      faults  what is not of the form of a case; false then */
bool cases_run(const struct engine *engine, const char *only, FILE *out, struct cases_count *count,
               struct faults *faults) __attribute__((warn_unused_result));

#endif
