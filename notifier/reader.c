/* Language and wall clock of who reads; see reader.h. */
#include "reader.h"
#include "channels.h"
#include "clock.h"
#include "date.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

static struct wire_doc *parse_or_null(struct span record)
{
    struct wire_doc *doc = NULL;
    struct err ignored;
    return record.p != NULL && wire_parse(record.p, record.len, WIRE_DEPTH_MAX, &doc, &ignored) ? doc : NULL;
}

/* False: it is none; ret stays as it was. */
static bool locale_set(struct span locale, char ret[LOCALE_BYTES])
{
    if (locale.len == 0 || locale.len >= LOCALE_BYTES)
        return false;
    (void)snprintf(ret, LOCALE_BYTES, "%.*s", (int)locale.len, locale.p);
    return true;
}

static const struct wire_val *contact_at(const struct wire_val *record, const char *address)
{
    const struct wire_val *contacts = wire_find(record, "contacts");

    for (size_t i = 0; address[0] != '\0' && i < wire_count(contacts); i++)
        for (int way = 0; way < CHANNELS; way++)
            if (span_is(wire_find_str(wire_at(contacts, i), channel_rows[way].name), address))
                return wire_at(contacts, i);
    return NULL;
}

static void reader_of_record(struct zones *zones, const struct wire_val *record, struct reader *ret)
{
    *ret = (struct reader){.zone = zones_find(zones, wire_find_str(record, "zone"))};
    (void)locale_set(wire_find_str(record, "locale"), ret->locale);
}

void reader_of_contact(struct zones *zones, struct span record, const char *address, struct reader *ret)
{
    struct wire_doc *doc = parse_or_null(record);
    const struct wire_val *root = doc == NULL ? NULL : wire_root(doc);

    reader_of_record(zones, root, ret);
    (void)locale_set(wire_find_str(contact_at(root, address), "locale"), ret->locale);
    wire_doc_free(doc);
}

void reader_of_desk(struct zones *zones, const char *locale, const char *zone, struct reader *ret)
{
    *ret = (struct reader){.zone = zone[0] == '\0' ? NULL : zones_find(zones, span_of(zone))};
    (void)locale_set(span_of(locale), ret->locale);
}

void reader_of_person(struct zones *zones, const struct process_person *person, const struct reader *desk,
                      struct span record, struct reader *ret)
{
    struct wire_doc *doc = parse_or_null(record);
    const struct zone *own =
        person == NULL || person->zone == NULL ? NULL : zones_find(zones, span_of(person->zone));

    reader_of_record(zones, doc == NULL ? NULL : wire_root(doc), ret);
    if (own != NULL || desk->zone != NULL)
        ret->zone = own != NULL ? own : desk->zone;
    if (person == NULL || person->locale == NULL || !locale_set(span_of(person->locale), ret->locale))
        (void)locale_set(span_of(desk->locale), ret->locale);
    wire_doc_free(doc);
}

bool reader_record_locale(struct span record, char ret[LOCALE_BYTES])
{
    struct wire_doc *doc = parse_or_null(record);

    ret[0] = '\0';
    bool is_there = locale_set(wire_find_str(doc == NULL ? NULL : wire_root(doc), "locale"), ret);
    wire_doc_free(doc);
    return is_there;
}

void reader_instant(const struct zone *zone, int64_t at_us, char ret[READER_INSTANT_BYTES])
{
    int64_t at = at_us / US_PER_S, local, days, year;
    int32_t offset = zone == NULL ? 0 : zone_offset(zone, at);
    int month, day;

    local = at + offset;
    days = date_of_wall(local);
    local -= days * DAY_S;
    date_parts(days, &year, &month, &day);
    int n = snprintf(ret, READER_INSTANT_BYTES, "%04lld-%02d-%02d %02d:%02d ", (long long)year, month, day,
                     (int)(local / 3600), (int)(local % 3600 / 60));
    if (offset == 0)
        (void)snprintf(ret + n, READER_INSTANT_BYTES - (size_t)n, "UTC");
    else
        (void)snprintf(ret + n, READER_INSTANT_BYTES - (size_t)n, "%c%02d:%02d", offset < 0 ? '-' : '+',
                       abs(offset) / 3600, abs(offset) % 3600 / 60);
}
