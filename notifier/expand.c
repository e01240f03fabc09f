/* Who is to be told; see expand.h. */
#include "expand.h"
#include "address.h"
#include "mem.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>

void recipients_clear(struct recipients *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].address);
    }
    *list = (struct recipients){.count = 0};
}

/* Adds an address once. */
static void recipients_add(struct recipients *list, const char *name, const char *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].address, address) == 0)
            return;
    if (list->count < RECIPIENTS_MAX)
        list->items[list->count++] =
            (struct recipient){.channel = "email", .name = mem_strdup(name), .address = mem_strdup(address)};
}

enum add_result { ADD_DONE, ADD_NO_ADDRESS, ADD_BAD_ADDRESS };

static enum add_result recipients_add_contact(struct recipients *list, const struct wire_val *contact)
{
    struct span email = wire_find_str(contact, "email");
    struct span name = wire_find_str(contact, "name");
    char text[ADDRESS_BYTES_MAX + 1], person[200];
    struct err ignored;

    if (email.len == 0)
        return ADD_NO_ADDRESS;
    if (email.len > ADDRESS_BYTES_MAX)
        return ADD_BAD_ADDRESS;
    (void)snprintf(text, sizeof text, "%.*s", (int)email.len, email.p);
    if (!address_check(text, &ignored))
        return ADD_BAD_ADDRESS;
    (void)snprintf(person, sizeof person, "%.*s", (int)(name.len > 150 ? 150 : name.len),
                   name.len == 0 ? "" : name.p);
    recipients_add(list, person, text);
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

static void expand_contacts(const struct wire_val *contacts, const char *kind, int priority,
                            struct recipients *ret)
{
    size_t wanted = 0;
    bool bad = false;

    for (size_t i = 0; i < wire_count(contacts); i++) {
        const struct wire_val *contact = wire_at(contacts, i);
        if (!contact_wants(contact, kind, priority))
            continue;
        wanted++;
        bad = recipients_add_contact(ret, contact) == ADD_BAD_ADDRESS || bad;
    }
    if (ret->count != 0)
        return;
    ret->reason = wire_count(contacts) == 0 ? "the customer has no contacts"
                  : wanted == 0             ? "no contact of the customer wants this"
                  : bad                     ? "no contact has a usable address"
                                            : "no contact has an e-mail address";
}

void expand_customer(const char *kind, int priority, struct span extra, struct span record,
                     struct recipients *ret)
{
    struct wire_doc *ticket = NULL, *customer = NULL;
    struct err ignored;

    if (extra.p != NULL && wire_parse(extra.p, extra.len, WIRE_DEPTH_MAX, &ticket, &ignored)) {
        const struct wire_val *contact = wire_find(wire_root(ticket), "contact");
        if (wire_type(contact) == WIRE_MAP && recipients_add_contact(ret, contact) == ADD_DONE)
            goto out;
    }
    if (record.p != NULL && wire_parse(record.p, record.len, WIRE_DEPTH_MAX, &customer, &ignored))
        expand_contacts(wire_find(wire_root(customer), "contacts"), kind, priority, ret);
    else
        ret->reason = "the customer is unknown and the ticket has no contact with an e-mail address";
out:
    wire_doc_free(ticket);
    wire_doc_free(customer);
}

void expand_address(const char *address, const char *name, struct recipients *ret)
{
    if (address[0] == '\0')
        ret->reason = "no address is configured";
    else
        recipients_add(ret, name, address);
}
