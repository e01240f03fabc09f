/* What a bounce says of a mail of ours: a delivery status notification (RFC 3464), or the words of a server that knows none. Pure. */
#include "mail_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { STATUS_BYTES_MAX = 10 };

/* What a group of the report says of one recipient. */
struct group {
    struct span action, status;
};

static bool span_has(struct span text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        if (strncasecmp(text.p + i, word, len) == 0)
            return true;
    return false;
}

/* The value, when the line is that field. */
static bool field_is(struct span line, const char *name, struct span *ret)
{
    size_t len = strlen(name);

    if (line.len <= len || strncasecmp(line.p, name, len) != 0 || line.p[len] != ':')
        return false;
    *ret = mail_text_trim((struct span){line.p + len + 1, line.len - len - 1});
    return true;
}

static bool is_word(struct span text, const char *word)
{
    return text.len >= strlen(word) && strncasecmp(text.p, word, strlen(word)) == 0;
}

/* What the server does decides: "failed" with a status of 4 says that it gave up trying. */
static bool group_failed(const struct group *group)
{
    if (group->action.len != 0)
        return is_word(group->action, "failed");
    return group->status.len != 0 && group->status.p[0] == '5';
}

static bool group_is_empty(const struct group *group)
{
    return group->action.len == 0 && group->status.len == 0;
}

/* The first group that failed, else the last that says anything. */
static struct group worst_group(struct span text)
{
    const struct group none = {SPAN_NONE, SPAN_NONE};
    struct group worst = none, group = none;

    for (size_t at = 0; at < text.len && !group_failed(&worst);) {
        struct span line = mail_text_line(text, at);
        at += line.len + 1;
        if (!field_is(line, "Action", &group.action))
            (void)field_is(line, "Status", &group.status);
        bool is_end = at >= text.len || mail_text_trim(line).len == 0;
        if (is_end && !group_is_empty(&group))
            worst = group;
        if (is_end)
            group = none;
    }
    return worst;
}

/* As a failure for good. What was only tried too long says nothing of the address (5.1.x would rest it). */
static void put_status(struct span status, char *ret, size_t size)
{
    size_t n = 0;

    while (n < status.len && n < STATUS_BYTES_MAX && strchr("0123456789.", status.p[n]) != NULL)
        n++;
    bool is_kept =
        n >= 5 && status.p[1] == '.' && (status.p[0] == '5' || (status.p[0] == '4' && status.p[2] != '1'));
    (void)snprintf(ret, size, "5.%.*s", is_kept ? (int)n - 2 : 3, is_kept ? status.p + 2 : "0.0");
}

bool mail_bounce_read(const struct mail_view *view, char *ret_status, size_t size)
{
    const struct wire_val *report = wire_find(view->facts, "report");
    struct group group = worst_group(wire_find_str(report, "text"));

    if (wire_type(report) != WIRE_MAP) /* a server's own words, of which only those about a delay are known */
        group.action = span_of(
            is_word(view->subject, "warning") || span_has(view->subject, "delay") ? "delayed" : "failed");
    if (!group_failed(&group) && !group_is_empty(&group))
        return false;
    put_status(group.status, ret_status, size);
    return true;
}
