/* In which language and by which wall clock somebody reads. Pure, but for the zones' files, which are read once each. */
#ifndef DOCKET_READER_H
#define DOCKET_READER_H

#include "buf.h"
#include "process_people.h"
#include "templates.h"
#include "zones.h"

#include <stdint.h>

enum { READER_INSTANT_BYTES = 64 };

struct reader {
    char locale[LOCALE_BYTES]; /* "": nothing says it */
    const struct zone *zone;   /* of zones; NULL: UTC */
};

/* The contact with that address, of whatever channel, in a customer's record (MessagePack; SPAN_NONE: there is none; an address "" is nobody's). A contact may have a
 * language of their own; else the customer's counts, and for the zone always. */
void reader_of_contact(struct zones *zones, struct span record, const char *address, struct reader *ret);

/* What the desk's settings say. locale, zone: "" for nothing. */
void reader_of_desk(struct zones *zones, const char *locale, const char *zone, struct reader *ret);

/* Somebody of staff.yaml (NULL: a mailbox, which is nobody): what is theirs, else the desk's, else the customer's. */
void reader_of_person(struct zones *zones, const struct process_person *person, const struct reader *desk,
                      struct span record, struct reader *ret);

/* The language of a customer's record. False: it says none; ret is "" then. */
bool reader_record_locale(struct span record, char ret[LOCALE_BYTES]);

/* "2026-03-27 16:30 +01:00"; "… UTC" where the offset is none. at_us: Unix time in µs. */
void reader_instant(const struct zone *zone, int64_t at_us, char ret[READER_INSTANT_BYTES]);

#endif
