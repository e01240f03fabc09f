/* Mustache templates; see mustache.h. A template is first cut into tokens, sections tied to their ends, then
 * walked. */
#include "mustache.h"
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum token_kind {
    TOKEN_TEXT,
    TOKEN_VARIABLE,
    TOKEN_RAW,
    TOKEN_SECTION,
    TOKEN_INVERTED,
    TOKEN_CLOSE,
    TOKEN_PARTIAL,
    TOKEN_COMMENT
};

struct token {
    enum token_kind kind;
    struct span text;   /* of TEXT the text, else the name */
    struct span indent; /* of a PARTIAL alone on its line */
    size_t end;         /* of a section: its CLOSE */
    const char *tag;    /* where it begins */
    size_t line;
};

struct tokens {
    struct token *items;
    size_t count, cap;
    struct token wrong; /* when they could not be cut or tied: there */
};

/* The stack of contexts, innermost first. */
struct scope {
    const struct wire_val *value;
    const struct scope *outer;
};

/* Reading costs too: a partial that is used again and again is cut again each time. */
enum { BYTES_A_STEP = 64, NAMES_A_STEP = 16 };

struct render {
    enum mustache_escape escape;
    mustache_partial_fn *partial;
    void *arg;
    struct buf *out;
    struct err *err;
    size_t steps;
};

/* ---- reading ---- */

static void tokens_add(struct tokens *tokens, struct token token)
{
    if (tokens->count == tokens->cap) {
        tokens->cap = tokens->cap == 0 ? 32 : tokens->cap * 2;
        tokens->items = mem_grow(tokens->items, tokens->cap, sizeof *tokens->items);
    }
    tokens->items[tokens->count++] = token;
}

static void tokens_add_text(struct tokens *tokens, const char *from, const char *to, size_t line)
{
    tokens_add(tokens, (struct token){.kind = TOKEN_TEXT,
                                      .text = {from, (size_t)(to - from)},
                                      .tag = from,
                                      .line = line});
}

static struct span span_trim(struct span s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
        s.p++, s.len--;
    while (s.len > 0 && strchr(" \t\r\n", s.p[s.len - 1]) != NULL)
        s.len--;
    return s;
}

static const char *span_search(const char *from, const char *end, const char *what)
{
    size_t len = strlen(what);

    while (from + len <= end && (from = memchr(from, what[0], (size_t)(end - from) - len + 1)) != NULL) {
        if (memcmp(from, what, len) == 0)
            return from;
        from++;
    }
    return NULL;
}

static const struct {
    char sigil;
    enum token_kind kind;
} sigils[] = {{'#', TOKEN_SECTION}, {'^', TOKEN_INVERTED}, {'/', TOKEN_CLOSE}, {'>', TOKEN_PARTIAL},
              {'!', TOKEN_COMMENT}, {'&', TOKEN_RAW},      {'{', TOKEN_RAW}};

/* Reads the tag that begins at p ("{{"); *ret_end gets what follows it. */
static bool tag_read(const char *p, const char *end, struct token *ret, const char **ret_end, struct err *err)
{
    const char *from = p + 2;
    struct token token = {.kind = TOKEN_VARIABLE, .tag = p, .line = ret->line};
    const char *closing = "}}";

    for (size_t i = 0; from < end && i < sizeof sigils / sizeof sigils[0]; i++)
        if (*from == sigils[i].sigil)
            token.kind = sigils[i].kind;
    if (from < end && *from == '=')
        return err_set(err, ERR_INVALID, "delimiters cannot be changed");
    if (from < end && *from == '{')
        closing = "}}}";
    if (token.kind != TOKEN_VARIABLE)
        from++;
    const char *to = span_search(from, end, closing);
    if (to == NULL)
        return err_set(err, ERR_INVALID, "a tag is not closed by %s", closing);
    token.text = span_trim((struct span){from, (size_t)(to - from)});
    if (token.text.len == 0 && token.kind != TOKEN_COMMENT)
        return err_set(err, ERR_INVALID, "a tag without a name");
    *ret = token;
    *ret_end = to + strlen(closing);
    return true;
}

static bool token_may_stand_alone(enum token_kind kind)
{
    return kind == TOKEN_SECTION || kind == TOKEN_INVERTED || kind == TOKEN_CLOSE || kind == TOKEN_PARTIAL ||
           kind == TOKEN_COMMENT;
}

