/* The words that a mail leaves in the desk: its text, and below it the facts of the message. */
#include "mail_internal.h"

#include <string.h>
#include <strings.h>

static void put_attachments(struct buf *out, const struct wire_val *list)
{
    for (size_t i = 0; i < wire_count(list); i++) {
        const struct wire_val *one = wire_at(list, i);
        struct span name = wire_find_str(one, "name"), type = wire_find_str(one, "type");
        buf_printf(out, "%s %.*s (%.*s, %lld bytes)", i == 0 ? "\nNot kept:" : ",",
                   name.len == 0 ? 7 : (int)name.len, name.len == 0 ? "unnamed" : name.p, (int)type.len,
                   type.p == NULL ? "" : type.p, (long long)wire_find_int(one, "bytes", 0));
    }
}

/* An answer to a meeting: who said what to which. It changes no state: staff see it. */
static void put_answer(struct buf *out, const struct mail_view *view)
{
    struct mail_answer answer;

    if (!mail_answer_read(view, &answer))
        return;
    buf_printf(out, "\nMeeting %s: %s", answer.uid, answer.said);
    if (answer.is_counter && answer.start[0] != '\0')
        buf_printf(out, ", proposes %s", answer.start);
}

static void put_fact(struct buf *out, const char *name, struct span value)
{
    if (value.len != 0)
        buf_printf(out, "\n%s: %.*s", name, (int)value.len, value.p);
}

void mail_put_words(struct buf *out, const struct mail_view *view, bool is_trusted)
{
    struct buf facts, words;
    size_t room;

    buf_init(&facts, MAIL_WORDS_BYTES_MAX / 4);
    buf_printf(&facts, "\n\n-- \nBy mail from %s%s%s%s%s", view->from_name,
               view->from_name[0] == '\0' ? "" : " <", view->from[0] == '\0' ? "nobody" : view->from,
               view->from_name[0] == '\0' ? "" : ">", is_trusted ? "" : " (not verified)");
    put_fact(&facts, "Date", wire_find_str(view->facts, "date"));
    put_fact(&facts, "Message-ID", wire_find_str(view->facts, "message_id"));
    put_answer(&facts, view);
    put_attachments(&facts, wire_find(view->facts, "attachments"));
    if (wire_find_bool(view->facts, "is_cut", false))
        buf_add_text(&facts, "\nThe text was longer and is cut.");
    room = MAIL_WORDS_BYTES_MAX - facts.len - 64;
    buf_init(&words, room);
    mail_text_clean(view->text, room, &words);
    buf_add_text(out, words.len == 0 ? "(no text)" : buf_text(&words));
    if (view->text.len > words.len + 64)
        buf_add_text(out, "\n[cut here]");
    buf_add_span(out, buf_span(&facts));
    buf_clear(&words);
    buf_clear(&facts);
}

void mail_put_title(struct buf *out, const struct mail_view *view)
{
    static const char *const answers[] = {"re:", "aw:", "fwd:", "fw:", "wg:"};
    struct span title = view->subject;
    size_t points = 0, end = 0;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0];) {
        while (title.len != 0 && title.p[0] == ' ')
            title = (struct span){title.p + 1, title.len - 1};
        size_t len = strlen(answers[i]);
        bool is = title.len >= len && strncasecmp(title.p, answers[i], len) == 0;
        if (is)
            title = (struct span){title.p + len, title.len - len};
        i = is ? 0 : i + 1;
    }
    while (end < title.len && points < MAIL_TITLE_POINTS_MAX) {
        end++;
        while (end < title.len && ((unsigned char)title.p[end] & 0xc0) == 0x80)
            end++;
        points++;
    }
    buf_add_span(out, end == 0 ? span_of("(no subject)") : (struct span){title.p, end});
}

bool mail_word_is(const struct setting_list *words, struct span line)
{
    for (size_t i = 0; i < words->count; i++)
        if (line.len == strlen(words->items[i]) && strncasecmp(line.p, words->items[i], line.len) == 0)
            return true;
    return false;
}
