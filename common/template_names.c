/* What a template may name; see template_names.h. */
#include "template_names.h"

#include "faults.h"

#include <string.h>

/* No name of an internal note is among them: what customers read is made of these alone. */
const struct template_name template_names[] = {
    {"tracking", "tracking number; missing when it is not about a ticket"},
    {"title", "of the ticket"},
    {"customer", "its id"},
    {"assignee", "who works on it"},
    {"priority", "1 to 4; missing before triage"},
    {"state", "of the ticket, in words of the locale"},
    {"posted", "when, in the recipient's zone"},
    {"kind", "of the message, in words of the locale"},
    {"name", "of who reads it"},
    {"to_staff", "whether that is staff or ops; else a customer, or who is invited by one"},
    {"link", "signed, to answer without a client; missing where there is none"},
    {"code", "of an alert, for ack NUMBER CODE in a room"},
    {"by_mail", "whether an answer to this message by mail is read"},
    {"attachments",
     "how many attachments of the mail that posted the ticket were not kept; missing for none"},
    {"attachments_is.zero",
     "their number: of zero, one, two, few, many, other the one that the plural rules of the locale give"},
    {"attachments_is.one", "as attachments_is.zero"},
    {"attachments_is.two", "as attachments_is.zero"},
    {"attachments_is.few", "as attachments_is.zero"},
    {"attachments_is.many", "as attachments_is.zero"},
    {"attachments_is.other", "as attachments_is.zero"},
    {"alert", "text of the alert"},
    {"alert_priority", "1 to 4"},
    {"alert_has_title", "whether that text says the ticket's title already"},
    {"alert_has_priority", "whether that text says the priority already"},
    {"problem", "to staff: what the customer wrote, its first 2,000 bytes"},
    {"contact.name", "to staff: whom to ask, the ticket's contact or else the customer's first"},
    {"contact.phone", "and how"},
    {"contact.email", "and how"},
    {"contact.xmpp", "and how"},
    {"has_missing", "whether facts are missing"},
    {"missing",
     "the facts that would help, in words of the locale, without those that asked.questions ask for"},
    {"on_customer", "whether we wait for the customer; else for a third party"},
    {"lines.key", "every simple field of the body: its name"},
    {"lines.value", "and its value"},
    {"count", "how many messages this one stands for"},
    {"one", "whether that is one, by the plural rules of the locale"},
    {"count_is.zero",
     "that number: of zero, one, two, few, many, other the one that the plural rules of the locale give"},
    {"count_is.one", "as count_is.zero"},
    {"count_is.two", "as count_is.zero"},
    {"count_is.few", "as count_is.zero"},
    {"count_is.many", "as count_is.zero"},
    {"count_is.other", "as count_is.zero"},
    {"more", "how many of them are not listed; missing when all are"},
    {"members.tracking", "of a summary: each message's ticket"},
    {"members.title", "its title"},
    {"members.kind", "its kind, in words of the locale"},
    {"members.priority", "of the alert, else of the ticket"},
    {"members.alert", "text of the alert"},
    {"members.alert_has_title", "whether that text says the title already"},
    {"members.text", "what somebody wrote there for the reader, or what is asked, a line each"},
    {"members.link", "signed, to answer it without a client: of a step that is proposed, of an alert; "
                     "missing where there is none"},
    {"members.reason", "why"},
    {"members.proposal", "next steps that are proposed there"},
    {"inhibited", "how many alerts of other tickets this one stands for; missing for none"},
    {"inhibited_is.zero",
     "that number: of zero, one, two, few, many, other the one that the plural rules of the locale give"},
    {"inhibited_is.one", "as inhibited_is.zero"},
    {"inhibited_is.two", "as inhibited_is.zero"},
    {"inhibited_is.few", "as inhibited_is.zero"},
    {"inhibited_is.many", "as inhibited_is.zero"},
    {"inhibited_is.other", "as inhibited_is.zero"},
    {"earlier.text", "of updates that could not be sent in time and are told with this one, oldest first, or "
                     "of the approval that is asked for again: the words"},
    {"earlier.by", "and who wrote them"},
    {"body.text", "what somebody wrote for the reader"},
    {"body.reason", "why"},
    {"body.on", "customer or vendor"},
    {"body.vendor", "the third party"},
    {"body.proposal", "next steps that are proposed"},
    {"body.until_at", "an instant"},
    {"body.close_reason", "why it was closed"},
    {"body.approved", "whether the customer approved"},
    {"body.unanswered", "whether it is closed since nobody answered"},
    {"body.by", "who did it"},
    {"body.to", "the other ticket, or the other side"},
    {"body.as_link", "how tickets are linked"},
    {"body.staff", "who it is assigned to"},
    {"body.questions", "what we ask, a text each, in words of the locale where it has them"},
    {"body.missing", "as missing, untranslated"},
    {"body.priority", "1 to 4"},
    {"body.priority_name", "as the locale calls it, else the process"},
    {"body.asks",
     "of triaged: whether its decision asks something: here (asked), or in a message of its own"},
    {"body.promises.clock", "what is promised, in words of the locale"},
    {"body.promises.due_at", "until when"},
    {"body.promises.starts_at", "when the time begins to count, if not at once"},
    {"body.promises.promise_s", "seconds"},
    {"body.promises.working", "whether only opening hours count"},
    {"body.what", "of an alert"},
    {"body.clock", "the promise that is near or missed"},
    {"body.percent", "of its time that is gone"},
    {"body.cycle", "which one"},
    {"body.due_at", "until when it is to be met"},
    {"body.cause", "why"},
    {"body.worked_s", "seconds that counted"},
    {"body.day", "of an approval that is asked again: working days since"},
    {"body.reminder", "which one; missing when it is asked for the first time"},
    {"body.delivery", "number of a message that could not be delivered"},
    {"body.channel", "over which, in words of the locale"},
    {"body.address", "to where"},
    {"body.about", "its kind"},
    {"body.reply", "what the other side said"},
    {"body.meeting.id", "which meeting"},
    {"body.meeting.what",
     "made, moved, cancelled, dropped (for who is invited no more) or reminder, in words of the locale"},
    {"body.meeting.medium", "im or phone, in words of the locale"},
    {"body.meeting.starts_at", "when"},
    {"body.meeting.ends_at", "until when"},
    {"body.meeting.where", "a room, an address of a call"},
    {"body.at", "an instant"},
    {"body.ends_at", "an instant"},
    {"body.how", "im or phone"},
    {"body.where", "a room, an address of a call"},
    {"body.name", "of a thing"},
    {"body.count", "how many"},
    {"body.id", "of an alert, of a mute: its number"},
    {"body.ended_by", "of a mute: who ended it before its time"},
    {"body.messages", "how many messages to staff it kept from being sent; body.count alerts were held back"},
    {"body.policy", "that it climbs by"},
    {"body.level", "of that policy, from 1"},
    {"body.again", "which round again"},
    {"body.opened_again", "whether it was acknowledged and nothing happened"},
    {"body.last_resort", "whether nobody else could be reached"},
    {"body.told", "who is told, and how"},
    {"body.acked_by", "who acknowledged it"},
    {"asked.questions", "as body.questions: of triaged and received_triaged, what the same decision asks"},
    {"triaged.priority", "1 to 4, in a receipt that went together with the triage"},
    {"triaged.priority_name", "as body.priority_name"},
    {"triaged.asks", "as body.asks"},
    {"triaged.promises.clock", "as body.promises"},
    {"triaged.promises.due_at", "as body.promises"},
    {"triaged.promises.starts_at", "as body.promises"},
    {"triaged.promises.promise_s", "as body.promises"},
    {"triaged.promises.working", "as body.promises"},
};
const size_t template_names_count = sizeof template_names / sizeof template_names[0];

