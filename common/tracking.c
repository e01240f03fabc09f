/* Ticket ids and tracking numbers; see tracking.h. */
#include "tracking.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LETTERS = 12, LETTER_BITS = 5, LETTER_MASK = 31 };

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int64_t tracking_id(int64_t second, unsigned slot, unsigned counter)
{
    assert(second >= 0 && second < INT64_C(1) << TRACKING_SECOND_BITS);
    assert(slot < TRACKING_SLOTS && counter < TRACKING_COUNTERS);
    return second << (TRACKING_SLOT_BITS + TRACKING_COUNTER_BITS) | (int64_t)slot << TRACKING_COUNTER_BITS |
           (int64_t)counter;
}

/* Multiplication by α = 2 in GF(32) with x⁵ + x² + 1. */
static unsigned gf_double(unsigned a)
{
    a <<= 1;
    return a & 32 ? (a ^ 0x25) & LETTER_MASK : a;
}

/* Σ aᵢ·αⁱ by Horner's rule from the right: α(a₁ + α(a₂ + … + α·a₁₂)). */
static unsigned tracking_check(const unsigned char digits[LETTERS])
{
    unsigned sum = 0;
    for (int i = LETTERS - 1; i >= 0; i--)
        sum = gf_double(sum ^ digits[i]);
    return sum;
}

bool tracking_prefix_check(const char *text, struct err *err)
{
    size_t len = strlen(text);
    if (len > 0 && len <= TRACKING_PREFIX_MAX && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len)
        return true;
    return err_set(err, ERR_INVALID, "\"%.20s\" is not allowed, want 1 to %d letters A-Z", text,
                   TRACKING_PREFIX_MAX);
}

void tracking_format(int64_t id, const char *prefix, char *ret)
{
    unsigned char digits[LETTERS];
    char letters[LETTERS];

    for (int i = LETTERS - 1; i >= 0; i--, id >>= LETTER_BITS) {
        digits[i] = (unsigned char)(id & LETTER_MASK);
        letters[i] = alphabet[digits[i]];
    }
    (void)snprintf(ret, TRACKING_TEXT_BYTES, "%.8s-%.4s-%.4s-%.4s-%c", prefix, letters, letters + 4,
                   letters + 8, alphabet[tracking_check(digits)]);
}

/* The value of a letter, -1 when it is none of ours (U is never used; O, I and L are read as digits). */
static int tracking_digit(char letter)
{
    int upper = toupper((unsigned char)letter);
    if (upper == 'O')
        return 0;
    if (upper == 'I' || upper == 'L')
        return 1;
    const char *at = upper == '\0' ? NULL : strchr(alphabet, upper);
    return at == NULL ? -1 : (int)(at - alphabet);
}

static bool tracking_has_prefix(struct span text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (text.len <= len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (toupper((unsigned char)text.p[i]) != prefix[i])
            return false;
    return true;
}

/* Thirteen letters, dashes anywhere between them; false when there are more, fewer or others. */
static bool tracking_digits(struct span text, unsigned char ret[LETTERS + 1])
{
    int n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '-')
            continue;
        int digit = tracking_digit(text.p[i]);
        if (digit < 0 || n > LETTERS)
            return false;
        ret[n++] = (unsigned char)digit;
    }
    return n == LETTERS + 1;
}

bool tracking_parse(struct span text, const char *prefix, int64_t *ret_id, struct err *err)
{
    unsigned char digits[LETTERS + 1];
    struct span rest = text;

    if (text.len > 64)
        return err_field(err, ERR_INVALID, "tracking", "not a tracking number: it is longer than 64 bytes");
    /* A prefix may be made of letters that are digits too, so the form without prefix is tried first. */
    if (!tracking_digits(rest, digits)) {
        if (tracking_has_prefix(rest, prefix)) {
            rest.p += strlen(prefix);
            rest.len -= strlen(prefix);
        }
        if (!tracking_digits(rest, digits))
            return err_field(err, ERR_INVALID, "tracking",
                             "not a tracking number: want %s-XXXX-XXXX-XXXX-X, got \"%.*s\"", prefix,
                             (int)text.len, text.p);
    }
    if (tracking_check(digits) != digits[LETTERS])
        return err_field(
            err, ERR_INVALID, "tracking",
            "the check letter of tracking number \"%.*s\" does not fit: a letter is wrong or two are swapped",
            (int)text.len, text.p);
    int64_t id = 0;
    for (int i = 0; i < LETTERS; i++)
        id = id << LETTER_BITS | digits[i];
    *ret_id = id;
    return true;
}
