/* Who is to be told; see expand.h. */
#include "expand.h"
#include "escal_targets.h"
#include "meeting_body.h"
#include "mem.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void recipients_clear(struct recipients *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].address);
        free(list->items[i].others);
    }
    free(list->items);
    *list = (struct recipients){.count = 0};
}

/* Adds an address once; takes others. False: it is there, or there is no room. */
static bool recipients_add(struct recipients *list, const char *channel, const char *name,
                           const char *address, char *others)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].address, address) == 0) {
            free(others);
            return false;
        }
    if (list->count == RECIPIENTS_MAX) {
        list->left_out++;
        free(others);
        return false;
    }
    if (list->count == list->room) {
        list->room = list->room == 0 ? 4 : 2 * list->room;
        list->items = mem_grow(list->items, list->room, sizeof *list->items);
    }
    list->items[list->count++] = (struct recipient){.channel = channel,
                                                    .name = mem_strdup(name),
                                                    .address = mem_strdup(address),
                                                    .others = others};
    return true;
}

enum add_result { ADD_DONE, ADD_NO_ADDRESS, ADD_BAD_ADDRESS };

/* The contact's address over a channel, if it can be one. */
static enum add_result contact_address(const struct wire_val *contact, int channel, char *ret)
{
    struct span text = wire_find_str(contact, channel_rows[channel].name);
    struct err ignored;

    if (text.len == 0)
        return ADD_NO_ADDRESS;
    if (text.len >= CHANNEL_ADDRESS_BYTES)
        return ADD_BAD_ADDRESS;
    (void)snprintf(ret, CHANNEL_ADDRESS_BYTES, "%.*s", (int)text.len, text.p);
    return channel_table[channel]->address_check(ret, &ignored) ? ADD_DONE : ADD_BAD_ADDRESS;
}

/* The first channel of the table that works for the contact, the others behind it. */
static enum add_result recipients_add_contact(struct recipients *list, const bool open[CHANNELS],
                                              const struct wire_val *contact)
{
    const char *channel = NULL;
    char first[CHANNEL_ADDRESS_BYTES], address[CHANNEL_ADDRESS_BYTES], person[200];
    struct span name = wire_find_str(contact, "name");
    struct buf others;
    size_t len;
    bool bad = false;

    buf_init(&others, (size_t)CHANNELS * (CHANNEL_ADDRESS_BYTES + 32));
    for (int i = 0; i < CHANNELS; i++) {
        if (!open[i] || !channel_table[i]->to_customers)
            continue;
        enum add_result result = contact_address(contact, i, address);
        bad = bad || result == ADD_BAD_ADDRESS;
        if (result != ADD_DONE)
            continue;
        if (channel == NULL) {
            channel = channel_rows[i].name;
            memcpy(first, address, sizeof first);
        } else {
            (void)buf_printf(&others, "%s%s" RECIPIENT_SPLIT "%s", others.len == 0 ? "" : RECIPIENT_SPLIT,
                             channel_rows[i].name, address);
        }
    }
    if (channel == NULL) {
        buf_clear(&others);
        return bad ? ADD_BAD_ADDRESS : ADD_NO_ADDRESS;
    }
    (void)snprintf(person, sizeof person, "%.*s", (int)(name.len > 150 ? 150 : name.len),
                   name.len == 0 ? "" : name.p);
    recipients_add(list, channel, person, first, others.len == 0 ? NULL : buf_take(&others, &len));
    return ADD_DONE;
}

static bool contact_has_word(const struct wire_val *words, const char *word)
{
    struct span one;
    if (wire_get_str(words, &one))
        return span_is(one, word);
    for (size_t i = 0; i < wire_count(words); i++)
        if (wire_get_str(wire_at(words, i), &one) && span_is(one, word))
            return true;
    return false;
}

/* A contact without `for` hears all. */
static bool contact_wants(const struct wire_val *contact, const char *kind, int priority)
{
    const struct wire_val *words = wire_find(contact, "for");

    if (wire_type(words) == WIRE_NIL || wire_count(words) == 0)
        return !contact_has_word(words, "none");
    if (contact_has_word(words, "none"))
        return false;
    if (contact_has_word(words, "all"))
        return true;
    if (contact_has_word(words, "p1") && priority == 1)
        return true;
    if (strcmp(kind, "meeting") == 0)
        return contact_has_word(words, "meetings");
    return contact_has_word(words, "updates");
}

static void expand_contacts(const bool open[CHANNELS], const struct wire_val *contacts, const char *kind,
                            int priority, struct recipients *ret)
{
    size_t wanted = 0;
    bool bad = false;

    for (size_t i = 0; i < wire_count(contacts); i++) {
        const struct wire_val *contact = wire_at(contacts, i);
        if (!contact_wants(contact, kind, priority))
            continue;
        wanted++;
        bad = recipients_add_contact(ret, open, contact) == ADD_BAD_ADDRESS || bad;
    }
    if (ret->count != 0)
        return;
    ret->reason = wire_count(contacts) == 0 ? "the customer has no contacts"
                  : wanted == 0             ? "no contact of the customer wants this"
                  : bad                     ? "no contact has a usable address"
                                            : "no contact has an e-mail address";
}

