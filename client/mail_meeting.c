/* What an answer to an invitation (iTIP REPLY, COUNTER) says: who, to which meeting, how. Pure. */
#include "mail_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { UNFOLDED_BYTES_MAX = 64 << 10 };

/* The next line without what folded it; false at the end. */
static bool next_line(struct span *text, struct buf *ret)
{
    if (text->len == 0)
        return false;
    buf_reset(ret);
    for (;;) {
        const char *end = memchr(text->p, '\n', text->len);
        size_t len = end == NULL ? text->len : (size_t)(end - text->p), step = end == NULL ? len : len + 1;
        (void)buf_add(ret, text->p, len != 0 && text->p[len - 1] == '\r' ? len - 1 : len);
        *text = (struct span){text->p + step, text->len - step};
        if (text->len == 0 || (text->p[0] != ' ' && text->p[0] != '\t'))
            return true;
        *text = (struct span){text->p + 1, text->len - 1};
    }
}

/* Whether it is the property; then its parameters (with the ; before them) and its value. */
static bool line_is(const char *line, const char *name, struct span *ret_params, struct span *ret_value)
{
    size_t len = strlen(name);
    bool quoted = false;
    const char *p = line + len;

    if (strncasecmp(line, name, len) != 0 || (*p != ';' && *p != ':'))
        return false;
    for (; *p != '\0' && (quoted || *p != ':'); p++)
        quoted = quoted != (*p == '"');
    *ret_params = (struct span){line + len, (size_t)(p - line) - len};
    *ret_value = *p == '\0' ? span_of("") : span_of(p + 1);
    return true;
}

static struct span param_of(struct span params, const char *name)
{
    size_t len = strlen(name), n = 0;

    for (size_t i = 0; i + len < params.len; i++)
        if (params.p[i] == ';' && i + 1 + len < params.len && strncasecmp(params.p + i + 1, name, len) == 0 &&
            params.p[i + 1 + len] == '=') {
            const char *value = params.p + i + 2 + len;
            while (value + n < params.p + params.len && value[n] != ';')
                n++;
            return (struct span){value, n};
        }
    return span_of("");
}

static void copy(struct span from, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%.*s", from.len < size ? (int)from.len : 0, from.len == 0 ? "" : from.p);
}

/* The sender's own line says it; else the first that says anything. */
static void read_attendee(struct span params, struct span value, const char *from, struct mail_answer *ret)
{
    static const char scheme[] = "mailto:";
    struct span said = param_of(params, "PARTSTAT");

    if (value.len < sizeof scheme || strncasecmp(value.p, scheme, sizeof scheme - 1) != 0 || said.len == 0)
        return;
    value = (struct span){value.p + sizeof scheme - 1, value.len - (sizeof scheme - 1)};
    bool is_sender = value.len == strlen(from) && strncasecmp(value.p, from, value.len) == 0;
    if (ret->said[0] != '\0' && !is_sender)
        return;
    ret->is_sender = is_sender;
    copy(value, ret->attendee, sizeof ret->attendee);
    copy(said, ret->said, sizeof ret->said);
}

/* What the part is said to be; some programs say it inside alone. */
static bool method_of(const struct wire_val *calendar, char *ret, size_t size)
{
    struct span text = wire_find_str(calendar, "text"), params, value;
    struct buf line;

    copy(wire_find_str(calendar, "method"), ret, size);
    buf_init(&line, UNFOLDED_BYTES_MAX);
    while (ret[0] == '\0' && next_line(&text, &line))
        if (line_is(buf_text(&line), "METHOD", &params, &value))
            copy(value, ret, size);
    buf_clear(&line);
    return ret[0] != '\0';
}

bool mail_answer_read(const struct mail_view *view, struct mail_answer *ret)
{
    const struct wire_val *calendar = wire_find(view->facts, "calendar");
    struct span text = wire_find_str(calendar, "text"), params, value;
    char method_text[32];
    struct buf line;

    *ret = (struct mail_answer){.sequence = -1};
    if (text.p == NULL || !method_of(calendar, method_text, sizeof method_text))
        return false;
    ret->is_counter = strcasecmp(method_text, "COUNTER") == 0;
    if (!ret->is_counter && strcasecmp(method_text, "REPLY") != 0)
        return false;
    buf_init(&line, UNFOLDED_BYTES_MAX);
    while (next_line(&text, &line)) {
        const char *p = buf_text(&line);
        if (line_is(p, "UID", &params, &value))
            copy(value, ret->uid, sizeof ret->uid);
        else if (line_is(p, "SEQUENCE", &params, &value))
            ret->sequence = strtoll(value.p, NULL, 10); /* ends with the line */
        else if (line_is(p, "DTSTART", &params, &value))
            copy(value, ret->start, sizeof ret->start);
        else if (line_is(p, "ATTENDEE", &params, &value))
            read_attendee(params, value, view->from, ret);
    }
    buf_clear(&line);
    return true;
}

const char *mail_answer_word(const struct mail_answer *answer)
{
    static const char *const words[][2] = {{"ACCEPTED", "accepted"},
                                           {"DECLINED", "declined"},
                                           {"TENTATIVE", "tentative"}};

    if (answer->is_counter)
        return "counter";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(answer->said, words[i][0]) == 0)
            return words[i][1];
    return NULL;
}

bool mail_answer_meeting(const struct mail_answer *answer, const char *tracking, char *ret, size_t size)
{
    const char *at = strchr(answer->uid, '@');
    size_t len = at == NULL ? 0 : (size_t)(at - answer->uid);

    if (len == 0 || len >= size || strncasecmp(at + 1, tracking, strlen(tracking)) != 0 ||
        strcmp(at + 1 + strlen(tracking), ".docket") != 0)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)answer->uid[i]))
            return false;
    (void)snprintf(ret, size, "%.*s", (int)len, answer->uid);
    return true;
}
