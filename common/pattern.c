/* Patterns; see pattern.h. */
#include "pattern.h"
#include "mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    PARENS_MAX = 100,
    SUBJECT_BYTES_MAX = 16 * 1024,
    MATCH_LIMIT = 10000,      /* steps at one place of the text, */
    MATCH_LIMIT_LEAST = 1000, /* fewer in a long one: */
    MATCH_STEPS = 20000000,   /* at all places together */
    PAIR_MATCH_LIMIT = 100,
    DEPTH_LIMIT = 1000,
    HEAP_LIMIT_KIB = 8192
};

enum { ASCII = 128, BYTES = 256 };

/* Which two letters of ASCII a match can begin with, found out by asking PCRE2 itself when the first of them is met for the first time. */
struct pairs {
    bool known[ASCII];
    uint8_t second[ASCII][ASCII / 8];
};

/* What a byte is for \b. */
enum {
    SIDE_BLANK = 1,
    SIDE_WORD = 2,
    SIDE_UNKNOWN = 4, /* beyond ASCII */
    SIDES = SIDE_BLANK | SIDE_WORD | SIDE_UNKNOWN
};

/* Where a pattern that begins with \b can match at all. A table, for most of a search looks at bytes where it cannot. */
struct places {
    uint8_t side[BYTES];
    uint8_t after[BYTES]; /* what may stand before a byte that a match can begin with; 0: none does */
    bool at_end;          /* behind the last byte too */
};

struct pattern {
    pcre2_code *code;
    struct places *places; /* it begins with \b; NULL: it can match anywhere */
    struct pairs *pairs;   /* NULL: two letters do not tell */
};

struct pattern_search {
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

/* ---- what it begins with ---- */

/* After the flags at the beginning, which may be i, m and s: others change how the rest is read. NULL: there are others. */
static const char *after_flags(const char *p)
{
    if (strncmp(p, "(?", 2) != 0 || strchr("ims", p[2]) == NULL || p[2] == '\0')
        return p;
    p += 2;
    p += strspn(p, "ims");
    return *p == ')' ? p + 1 : NULL;
}

/* After a class, whose [ was just passed: ] as its first letter is a letter of it. */
static const char *after_class(const char *p)
{
    p += *p == '^';
    p += *p == ']';
    for (; *p != '\0' && *p != ']'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '[' && p[1] == ':' && strstr(p, ":]") != NULL)
            p = strstr(p, ":]") + 1;
    }
    return *p == '\0' ? p : p + 1;
}

/* The next | outside of all groups, or the end. */
static const char *alternative_end(const char *p)
{
    int depth = 0;

    while (*p != '\0' && (depth > 0 || *p != '|')) {
        char c = *p++;
        if (c == '\\' && *p != '\0')
            p++;
        else if (c == '[')
            p = after_class(p);
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
    }
    return p;
}

/* Whether a group sets the flag x, free spacing. */
static bool is_free_spaced(const char *text)
{
    for (const char *p = strstr(text, "(?"); p != NULL; p = strstr(p, "(?")) {
        p += 2;
        size_t flags = strspn(p, "imnsxJU^-");
        if (memchr(p, 'x', flags) != NULL && (p[flags] == ')' || p[flags] == ':'))
            return true;
    }
    return false;
}

/* Whether each alternative begins with \b. False also for all that is not quite plain: verbs, quoting,
 * comments, free spacing, the place where a search began. */
static bool begins_at_words(const char *text)
{
    static const char *const odd[] = {"(*", "\\Q", "(?#", "\\G"};
    const char *p = after_flags(text);

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        if (strstr(text, odd[i]) != NULL)
            return false;
    if (is_free_spaced(text))
        return false;
    while (p != NULL) {
        if (strncmp(p, "\\b", 2) != 0)
            return false;
        p = alternative_end(p);
        if (*p == '\0')
            return true;
        p++;
    }
    return false;
}

/* Whether it may say more of what stands before it than \b does (a named group looks the same and is taken for that). */
static bool looks_back(const char *text)
{
    return strstr(text, "(?<") != NULL;
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* first: 256 bits, bytes that a match can begin with; NULL: any. In the middle of a letter none begins; beside letters beyond ASCII the
 * pattern itself finds out whether \b holds. */
static struct places *places_new(const uint8_t *first)
{
    struct places *places = mem_new(1, sizeof *places);

    for (unsigned c = 0; c < BYTES; c++) {
        uint8_t side = c >= ASCII ? SIDE_UNKNOWN : is_word((unsigned char)c) ? SIDE_WORD : SIDE_BLANK;
        places->side[c] = side;
        if ((c & 0xc0) != 0x80 && (first == NULL || (first[c / 8] >> c % 8 & 1) != 0))
            places->after[c] = side == SIDE_UNKNOWN ? SIDES : SIDES ^ side;
    }
    places->at_end = first == NULL;
    return places;
}

struct pattern *pattern_new(const char *text, struct pattern_fault *ret_fault)
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);

    if (context != NULL)
        (void)pcre2_set_parens_nest_limit(context, PARENS_MAX);
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text, strlen(text), PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code,
                      &offset, context);
    pcre2_compile_context_free(context);
    if (compiled == NULL) {
        *ret_fault = (struct pattern_fault){.letter = (size_t)offset};
        (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)ret_fault->why, sizeof ret_fault->why);
        return NULL;
    }
    struct pattern *pattern = mem_new(1, sizeof *pattern);
    pattern->code = compiled;
    if (begins_at_words(text)) {
        const uint8_t *first = NULL;
        (void)pcre2_pattern_info(compiled, PCRE2_INFO_FIRSTBITMAP, (void *)&first);
        pattern->places = places_new(first);
        if (first != NULL && !looks_back(text))
            pattern->pairs = mem_new(1, sizeof *pattern->pairs);
    }
    return pattern;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    free(pattern->places);
    free(pattern->pairs);
    free(pattern);
}

