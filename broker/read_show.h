/* ticket.show: one ticket with its links, what was told about it, and its events. Knows no request and no
 * socket. */
#ifndef DOCKET_READ_SHOW_H
#define DOCKET_READ_SHOW_H

#include "pg.h"
#include "read_end.h"

#include <stdint.h>

enum { READ_SHOW_EVENTS_BYTES = 512 * 1024, READ_SHOW_BYTES_MAX = 4 * 1024 * 1024 };

/* Asks for {…ticket, links, messages, events, events_more}: docs/protocol.md, "ticket.show".
 * in:  params   scratch, reset here
 *      after    events above this version only; 0: all, the posting being event 1
 *      reminder_s  before meetings that say nothing of it; -1: not known
 *      prefix   of tracking numbers; lives until fn was called
 * err given to fn: ERR_NOT_FOUND, ERR_UNAVAILABLE, ERR_INTERNAL */
void read_show_send(struct pg *reader, struct pg_params *params, int64_t ticket, int32_t after,
                    int64_t reminder_s, const char *prefix, read_answer_fn *fn, void *arg);

/* The same without messages and events, for ticket.next: {"ticket": …}, and whether it was taken by an earlier request with this key. */
enum read_taken { TAKEN_NOT, TAKEN_NOW, TAKEN_BEFORE };
void read_ticket_send(struct pg *reader, struct pg_params *params, int64_t ticket, const char *prefix,
                      enum read_taken taken, read_answer_fn *fn, void *arg);

#endif