/* Whether the tag p..end_of_tag is alone on its line; then the blanks before it and the rest of its line
 * belong to it. */
static bool tag_stands_alone(struct span text, const char *p, const char *after, const char **ret_start,
                             const char **ret_after)
{
    const char *start = p, *end = text.p + text.len;

    while (start > text.p && (start[-1] == ' ' || start[-1] == '\t'))
        start--;
    if (start > text.p && start[-1] != '\n')
        return false;
    while (after < end && (*after == ' ' || *after == '\t'))
        after++;
    if (after + 1 < end && after[0] == '\r' && after[1] == '\n')
        after++;
    if (after < end && *after != '\n')
        return false;
    *ret_start = start;
    *ret_after = after < end ? after + 1 : after;
    return true;
}

static size_t lines_in(const char *from, const char *to)
{
    size_t lines = 0;
    for (; from < to; from++)
        lines += *from == '\n';
    return lines;
}

static bool tokens_cut(struct span text, struct tokens *tokens, struct err *err)
{
    const char *at = text.p, *end = text.p + text.len, *done = text.p;
    size_t line = 1, done_line = 1;

    while (at < end) {
        const char *p = span_search(at, end, "{{");
        if (p == NULL)
            break;
        line += lines_in(at, p);
        struct token token = {.tag = p, .line = line};
        const char *after = p, *start = p;
        if (!tag_read(p, end, &token, &after, err)) {
            tokens->wrong = token;
            return false;
        }
        line += lines_in(p, after);
        at = after;
        if (token_may_stand_alone(token.kind) && tag_stands_alone(text, p, after, &start, &after)) {
            if (token.kind == TOKEN_PARTIAL)
                token.indent = (struct span){start, (size_t)(p - start)};
            line += lines_in(at, after);
            at = after;
        }
        if (start > done)
            tokens_add_text(tokens, done, start, done_line);
        tokens_add(tokens, token);
        done = at;
        done_line = line;
    }
    if (done < end)
        tokens_add_text(tokens, done, end, done_line);
    return true;
}

/* Ties each section to its end. */
static bool tokens_tie(struct tokens *tokens, struct err *err)
{
    size_t open[MUSTACHE_DEPTH_MAX], depth = 0;

    for (size_t i = 0; i < tokens->count; i++) {
        struct token *token = &tokens->items[i];
        if (token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED) {
            if (depth == MUSTACHE_DEPTH_MAX) {
                tokens->wrong = *token;
                return err_set(err, ERR_INVALID, "sections nest deeper than %d", MUSTACHE_DEPTH_MAX);
            }
            open[depth++] = i;
        } else if (token->kind == TOKEN_CLOSE) {
            if (depth == 0 || !span_equal(tokens->items[open[depth - 1]].text, token->text)) {
                tokens->wrong = *token;
                return err_set(err, ERR_INVALID, "{{/%.*s}} closes nothing that is open",
                               (int)token->text.len, token->text.p);
            }
            tokens->items[open[--depth]].end = i;
        }
    }
    if (depth == 0)
        return true;
    tokens->wrong = tokens->items[open[depth - 1]];
    return err_set(err, ERR_INVALID, "section %.*s is not closed", (int)tokens->wrong.text.len,
                   tokens->wrong.text.p);
}

/* err: without the place, which is in tokens->wrong */
static bool tokens_read(struct span text, struct tokens *tokens, struct err *err)
{
    return tokens_cut(text, tokens, err) && tokens_tie(tokens, err);
}

/* ---- looking up ---- */

static const struct wire_val *map_find(const struct wire_val *map, struct span key, size_t *names)
{
    if (wire_type(map) != WIRE_MAP)
        return NULL;
    *names += wire_count(map);
    for (size_t i = 0; i < wire_count(map); i++)
        if (span_equal(wire_key_at(map, i), key))
            return wire_val_at(map, i);
    return NULL;
}

/* A dotted name: the first part is looked for outwards, the rest inside it. NULL: not there. */
static const struct wire_val *scope_find(struct render *r, const struct scope *scope, struct span name)
{
    size_t names = 0;

    if (span_is(name, "."))
        return scope->value;
    const char *dot = memchr(name.p, '.', name.len);
    struct span first = {name.p, dot == NULL ? name.len : (size_t)(dot - name.p)};
    const struct wire_val *found = NULL;
    for (; scope != NULL && found == NULL; scope = scope->outer)
        found = map_find(scope->value, first, &names);
    while (dot != NULL && found != NULL) {
        struct span rest = {dot + 1, name.len - (size_t)(dot + 1 - name.p)};
        dot = memchr(rest.p, '.', rest.len);
        if (dot != NULL)
            rest.len = (size_t)(dot - rest.p);
        found = map_find(found, rest, &names);
    }
    r->steps += names / NAMES_A_STEP;
    return found;
}