/* Kinds of the outbox; received_triaged stands for both, generic for kinds without a template. */
static const char *const kinds[] = {
    "received",       "received_triaged", "receipts",       "triaged",        "asked",
    "update",         "waiting",          "cannot_resolve", "approval_asked", "closed",
    "reopened",       "meeting",          "tell",           "alert",          "alert_over",
    "alert_reminder", "missed",           "warning",        "task",           "undelivered",
    "digest",         "mute_ended",       "inhibited",      "alerts",         "endpoint_disabled",
    "generic",
};

static const char *const pages[] = {"page_approve", "page_agree", "page_acknowledge", "page_nothing"};

/* What the notifier's link_page.c tells a page. */
static const char *const page_names[] = {
    "tracking",
    "title",
    "customer",
    "text",
    "proposal",
    "priority",
    "can_act",
    "can_take",
    "at",
    "by",
    "assignee",
    "result.approved",
    "result.rejected",
    "result.agreed",
    "result.declined",
    "result.acknowledged",
    "result.resolved",
    "result.closed",
    "result.reopened",
    "result.overtaken",
    "fault.wrong",
    "fault.expired",
    "fault.away",
    "fault.refused",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Whether path is known, or the beginning of it at a full stop. */
static bool path_leads_to(const char *path, const char *known)
{
    size_t len = strlen(path);
    return strncmp(known, path, len) == 0 && (known[len] == '\0' || known[len] == '.');
}

static bool word_is_in(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

bool template_name_is_known(const char *path)
{
    for (size_t i = 0; i < template_names_count; i++)
        if (path_leads_to(path, template_names[i].path))
            return true;
    return false;
}

bool template_page_name_is_known(const char *path)
{
    for (size_t i = 0; i < COUNT(page_names); i++)
        if (path_leads_to(path, page_names[i]))
            return true;
    return false;
}

bool template_kind_is_known(const char *kind)
{
    return word_is_in(kind, kinds, COUNT(kinds));
}

bool template_kind_is_for_staff(const char *kind)
{
    static const char *const staff[] = {"alert",     "alert_over",       "alert_reminder",
                                        "alerts",    "missed",           "warning",
                                        "task",      "undelivered",      "mute_ended",
                                        "inhibited", "endpoint_disabled"};

    return word_is_in(kind, staff, COUNT(staff));
}

const char *template_kind_near(const char *kind)
{
    return template_kind_is_known(kind) ? NULL : faults_near(kind, kinds, COUNT(kinds));
}

bool template_page_is_known(const char *page)
{
    return word_is_in(page, pages, COUNT(pages));
}
