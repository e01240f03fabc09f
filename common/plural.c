/* Plural categories; see plural.h. A row of the table: a rule and the languages that have it (CLDR 44, cardinals, whole numbers). */
#include "plural.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool within(int64_t n, int64_t from, int64_t to)
{
    return n >= from && n <= to;
}

static enum plural is_one(int64_t n)
{
    return n == 1 ? PLURAL_ONE : PLURAL_OTHER;
}

static enum plural is_other(int64_t n)
{
    (void)n;
    return PLURAL_OTHER;
}

static enum plural zero_is_one(int64_t n)
{
    return n <= 1 ? PLURAL_ONE : PLURAL_OTHER;
}

static enum plural of_millions(int64_t n)
{
    return n != 0 && n % 1000000 == 0 ? PLURAL_MANY : PLURAL_OTHER;
}

static enum plural french(int64_t n)
{
    return n <= 1 ? PLURAL_ONE : of_millions(n);
}

static enum plural spanish(int64_t n)
{
    return n == 1 ? PLURAL_ONE : of_millions(n);
}

static enum plural dual(int64_t n)
{
    return n == 1 ? PLURAL_ONE : n == 2 ? PLURAL_TWO : PLURAL_OTHER;
}

static enum plural czech(int64_t n)
{
    return n == 1 ? PLURAL_ONE : within(n, 2, 4) ? PLURAL_FEW : PLURAL_OTHER;
}

static bool ends_in_two_to_four(int64_t n)
{
    return within(n % 10, 2, 4) && !within(n % 100, 12, 14);
}

static bool ends_in_one(int64_t n)
{
    return n % 10 == 1 && n % 100 != 11;
}

static enum plural polish(int64_t n)
{
    return n == 1 ? PLURAL_ONE : ends_in_two_to_four(n) ? PLURAL_FEW : PLURAL_MANY;
}

static enum plural russian(int64_t n)
{
    return ends_in_one(n) ? PLURAL_ONE : ends_in_two_to_four(n) ? PLURAL_FEW : PLURAL_MANY;
}

static enum plural serbian(int64_t n)
{
    return ends_in_one(n) ? PLURAL_ONE : ends_in_two_to_four(n) ? PLURAL_FEW : PLURAL_OTHER;
}

static enum plural icelandic(int64_t n)
{
    return ends_in_one(n) ? PLURAL_ONE : PLURAL_OTHER;
}

static enum plural lithuanian(int64_t n)
{
    bool teen = within(n % 100, 11, 19);
    return n % 10 == 1 && !teen ? PLURAL_ONE : within(n % 10, 2, 9) && !teen ? PLURAL_FEW : PLURAL_OTHER;
}

static enum plural latvian(int64_t n)
{
    return n % 10 == 0 || within(n % 100, 11, 19) ? PLURAL_ZERO : ends_in_one(n) ? PLURAL_ONE : PLURAL_OTHER;
}

static enum plural romanian(int64_t n)
{
    return n == 1 ? PLURAL_ONE : n == 0 || within(n % 100, 1, 19) ? PLURAL_FEW : PLURAL_OTHER;
}

static enum plural slovenian(int64_t n)
{
    int64_t rest = n % 100;
    return rest == 1 ? PLURAL_ONE : rest == 2 ? PLURAL_TWO : within(rest, 3, 4) ? PLURAL_FEW : PLURAL_OTHER;
}

static enum plural irish(int64_t n)
{
    return n == 1             ? PLURAL_ONE
           : n == 2           ? PLURAL_TWO
           : within(n, 3, 6)  ? PLURAL_FEW
           : within(n, 7, 10) ? PLURAL_MANY
                              : PLURAL_OTHER;
}

static enum plural gaelic(int64_t n)
{
    return n == 1 || n == 11                       ? PLURAL_ONE
           : n == 2 || n == 12                     ? PLURAL_TWO
           : within(n, 3, 10) || within(n, 13, 19) ? PLURAL_FEW
                                                   : PLURAL_OTHER;
}

static enum plural maltese(int64_t n)
{
    return n == 1                             ? PLURAL_ONE
           : n == 2                           ? PLURAL_TWO
           : n == 0 || within(n % 100, 3, 10) ? PLURAL_FEW
           : within(n % 100, 11, 19)          ? PLURAL_MANY
                                              : PLURAL_OTHER;
}

static enum plural arabic(int64_t n)
{
    return n == 0                    ? PLURAL_ZERO
           : n == 1                  ? PLURAL_ONE
           : n == 2                  ? PLURAL_TWO
           : within(n % 100, 3, 10)  ? PLURAL_FEW
           : within(n % 100, 11, 99) ? PLURAL_MANY
                                     : PLURAL_OTHER;
}

static enum plural welsh(int64_t n)
{
    static const enum plural of[] = {PLURAL_ZERO,  PLURAL_ONE,   PLURAL_TWO, PLURAL_FEW,
                                     PLURAL_OTHER, PLURAL_OTHER, PLURAL_MANY};
    return n <= 6 ? of[n] : PLURAL_OTHER;
}

static enum plural breton(int64_t n)
{
    int64_t ten = n % 100 / 10, last = n % 10;
    bool plain = ten != 1 && ten != 7 && ten != 9;

    if (plain && last == 1)
        return PLURAL_ONE;
    if (plain && last == 2)
        return PLURAL_TWO;
    return plain && (last == 3 || last == 4 || last == 9) ? PLURAL_FEW : of_millions(n);
}

static enum plural filipino(int64_t n)
{
    return n % 10 != 4 && n % 10 != 6 && n % 10 != 9 ? PLURAL_ONE : PLURAL_OTHER;
}

static const struct {
    enum plural (*rule)(int64_t n);
    const char *languages; /* each between blanks */
} rules[] = {
    {is_other, " bm bo dz id in ig ii ja jbo jv kea km ko lo ms my nqo sah ses sg su th to vi wo yo yue zh "},
    {zero_is_one, " ak am as bho bn doi fa ff gu hi hy kab kn ln mg nso pa pcm si ti wa zu "},
    {french, " fr pt "},
    {spanish, " ca es it lld scn vec "},
    {dual, " he iw iu naq sat se sma smi smj smn sms "},
    {czech, " cs sk "},
    {polish, " pl "},
    {russian, " be ru uk "},
    {serbian, " bs hr sh sr "},
    {icelandic, " is mk "},
    {lithuanian, " lt "},
    {latvian, " lv prg "},
    {romanian, " mo ro "},
    {slovenian, " dsb hsb sl "},
    {irish, " ga "},
    {gaelic, " gd "},
    {maltese, " mt "},
    {arabic, " ar ars "},
    {welsh, " cy "},
    {breton, " br "},
    {filipino, " ceb fil tl "},
};

enum plural plural_of(const char *locale, int64_t n)
{
    char language[16];
    size_t len = strcspn(locale, "-_");

    n = n == INT64_MIN ? INT64_MAX : n < 0 ? -n : n;
    if (strcmp(locale, "pt-PT") == 0)
        return spanish(n);
    if (len > 0 && len < sizeof language - 2) {
        language[0] = ' ';
        memcpy(language + 1, locale, len);
        language[len + 1] = ' ';
        language[len + 2] = '\0';
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
            if (strstr(rules[i].languages, language) != NULL)
                return rules[i].rule(n);
    }
    return is_one(n);
}

const char *plural_name(enum plural plural)
{
    static const char *const names[PLURALS] = {"zero", "one", "two", "few", "many", "other"};
    return (unsigned)plural < PLURALS ? names[plural] : "other";
}