static bool value_is_true(const struct wire_val *value)
{
    bool truth = true;
    if (wire_type(value) == WIRE_NIL)
        return false;
    if (wire_type(value) == WIRE_LIST)
        return wire_count(value) > 0;
    return !wire_get_bool(value, &truth) || truth;
}

/* ---- writing ---- */

static void put_html(struct buf *out, struct span text)
{
    static const struct {
        char letter;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

    for (size_t i = 0; i < text.len; i++) {
        const char *entity = NULL;
        for (size_t e = 0; e < sizeof entities / sizeof entities[0]; e++)
            if (text.p[i] == entities[e].letter)
                entity = entities[e].entity;
        if (entity != NULL)
            buf_add_text(out, entity);
        else
            buf_add(out, &text.p[i], 1);
    }
}

/* Inside a JSON string: its quotes are the template's. */
static void put_json(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.p[i];
        if (byte == '"' || byte == '\\')
            buf_printf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            buf_printf(out, "\\u%04x", byte);
        else
            buf_add(out, &text.p[i], 1);
    }
}

static void put_value(struct render *r, const struct wire_val *value, bool raw)
{
    char number[40];
    struct span text;
    int64_t integer;
    double real;
    bool truth;

    if (wire_get_str(value, &text))
        ;
    else if (wire_get_int(value, &integer))
        text = ((void)snprintf(number, sizeof number, "%lld", (long long)integer), span_of(number));
    else if (wire_get_float(value, &real))
        text = ((void)snprintf(number, sizeof number, "%.15g", real), span_of(number));
    else if (wire_get_bool(value, &truth))
        text = span_of(truth ? "true" : "false");
    else
        return;
    if (raw || r->escape == MUSTACHE_TEXT)
        buf_add_span(r->out, text);
    else if (r->escape == MUSTACHE_JSON)
        put_json(r->out, text);
    else
        put_html(r->out, text);
}

static bool render_text(struct render *r, struct span text, const struct scope *scope, size_t depth);

/* A partial alone on its line is indented as its tag was: each line of the partial's text. */
static bool render_partial(struct render *r, const struct token *token, const struct scope *scope,
                           size_t depth)
{
    struct span text = r->partial == NULL ? SPAN_NONE : r->partial(r->arg, token->text);
    struct buf indented;
    bool ok;

    if (text.len == 0)
        return true;
    if (depth == MUSTACHE_DEPTH_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "line %zu: partials nest deeper than %d", token->line,
                       MUSTACHE_DEPTH_MAX);
    if (token->indent.len == 0)
        return render_text(r, text, scope, depth + 1);
    buf_init(&indented, 4 * MUSTACHE_TEMPLATE_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++) {
        if (i == 0 || text.p[i - 1] == '\n')
            buf_add_span(&indented, token->indent);
        buf_add(&indented, &text.p[i], 1);
    }
    ok = indented.failed ? err_set(r->err, ERR_TOO_LARGE, "line %zu: the partial is too large", token->line)
                         : render_text(r, buf_span(&indented), scope, depth + 1);
    buf_clear(&indented);
    return ok;
}

static bool render_tokens(struct render *r, const struct tokens *t, size_t from, size_t to,
                          const struct scope *scope, size_t depth);

static bool render_section(struct render *r, const struct tokens *t, size_t i, const struct scope *scope,
                           size_t depth)
{
    const struct token *token = &t->items[i];
    const struct wire_val *value = scope_find(r, scope, token->text);
    bool is_true = value_is_true(value);

    if (token->kind == TOKEN_INVERTED)
        return is_true || render_tokens(r, t, i + 1, token->end, scope, depth);
    if (!is_true)
        return true;
    bool is_list = wire_type(value) == WIRE_LIST;
    size_t count = is_list ? wire_count(value) : 1;
    for (size_t n = 0; n < count; n++) {
        struct scope inner = {is_list ? wire_at(value, n) : value, scope};
        if (!render_tokens(r, t, i + 1, token->end, &inner, depth))
            return false;
    }
    return true;
}

