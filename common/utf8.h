/* Text as UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), which is all that the protocol and JSON know as text. */
#ifndef DOCKET_UTF8_H
#define DOCKET_UTF8_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes are valid UTF-8 without NUL; *ret_points (may be NULL) gets the number of code points. */
bool utf8_check(struct span text, size_t *ret_points);

/* How many bytes at the beginning are; *ret_points (may be NULL) gets their number of code points. */
size_t utf8_until(struct span text, size_t *ret_points);

/* Puts a question mark in place of each byte that belongs to no letter: of words that were cut by bytes, as printf does, or
 * that were read where nobody checked them. */
void utf8_mend(char *text);

#endif
