/* What a bounce says of a mail of ours: a delivery status notification (RFC 3464), or the words of a server that knows none. Pure. */
#include "mail_internal.h"

#include "address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { STATUS_BYTES_MAX = 10 };

/* What a group of the report says of one recipient. */
struct group {
    struct span action, status, recipient, original;
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

/* Reads on to the end of a group. False when it says nothing. */
static bool next_group(struct span text, size_t *at, struct group *ret)
{
    *ret = (struct group){SPAN_NONE, SPAN_NONE, SPAN_NONE, SPAN_NONE};
    while (*at < text.len) {
        struct span line = mail_text_line(text, *at);
        *at += line.len + 1;
        if (mail_text_trim(line).len == 0)
            break;
        (void)(field_is(line, "Action", &ret->action) || field_is(line, "Status", &ret->status) ||
               field_is(line, "Final-Recipient", &ret->recipient) ||
               field_is(line, "Original-Recipient", &ret->original));
    }
    return !group_is_empty(ret);
}

/* The first group that failed, else the last that says anything. */
static struct group worst_group(struct span text)
{
    struct group worst = {.action = SPAN_NONE}, group;

    for (size_t at = 0; at < text.len && !group_failed(&worst);)
        if (next_group(text, &at, &group))
            worst = group;
    return worst;
}

/* "rfc822; zoe@acme.example" */
static bool recipient_is(struct span recipient, uint32_t who)
{
    static const char type[] = "rfc822";
    char address[ADDRESS_BYTES_MAX + 1];
    size_t len = sizeof type - 1;

    if (!is_word(recipient, type))
        return false;
    struct span text = mail_text_trim((struct span){recipient.p + len, recipient.len - len});
    if (text.len == 0 || text.p[0] != ';')
        return false;
    text = mail_text_trim((struct span){text.p + 1, text.len - 1});
    if (text.len > 2 && text.p[0] == '<' && text.p[text.len - 1] == '>')
        text = (struct span){text.p + 1, text.len - 2};
    (void)snprintf(address, sizeof address, "%.*s", text.len < sizeof address ? (int)text.len : 0, text.p);
    return address[0] != '\0' && token_is_for(who, address);
}

static bool report_names(struct span text, uint32_t who)
{
    struct group group;

    for (size_t at = 0; at < text.len;)
        if (next_group(text, &at, &group) && group_failed(&group) &&
            (recipient_is(group.recipient, who) || recipient_is(group.original, who)))
            return true;
    return false;
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

bool mail_bounce_of(const struct wire_val *facts, const struct token_key *key, const char *mail_domain,
                    int64_t *ret_delivery)
{
    const struct wire_val *report = wire_find(facts, "report");
    int64_t delivery = mail_delivery_of(wire_find_str(report, "message_id"), mail_domain), marked = 0;
    uint32_t who = 0;

    if (delivery == 0 ||
        !token_mail_parse(key, TOKEN_BOUNCE, mail_text_trim(wire_find_str(report, "mark")), &marked, &who) ||
        marked != delivery || !report_names(wire_find_str(report, "text"), who))
        return false;
    *ret_delivery = delivery;
    return true;
}