static bool render_tokens(struct render *r, const struct tokens *t, size_t from, size_t to,
                          const struct scope *scope, size_t depth)
{
    for (size_t i = from; i < to; i++) {
        const struct token *token = &t->items[i];
        if (++r->steps > MUSTACHE_STEPS_MAX)
            return err_set(r->err, ERR_TOO_LARGE, "line %zu: more than %d steps", token->line,
                           MUSTACHE_STEPS_MAX);
        if (r->out->failed)
            return err_set(r->err, ERR_TOO_LARGE, "the text is longer than %zu bytes", r->out->max);
        if (token->kind == TOKEN_TEXT) {
            buf_add_span(r->out, token->text);
        } else if (token->kind == TOKEN_VARIABLE || token->kind == TOKEN_RAW) {
            put_value(r, scope_find(r, scope, token->text), token->kind == TOKEN_RAW);
        } else if (token->kind == TOKEN_PARTIAL) {
            if (!render_partial(r, token, scope, depth))
                return false;
        } else if (token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED) {
            if (!render_section(r, t, i, scope, depth))
                return false;
            i = token->end;
        }
    }
    return true;
}

static bool render_text(struct render *r, struct span text, const struct scope *scope, size_t depth)
{
    struct tokens tokens = {.count = 0};
    r->steps += text.len / BYTES_A_STEP;
    bool ok = tokens_read(text, &tokens, r->err) ? render_tokens(r, &tokens, 0, tokens.count, scope, depth)
                                                 : err_prefix(r->err, "line %zu: ", tokens.wrong.line);
    free(tokens.items);
    return ok;
}

bool mustache_render(struct span text, const struct wire_val *context, enum mustache_escape escape,
                     mustache_partial_fn *partial, void *arg, struct buf *out, struct err *err)
{
    struct render r = {.escape = escape, .partial = partial, .arg = arg, .out = out, .err = err};
    struct scope scope = {context, NULL};

    if (text.len > 4 * MUSTACHE_TEMPLATE_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "the template is longer than %d bytes",
                       4 * MUSTACHE_TEMPLATE_BYTES_MAX);
    if (!render_text(&r, text, &scope, 0))
        return false;
    return !out->failed || err_set(err, ERR_TOO_LARGE, "the text is longer than %zu bytes", out->max);
}

/* ---- checking ---- */

enum { FAULT_BYTES = 400 };

/* The paths of the open sections, innermost first. */
struct place {
    const char *path; /* "" at the top */
    const struct place *outer;
};

/* Which text is looked at: the template, or a partial that it uses. */
struct source {
    struct span text;
    const struct token *tag;   /* by which the template uses it; NULL: it is the template */
    const struct source *user; /* of a partial: the template, by its text */
    char within[FAULT_BYTES];  /* "partial NAME, " */
};

struct check {
    mustache_known_fn *known;
    mustache_partial_fn *partial;
    mustache_fault_fn *fault;
    void *arg;
    size_t steps, faults;
};

/* In letters, from 1. */
static size_t column_of(struct span text, const char *tag)
{
    size_t column = 1;

    for (const char *p = tag; p > text.p && p[-1] != '\n'; p--)
        column += ((unsigned char)p[-1] & 0xc0) != 0x80;
    return column;
}

