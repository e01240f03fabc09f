/* Patterns of rules: PCRE2 within bounds, so that no pattern and no text can hold a worker up.
 *
 * Interpreted, never compiled to machine code: PCRE2's JIT counts no steps, and wants memory that is both written and run. */
#ifndef DOCKET_PATTERN_H
#define DOCKET_PATTERN_H

#include "buf.h"

#include <stddef.h>

struct pattern;

/* What went wrong with a text that is no pattern. */
struct pattern_fault {
    char why[160];
    size_t letter; /* of the text, from 0 */
};

/* Compiles a Perl pattern (pcre2pattern(3)) for UTF-8. NULL and the fault when it is none, or nests too deep.
 * The caller frees it with pattern_free, which accepts NULL. */
struct pattern *pattern_new(const char *text, struct pattern_fault *ret_fault);
void pattern_free(struct pattern *pattern);

/* What searches need beside the pattern; not for two threads at a time. Aborts when there is no memory. */
struct pattern_search *pattern_search_new(void);
void pattern_search_free(struct pattern_search *search); /* accepts NULL */

/* Whether the pattern, which learns from it what its matches begin with, matches anywhere in the first 16 KiB of valid UTF-8 text.
 * 1: yes; 0: no; negative: it passed its limit of steps, depth or memory, by PCRE2's number. */
int pattern_find(const struct pattern *pattern, struct pattern_search *search, struct span text);

#endif