/* ---- searching ---- */

struct pattern_search *pattern_search_new(void)
{
    struct pattern_search *search = mem_new(1, sizeof *search);

    search->match = pcre2_match_data_create(1, NULL);
    search->limits = pcre2_match_context_create(NULL);
    if (search->match == NULL || search->limits == NULL)
        abort();
    (void)pcre2_set_depth_limit(search->limits, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(search->limits, HEAP_LIMIT_KIB);
    return search;
}

void pattern_search_free(struct pattern_search *search)
{
    if (search == NULL)
        return;
    pcre2_match_data_free(search->match);
    pcre2_match_context_free(search->limits);
    free(search);
}

/* PCRE2 counts steps anew at each place of the text, so the limit goes by its length: a pattern that tries much at every place is over a
 * hundred times slower in 16 KiB than in 1. */
static void set_match_limit(struct pattern_search *search, size_t len)
{
    size_t limit = MATCH_STEPS / (len + 1);
    (void)pcre2_set_match_limit(search->limits, (uint32_t)(limit < MATCH_LIMIT_LEAST ? MATCH_LIMIT_LEAST
                                                           : limit < MATCH_LIMIT     ? limit
                                                                                     : MATCH_LIMIT));
}

static int match_from(const struct pattern *pattern, struct pattern_search *search, struct span text,
                      size_t at, uint32_t options)
{
    int rc = pcre2_match(pattern->code, (PCRE2_SPTR)text.p, text.len, at, PCRE2_NO_UTF_CHECK | options,
                         search->match, search->limits);
    return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : rc;
}

/* A match that wants more text, or gives up, may begin with the two letters. */
static void learn_pairs(const struct pattern *pattern, struct pattern_search *search, unsigned char first)
{
    uint8_t *second = pattern->pairs->second[first];

    (void)pcre2_set_match_limit(search->limits, PAIR_MATCH_LIMIT);
    for (unsigned c = 0; c < ASCII; c++) {
        const char two[] = {(char)first, (char)c};
        if (match_from(pattern, search, (struct span){two, sizeof two}, 0,
                       PCRE2_ANCHORED | PCRE2_PARTIAL_HARD) != 0)
            second[c / 8] |= (uint8_t)(1u << c % 8);
    }
    pattern->pairs->known[first] = true;
}

/* Where a word begins, so that \b holds in front of its first two letters alone as it does here. */
static bool may_begin_pair(const struct pattern *pattern, struct pattern_search *search, struct span text,
                           size_t at)
{
    if (pattern->pairs == NULL || text.len - at < 2)
        return true;
    unsigned char first = (unsigned char)text.p[at], second = (unsigned char)text.p[at + 1];
    if (!is_word(first) || second >= ASCII)
        return true;
    if (!pattern->pairs->known[first]) {
        learn_pairs(pattern, search, first);
        set_match_limit(search, text.len);
    }
    return (pattern->pairs->second[first][second / 8] >> second % 8 & 1) != 0;
}

/* PCRE2 itself would also begin inside of words, only to find that \b does not hold there: that is half of its time. A call of it costs
 * more than what it does where the second letter is another already: that is most of the rest. */
static int find_at_words(const struct pattern *pattern, struct pattern_search *search, struct span text)
{
    const struct places *places = pattern->places;
    unsigned before = SIDE_BLANK;
    int found = 0;

    for (size_t at = 0; found == 0 && at < text.len; at++) {
        unsigned char c = (unsigned char)text.p[at];
        if ((places->after[c] & before) != 0 && may_begin_pair(pattern, search, text, at))
            found = match_from(pattern, search, text, at, PCRE2_ANCHORED);
        before = places->side[c];
    }
    if (found == 0 && places->at_end && before != SIDE_BLANK)
        found = match_from(pattern, search, text, text.len, PCRE2_ANCHORED);
    return found;
}

int pattern_find(const struct pattern *pattern, struct pattern_search *search, struct span text)
{
    if (text.len == 0)
        text.p = "";
    text = span_cut(text, SUBJECT_BYTES_MAX);
    set_match_limit(search, text.len);
    return pattern->places != NULL ? find_at_words(pattern, search, text)
                                   : match_from(pattern, search, text, 0, 0);
}