/* What nobody asked for by a word of his own: an automatic sender would answer it, and so on. */
static bool kind_is_automatic(const char *kind)
{
    static const char *const kinds[] = {"received", "triaged", "asked"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

static bool address_is_automatic(struct span address)
{
    static const char *const names[] = {"mailer-daemon", "postmaster",   "noreply", "no-reply", "no_reply",
                                        "donotreply",    "do-not-reply", "bounce",  "bounces",  "nobody"};
    const char *at = address.len == 0 ? NULL : memchr(address.p, '@', address.len);
    size_t len = at == NULL ? 0 : (size_t)(at - address.p);

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == len && strncasecmp(names[i], address.p, len) == 0)
            return true;
    return false;
}

/* The mail that posted the ticket said so (docket-mail notes it), or its address does. */
static bool sender_is_automatic(const struct wire_val *ticket)
{
    const struct wire_val *mail = wire_find(wire_find(ticket, "attributes"), "mail");
    return wire_find_bool(mail, "automatic", false) ||
           address_is_automatic(wire_find_str(wire_find(ticket, "contact"), "email"));
}

void expand_customer(const bool open[CHANNELS], const char *kind, int priority, struct span extra,
                     struct span record, struct recipients *ret)
{
    struct wire_doc *ticket = NULL, *customer = NULL;
    struct err ignored;

    if (extra.p != NULL && wire_parse(extra.p, extra.len, WIRE_DEPTH_MAX, &ticket, &ignored)) {
        const struct wire_val *contact = wire_find(wire_root(ticket), "contact");
        if (kind_is_automatic(kind) && sender_is_automatic(wire_root(ticket))) {
            ret->reason = "the sender is automatic: it gets no automatic answer";
            goto out;
        }
        if (wire_type(contact) == WIRE_MAP && recipients_add_contact(ret, open, contact) == ADD_DONE)
            goto out;
    }
    if (record.p != NULL && wire_parse(record.p, record.len, WIRE_DEPTH_MAX, &customer, &ignored))
        expand_contacts(open, wire_find(wire_root(customer), "contacts"), kind, priority, ret);
    else
        ret->reason = "the customer is unknown and the ticket has no contact with an e-mail address";
out:
    wire_doc_free(ticket);
    wire_doc_free(customer);
}

static void add_guests(const struct wire_val *all, struct recipients *ret)
{
    struct err ignored;

    for (size_t i = 0; i < wire_count(all); i++) {
        char address[CHANNEL_ADDRESS_BYTES];
        struct span text;
        if (!wire_get_str(wire_at(all, i), &text) || text.len >= sizeof address)
            continue;
        (void)snprintf(address, sizeof address, "%.*s", (int)text.len, text.p);
        if (!channel_email.address_check(address, &ignored))
            continue;
        if (recipients_add(ret, channel_rows[CHANNEL_EMAIL].name, "", address, NULL))
            ret->items[ret->count - 1].is_guest = true;
    }
}

void expand_guests(const bool open[CHANNELS], struct span body, struct recipients *ret)
{
    struct wire_doc *doc = NULL;
    struct err ignored;

    if (!open[CHANNEL_EMAIL] || body.p == NULL ||
        !wire_parse(body.p, body.len, WIRE_DEPTH_MAX, &doc, &ignored))
        return;
    add_guests(wire_find(wire_find(wire_root(doc), "meeting"), "attendees"), ret);
    add_guests(meeting_body_dropped(wire_root(doc)), ret);
    wire_doc_free(doc);
}

void expand_pages(const struct pages *pages, struct recipients *ret)
{
    for (size_t i = 0, next; i < pages->count; i = next) {
        struct buf others;
        size_t len;

        buf_init(&others, (size_t)CHANNELS * (CHANNEL_ADDRESS_BYTES + 32));
        for (next = i + 1; next < pages->count && pages->items[next].way != 0; next++)
            (void)buf_printf(&others, "%s%s" RECIPIENT_SPLIT "%s", others.len == 0 ? "" : RECIPIENT_SPLIT,
                             pages->items[next].channel, pages->items[next].address);
        if (recipients_add(ret, pages->items[i].channel, pages->items[i].recipient, pages->items[i].address,
                           others.len == 0 ? NULL : buf_take(&others, &len)))
            ret->items[ret->count - 1].not_before = pages->items[i].not_before;
    }
    if (ret->count == 0)
        ret->reason = "nobody of the notice in escalation.yaml can be reached";
}

void expand_address(const char *address, const char *name, struct recipients *ret)
{
    if (address[0] == '\0')
        ret->reason = "no address is configured";
    else
        recipients_add(ret, "email", name, address, NULL);
}
