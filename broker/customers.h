/* The customers' records as far as they were seen, by revision: so that a new ticket's work needs no query. The posting's
 * own statement tells the revision and gives the record when it is another one, so nothing here is ever out of date for a posting. */
#ifndef DOCKET_CUSTOMERS_H
#define DOCKET_CUSTOMERS_H

#include "buf.h"

#include <stdint.h>

struct customers;

struct customers *customers_new(size_t most); /* records kept; the oldest goes */
void customers_free(struct customers *customers);
void customers_forget(struct customers *customers); /* all of them */

/* Revision that is known; 0: none. */
int64_t customers_rev(const struct customers *customers, struct span id);
struct span customers_record(const struct customers *customers, struct span id);
void customers_learn(struct customers *customers, struct span id, int64_t rev, struct span record);

#endif
