/* The plural category of a whole number in a language, by the rules of CLDR: which form of a word goes with it. Pure. */
#ifndef DOCKET_PLURAL_H
#define DOCKET_PLURAL_H

#include <stdint.h>

enum plural { PLURAL_ZERO, PLURAL_ONE, PLURAL_TWO, PLURAL_FEW, PLURAL_MANY, PLURAL_OTHER, PLURALS };

/* in: locale  "de", "de-AT"; a language without a row has that of most: one, and other
 *     n       less than 0 counts as its opposite */
enum plural plural_of(const char *locale, int64_t n);

const char *plural_name(enum plural plural); /* "zero", "one", "two", "few", "many", "other" */

#endif