static void check_fault(struct check *check, const struct source *source, const struct token *token,
                        const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void check_fault(struct check *check, const struct source *source, const struct token *token,
                        const char *fmt, ...)
{
    char what[FAULT_BYTES], all[2 * FAULT_BYTES + 64];
    size_t column = column_of(source->text, token->tag);
    va_list args;

    check->faults++;
    if (check->fault == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    if (source->tag == NULL) {
        check->fault(check->arg, token->line, column, what);
        return;
    }
    (void)snprintf(all, sizeof all, "%sline %zu, column %zu: %s", source->within, token->line, column, what);
    check->fault(check->arg, source->tag->line, column_of(source->user->text, source->tag->tag), all);
}

static void path_join(const char *path, struct span name, char ret[MUSTACHE_PATH_BYTES])
{
    (void)snprintf(ret, MUSTACHE_PATH_BYTES, "%s%s%.*s", path, path[0] == '\0' ? "" : ".", (int)name.len,
                   name.p);
}

/* Where the first part of a name is known the whole name must be, as when rendering. */
static bool name_find(const struct check *check, const struct place *place, struct span name,
                      char ret[MUSTACHE_PATH_BYTES])
{
    const char *dot = memchr(name.p, '.', name.len);
    struct span first = {name.p, dot == NULL ? name.len : (size_t)(dot - name.p)};

    if (span_is(name, ".")) {
        (void)snprintf(ret, MUSTACHE_PATH_BYTES, "%s", place->path);
        return true;
    }
    for (; place != NULL; place = place->outer) {
        path_join(place->path, first, ret);
        if (!check->known(check->arg, ret))
            continue;
        path_join(place->path, name, ret);
        return check->known(check->arg, ret);
    }
    return false;
}

static bool check_text(struct check *check, const struct source *source, const struct place *place,
                       size_t depth);

/* Returns whether to go on, as do those below. */
static bool check_partial(struct check *check, const struct source *source, const struct token *token,
                          const struct place *place, size_t depth)
{
    struct span text = check->partial == NULL ? SPAN_NONE : check->partial(check->arg, token->text);
    struct source inner = {.text = text, .tag = source->tag, .user = source->user};

    if (text.p == NULL) {
        check_fault(check, source, token, "there is no partial %.*s", (int)token->text.len, token->text.p);
        return true;
    }
    if (depth == MUSTACHE_DEPTH_MAX) {
        check_fault(check, source, token, "partials nest deeper than %d", MUSTACHE_DEPTH_MAX);
        return false;
    }
    if (source->tag == NULL) {
        inner.tag = token;
        inner.user = source;
        (void)snprintf(inner.within, sizeof inner.within, "partial %.*s, ", (int)token->text.len,
                       token->text.p);
    } else {
        (void)snprintf(inner.within, sizeof inner.within, "%.200sline %zu, column %zu: partial %.*s, ",
                       source->within, token->line, column_of(source->text, token->tag), (int)token->text.len,
                       token->text.p);
    }
    return check_text(check, &inner, place, depth + 1);
}

static bool check_tokens(struct check *check, const struct source *source, const struct tokens *t,
                         size_t from, size_t to, const struct place *place, size_t depth)
{
    for (size_t i = from; i < to; i++) {
        const struct token *token = &t->items[i];
        char path[MUSTACHE_PATH_BYTES];
        bool section = token->kind == TOKEN_SECTION || token->kind == TOKEN_INVERTED;

        if (++check->steps > MUSTACHE_STEPS_MAX) {
            check_fault(check, source, token, "more than %d steps", MUSTACHE_STEPS_MAX);
            return false;
        }
        if (token->kind == TOKEN_PARTIAL && !check_partial(check, source, token, place, depth))
            return false;
        if (!section && token->kind != TOKEN_VARIABLE && token->kind != TOKEN_RAW)
            continue;
        bool known = name_find(check, place, token->text, path);
        if (!known)
            check_fault(check, source, token, "unknown variable \"%.*s\"", (int)token->text.len,
                        token->text.p);
        if (!section)
            continue;
        /* What stands in a section nobody knows cannot be judged. */
        struct place inner = {path, place};
        if (known && !check_tokens(check, source, t, i + 1, token->end,
                                   token->kind == TOKEN_SECTION ? &inner : place, depth))
            return false;
        i = token->end;
    }
    return true;
}

static bool check_text(struct check *check, const struct source *source, const struct place *place,
                       size_t depth)
{
    struct tokens tokens = {.count = 0};
    struct err err = {.code = ERR_NONE};
    bool ok = true;

    check->steps += source->text.len / BYTES_A_STEP;
    if (tokens_read(source->text, &tokens, &err))
        ok = check_tokens(check, source, &tokens, 0, tokens.count, place, depth);
    else
        check_fault(check, source, &tokens.wrong, "%s", err.msg);
    free(tokens.items);
    return ok;
}

bool mustache_check(struct span text, mustache_known_fn *known, mustache_partial_fn *partial,
                    mustache_fault_fn *fault, void *arg)
{
    struct check check = {.known = known, .partial = partial, .fault = fault, .arg = arg};
    const struct source source = {.text = text};
    const struct place top = {"", NULL};
    char what[FAULT_BYTES];

    if (text.len <= MUSTACHE_TEMPLATE_BYTES_MAX)
        return check_text(&check, &source, &top, 0) && check.faults == 0;
    (void)snprintf(what, sizeof what, "the template is longer than %d bytes", MUSTACHE_TEMPLATE_BYTES_MAX);
    if (fault != NULL)
        fault(arg, 1, 1, what);
    return false;
}
